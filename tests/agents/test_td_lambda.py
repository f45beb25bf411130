"""TD(λ) against the textbook's loops, the forward view that it equals, hand-made numbers, TD(0), and the exact values."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import exact
from rlkit.tabular import traces
from rlkit.tabular.drive import ELAPSED, EPISODES
from tests.agents import textbook
from tests.probes import random_walk, reward_chain

WORLDS = ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"]
KINDS = ["accumulating", "replacing", "dutch"]


def textbook_v(env, kind, lam, *, steps, seed, gamma=0.9, alpha=0.1):
    """S&B sections 12.2 and 12.5 with one-hot features, the whole trace vector at every step."""
    S = env.observation_space.n
    v, z, old = np.zeros(S), np.zeros(S), [0.0]

    def begin(_s, rng):
        z[:], old[0] = 0.0, 0.0
        return textbook.draw_uniform(env.action_space.n, rng)

    def learn(s, _a, r, s_next, terminated, _truncated, rng):
        x = np.eye(S)[s]
        v_s, v_next = v[s], 0.0 if terminated else v[s_next]
        delta = r + gamma * v_next - v_s
        if kind == "dutch":
            z[:] = gamma * lam * z + (1 - alpha * gamma * lam * z[s]) * x
            v[:] += alpha * (delta + v_s - old[0]) * z - alpha * (v_s - old[0]) * x
            old[0] = v_next
        else:
            z[:] = gamma * lam * z
            z[s] = z[s] + 1 if kind == "accumulating" else 1.0
            v[:] += alpha * delta * z
        return textbook.draw_uniform(env.action_space.n, rng)

    textbook.play(env, begin, learn, steps=steps, seed=seed)
    return v


def online_lambda_return(env, lam, *, steps, seed, gamma, alpha_of):
    """S&B section 12.4: after each step all updates of the episode are made again, towards λ-returns up to this step.

    The values that a return ends in are those of the time it ends at, v_{h-1}; alpha_of(visits) is counted as they come.
    """
    S = env.observation_space.n
    visits, state = np.zeros(S), {}

    def begin(s, rng):
        state.update(S=[s], R=[None], alphas=[], w0=state.get("v", np.zeros(S)).copy(), ws=[])
        state["ws"] = [state["w0"]]
        return textbook.draw_uniform(env.action_space.n, rng)

    def learn(s, _a, r, s_next, terminated, _truncated, rng):
        visits[s] += 1
        state["alphas"].append(alpha_of(visits[s]))
        state["S"].append(s_next)
        state["R"].append(r)
        h = len(state["R"]) - 1
        w = state["w0"].copy()
        for k in range(h):
            g, weighted = 0.0, 0.0
            for n in range(1, h - k + 1):
                g += gamma ** (n - 1) * state["R"][k + n]
                ends = terminated and k + n == h
                tail = 0.0 if ends else gamma**n * state["ws"][k + n - 1][state["S"][k + n]]
                weighted += (lam ** (n - 1) * (1 - lam) if k + n < h else lam ** (n - 1)) * (g + tail)
            w[state["S"][k]] += state["alphas"][k] * (weighted - w[state["S"][k]])
        state["ws"].append(w)
        state["v"] = w
        return textbook.draw_uniform(env.action_space.n, rng)

    textbook.play(env, begin, learn, steps=steps, seed=seed)
    return state["v"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("world", WORLDS)
def test_it_does_what_the_textbook_says(world, kind):
    env = gym.make(world, max_episode_steps=60)
    wanted = textbook_v(env, kind, 0.8, steps=3000, seed=3)
    agent = rlkit.make("td_lambda", env, lam=0.8, traces=kind, alpha=0.1, seed=3)
    list(agent.updates(3000))
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
    assert np.any(wanted != 0.0)


@pytest.mark.parametrize(("alpha", "alpha_of"), [(0.3, lambda _n: 0.3), ("1/n^0.7", lambda n: n**-0.7)])
@pytest.mark.parametrize("lam", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1"])
def test_dutch_traces_are_the_online_lambda_return_algorithm(world, lam, alpha, alpha_of):
    env = gym.make(world, max_episode_steps=25)
    wanted = online_lambda_return(env, lam, steps=900, seed=6, gamma=0.9, alpha_of=alpha_of)
    agent = rlkit.make("td_lambda", env, lam=lam, traces="dutch", alpha=alpha, seed=6)
    list(agent.updates(900))
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-12, atol=1e-12)
    assert np.any(wanted != 0.0)


@pytest.mark.parametrize("alpha", [0.1, 1.0, "1/n", "1/(k+3)"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("world", WORLDS)
def test_lambda_0_is_td0_to_the_last_bit(world, kind, alpha):
    env = gym.make(world, max_episode_steps=30)
    one = rlkit.make("td_lambda", env, lam=0.0, traces=kind, alpha=alpha)
    other = rlkit.make("td0", env, alpha=alpha)
    for agent in (one, other):
        list(agent.updates(5000))
    assert np.array_equal(one.values, other.values)
    assert np.any(one.values != 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_sweeping_all_values_or_those_with_a_trace_is_the_same_to_the_last_bit(kind, monkeypatch):
    found = []
    for dense in (0, 10**6):
        monkeypatch.setattr(traces, "DENSE", dense)
        agent = rlkit.make("td_lambda", "GridWorld-v0", traces=kind, alpha="0.5/n^0.2", lam=0.5)
        list(agent.updates(20_000))
        assert (agent.memories[0].traces.active.size == 1) == bool(dense)
        found.append((agent.values, agent.memories[0].traces.e))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])


def test_numbers_by_hand():
    chain = reward_chain([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [1.0, 2.0, 4.0], [1, 0, 0])
    for kind in KINDS:  # each state once in an episode: all traces are alike but for what Dutch ones owe to v_old
        agent = rlkit.make("td_lambda", chain, traces=kind, lam=0.5, gamma=0.5, alpha=0.5)
        list(agent.updates(1))
        assert agent.values.tolist() == [0.5, 0.0, 0.0]
        list(agent.updates(1))
        assert agent.values.tolist() == [0.75, 1.0, 0.0]  # δ = 2, e = 1/8, 1/2
        list(agent.updates(1))
        assert agent.values.tolist() == [0.875, 1.5, 2.0]  # δ = 4, e = 1/32, 1/8, 1/2


def test_a_second_visit_by_hand():
    # One state; half the time the episode ends. After a visit v = 1/2; the second, which is the last, has δ = 1 - 1/2.
    # Traces: 1/2 + 1/2; 1/2; 1/2 + 1/2 · 1/2, with v - v_old = 1/2 besides. The λ-return (λ = 1) gives 2/2 and stays.
    loop = reward_chain([[0.5]], [1.0])
    for kind, wanted in {"accumulating": 1.0, "replacing": 0.75, "dutch": 1.0}.items():
        agents = [
            rlkit.make("td_lambda", loop, traces=kind, lam=1.0, gamma=1.0, alpha=0.5, seed=seed) for seed in range(30)
        ]
        for agent in agents:
            list(agent.updates(2))
        ended = [
            agent for agent in agents if agent._places.now[0, ELAPSED] == 2 and agent._places.now[0, EPISODES] == 1
        ]
        assert {float(agent.values[0]) for agent in ended} == {wanted}


@pytest.mark.parametrize("lam", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_it_reaches_the_value_of_its_policy(kind, lam):
    walk = random_walk()
    agent = rlkit.make("td_lambda", walk, traces=kind, lam=lam, gamma=1.0, alpha="0.5/n^0.65", seeds=20)
    *_, last = agent.updates(100_000)
    error = agent.values.mean(axis=0) - exact.value(walk, np.full((5, 2), 0.5), 1.0)
    assert np.all(np.abs(error) <= 4 * agent.values.std(axis=0, ddof=1) / np.sqrt(20) + 0.001)
    assert last.scalars["rmse"] < 0.04


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"lam is 1.5; it must lie between 0 and 1"):
        rlkit.make("td_lambda", "GridWorld-v0", lam=1.5)
    with pytest.raises(ValueError, match="traces is 'clearing'; choose one of 'accumulating', 'replacing', 'dutch'"):
        rlkit.make("td_lambda", "GridWorld-v0", traces="clearing")
