"""n-step Sarsa with linear values: Sarsa at n = 1, n-step Sarsa of tables with one-hot features, and mountain car."""

import numpy as np
import pytest

import rlkit
from tests.follow import world


@pytest.mark.parametrize("text", ["one-hot", "tiles(2, 2)", "fourier(2)"])
def test_one_step_is_sarsa(text):
    config = {"features": text, "alpha": 0.05, "seed": 3}
    one = rlkit.make("n_step_sarsa_linear", world("FrozenLake-v1"), n=1, **config)
    other = rlkit.make("sarsa_linear", world("FrozenLake-v1"), **config)
    for agent in (one, other):
        list(agent.updates(3000))
    assert np.array_equal(one.values, other.values)


@pytest.mark.parametrize("n", [1, 3, 50])
@pytest.mark.parametrize("name", ["GridWorld-v0", "FrozenLake-v1", "Taxi-v4"])
def test_one_hot_features_make_it_the_table(name, n):
    linear, table = (
        rlkit.make(one, world(name), n=n, seed=3, alpha=0.1) for one in ("n_step_sarsa_linear", "n_step_sarsa")
    )
    for agent in (linear, table):
        list(agent.updates(3000))
    assert np.array_equal(linear.values, table.values)


def test_in_a_box_it_remembers_what_it_saw():
    """With n = 1 nothing is remembered beyond the last two observations; with n = 8, mountain car is learned as well."""
    config = {"features": "tiles(8, 8)", "epsilon": 0.0, "gamma": 1.0, "seed": 1}
    one = rlkit.make("n_step_sarsa_linear", "MountainCar-v0", n=1, alpha=0.5 / 8, **config)
    other = rlkit.make("sarsa_linear", "MountainCar-v0", alpha=0.5 / 8, **config)
    for agent in (one, other):
        list(agent.updates(1000))
    assert np.array_equal(one.memories[0].weights.w, other.memories[0].weights.w)
    agent = rlkit.make("n_step_sarsa_linear", "MountainCar-v0", n=8, alpha=0.3 / 8, **config)
    lengths = []
    for _ in agent.updates(20_000):
        lengths += agent.lengths[0].tolist()
    assert np.mean(lengths[80:]) < 175


def test_a_box_of_numbered_states_is_the_world_of_those_states():
    """The same world seen as whole numbers and as vectors, features alike: all that was remembered comes out the same."""
    import gymnasium as gym

    space = gym.spaces.Box(0.0, 15.0, (1,))
    plain = gym.make("FrozenLake-v1", max_episode_steps=30)
    boxed = gym.wrappers.TransformObservation(world("FrozenLake-v1"), lambda s: np.array([s], np.float32), space)
    table = rlkit.make("n_step_sarsa_linear", plain, n=5, features=lambda s: np.eye(16)[s], seed=4)
    box = rlkit.make("n_step_sarsa_linear", boxed, n=5, features=lambda x: np.eye(16)[int(x[0])], seed=4)
    for agent in (table, box):
        list(agent.updates(2000))
    assert np.array_equal(table.memories[0].weights.w, box.memories[0].weights.w)
    assert np.any(table.memories[0].weights.w != 0.0)


def test_n_is_checked():
    with pytest.raises(ValueError, match="n is 0"):
        rlkit.make("n_step_sarsa_linear", "GridWorld-v0", n=0)
