"""Which planner is chosen, and that the choice can be built and solves the world."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import choose as module
from rlkit.choose import choose
from rlkit.rules import rules_from_env


@pytest.mark.parametrize(
    ("world", "gamma"),
    [
        ("GridWorld-v0", 0.9),
        ("FrozenLake-v1", 0.99),
        ("Taxi-v4", 1.0),
        ("CliffWalking-v1", 1.0),
        ("GridWorld-WindyKings-v0", 1.0),
        ("GridWorld-FourRooms-v0", 1.0),
    ],
)
def test_the_choice_solves_the_world(world, gamma):
    env = gym.make(world)
    choice = choose(env, gamma)
    agent = rlkit.make(choice.planner, env, gamma=gamma, **choice.options)
    rlkit.fit(agent)
    assert agent.converged
    assert choice.reason


def test_a_second_thread_for_a_large_world(monkeypatch):
    small = gym.make("GridWorld-Random-v0", rows=30, cols=30)
    large = gym.make("GridWorld-Random-v0", rows=250, cols=250)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 4)
    assert choose(small, 0.99).options == {}
    assert choose(large, 0.99).options == {"threads": 2}
    assert "62,500" in choose(large, 0.99).reason
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    assert choose(large, 0.99).options == {}


def test_an_mdp_and_rules_are_worlds_too():
    env = gym.make("GridWorld-Random-v0", rows=250, cols=250)
    rules = rules_from_env(env)
    assert choose(rules, 0.99) == choose(env, 0.99)
    mdp = rlkit.from_env(gym.make("FrozenLake-v1"))
    assert choose(mdp, 1.0).planner == "policy_iteration"
    assert np.isclose(mdp.start_cdf[-1], 1.0)


def _everywhere(ends, successors=3, states=400):
    """Two actions, each to `successors` states anywhere."""
    rng = np.random.default_rng(0)
    rows = 2 * states
    heads = np.concatenate([rng.choice(states, successors, replace=False) for _ in range(rows)])
    rewards = np.repeat(rng.random(rows), successors)
    probs = rng.dirichlet(np.ones(successors), rows).ravel()
    ending = rng.random(len(heads)) < ends
    return rlkit.from_arrays(np.arange(rows + 1) * successors, heads, probs, rewards, ending, n_actions=2)


@pytest.mark.parametrize(
    ("mdp", "planner"),
    [
        (_everywhere(0.0), "value_iteration"),
        (_everywhere(0.01), "inexact_policy_iteration"),
        (_everywhere(0.0, successors=1), "inexact_policy_iteration"),  # deterministic: it forgets nothing
    ],
)
@pytest.mark.parametrize("gamma", [0.9, 0.999])
def test_where_transitions_lead_everywhere_no_block_rests(mdp, planner, gamma):
    choice = choose(mdp, gamma)
    assert choice.planner == planner
    agent = rlkit.make(choice.planner, mdp, gamma=gamma, **choice.options)
    rlkit.fit(agent)
    assert agent.converged
    exact = rlkit.make("policy_iteration", mdp, gamma=gamma)
    rlkit.fit(exact)
    assert np.abs(agent.v - exact.v).max() <= agent.bound + exact.bound


def test_a_chain_of_neighbours_is_swept_in_blocks():
    states = 300
    rows = np.repeat(np.arange(states), 2)
    heads = np.clip(rows + np.tile([-1, 1], states), 0, states - 1)
    mdp = rlkit.from_arrays(
        np.arange(2 * states + 1), heads, np.ones(2 * states), rows / states, np.zeros(2 * states, bool), n_actions=2
    )
    assert choose(mdp, 0.99).planner == "prioritized_sweeping"
