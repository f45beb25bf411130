"""`step` is the model: its draws, its frequencies, and the toy-text table."""

import numpy as np
import pytest

from envs.gridworld import GridWorld


def test_a_step_and_a_reset_draw_one_number_only_where_there_is_a_choice():
    env = GridWorld("S.T\n...", slip=0.5)
    env.reset(seed=3)
    twin = np.random.Generator(np.random.PCG64(3))
    assert env.np_random.bit_generator.state == twin.bit_generator.state  # one start, no draw
    env.step(4)
    assert env.np_random.bit_generator.state == twin.bit_generator.state  # staying does not slip
    env.step(1)
    twin.random()
    assert env.np_random.bit_generator.state == twin.bit_generator.state
    many = GridWorld("..\n.T")
    twin = np.random.Generator(np.random.PCG64(9))
    s, _ = many.reset(seed=9)
    assert s == int(np.searchsorted([0.25, 0.5, 0.75, 1.0], twin.random(), side="right"))
    many.reset(options={"state": 0})
    assert many.np_random.bit_generator.state == twin.bit_generator.state


def test_the_outcome_is_the_first_whose_cumulative_probability_exceeds_the_draw():
    env = GridWorld("....\nT...", slip=0.5)
    env.reset(seed=1, options={"state": 6})
    draws = np.random.Generator(np.random.PCG64(1)).random(50)
    for u in draws:
        s = env.s
        outcomes = env.P[s][0]
        k = int(np.argmax(np.cumsum([p for p, *_ in outcomes]) > u)) if len(outcomes) > 1 else 0
        assert len(outcomes) > 1
        s_next, reward, terminated, _, _ = env.step(0)
        assert (s_next, reward, terminated) == outcomes[k][1:]


@pytest.mark.parametrize(
    "arguments", [{"slip": 0.3}, {"layout": "windy-stochastic", "slip": 0.2}, {"layout": "four-rooms"}]
)
def test_step_frequencies_are_the_models_probabilities(arguments):
    env = GridWorld(**arguments)
    env.reset(seed=0)
    n = 4000
    for s in range(0, env.layout.n_states, 11):
        for action in range(env.n_actions):
            expected = {outcome[1:]: outcome[0] for outcome in env.P[s][action]}
            seen = dict.fromkeys(expected, 0)
            for _ in range(n if len(expected) > 1 else 3):
                env.s = s
                seen[env.step(action)[:3]] += 1
            total = sum(seen.values())
            for outcome, p in expected.items():
                assert seen[outcome] / total == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / n))


def test_the_toy_text_table_is_the_transitions():
    env = GridWorld("windy-stochastic", slip=0.1)
    t = env.transitions
    assert env.P is env.P
    k = 0
    for s in range(env.layout.n_states):
        for a in range(env.n_actions):
            assert t.indptr[s * env.n_actions + a] == k
            for p, s_next, reward, terminated in env.P[s][a]:
                assert (p, s_next, reward, terminated) == (t.prob[k], t.next_state[k], t.reward[k], t.terminated[k])
                assert [type(part) for part in (p, s_next, reward, terminated)] == [float, int, float, bool]
                k += 1
    assert k == len(t.prob)
