"""The off-line λ-return algorithm of the figures against n-step TD, on the same walks."""

import numpy as np

import rlkit
from benchmarks.figures.runs import values_by_episode
from benchmarks.figures.sutton_barto_12 import TRUTH, WALK, _learn_off_line
from rlkit.tabular.random import agent_stream, to_generator

EPISODES = 10


def walks(seed):
    """The walks that a prediction agent takes: one draw decides each step, and one more is made at each end."""
    rng = to_generator(agent_stream(seed)[0])
    states, rewards, ends = [], [], []
    for _ in range(EPISODES):
        s, right = 9, rng.random() >= 0.5
        while 0 <= s < 19:
            states.append(s)
            s += 1 if right else -1
            rewards.append(float(s == 19) - float(s == -1))
            right = rng.random() >= 0.5
        ends.append(len(states))
    return np.array(states), np.array(rewards), np.array(ends)


def test_with_lambda_1_it_is_monte_carlo_to_the_last_bit():
    for seed in range(3):
        agent = rlkit.make("n_step_td", WALK, gamma=1.0, n=100_000, alpha=0.05, seed=seed)
        expected = values_by_episode(agent, np.arange(1, EPISODES + 1))[0]
        np.testing.assert_array_equal(_learn_off_line(*walks(seed), 1.0, 0.05), expected)


def test_with_lambda_0_its_targets_are_those_of_td0_from_the_episodes_start():
    states, rewards, ends = walks(0)
    v, found = np.zeros(19), _learn_off_line(states, rewards, ends, 0.0, 0.1)
    first = 0
    for k, end in enumerate(ends):
        old = v.copy()
        for t in range(first, end):
            target = rewards[t] + (old[states[t + 1]] if t + 1 < end else 0.0)
            v[states[t]] += 0.1 * (target - v[states[t]])
        np.testing.assert_allclose(found[k], v, atol=1e-14)
        first = end


def test_the_true_values_of_the_walk():
    np.testing.assert_allclose(TRUTH, np.arange(-9, 10) / 10, atol=1e-12)
