"""The compiled world draws what the environment draws: the same states, rewards and ends from the same seed."""

import gymnasium as gym
import numpy as np
import pytest

from rlkit.tabular.random import env_stream, to_generator
from rlkit.tabular.world import FOREVER, compiled_world, draw_outcome, draw_start, time_limit

WORLDS = [
    ("GridWorld-v0", {}),
    ("GridWorld-v0", {"slip": 0.3, "start": "uniform", "target": "terminal"}),
    ("GridWorld-WindyStochastic-v0", {}),
    ("GridWorld-Random-v0", {"rows": 7, "cols": 4, "slip": 0.2}),
    ("FrozenLake-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("CliffWalking-v1", {}),
    ("Taxi-v4", {}),
    ("Taxi-v4", {"is_rainy": True}),
]


@pytest.mark.parametrize(("name", "options"), WORLDS)
def test_the_world_goes_where_the_environment_goes(name, options):
    env = gym.make(name, **options).unwrapped
    world, stream = compiled_world(env), env_stream(9)
    actions = np.random.default_rng(0)
    s, _ = env.reset(seed=9)
    assert draw_start(world, stream) == s
    for step in range(2000):
        a = int(actions.integers(world.n_actions))
        k = draw_outcome(world, int(s), a, stream)
        s, r, terminated, _, _ = env.step(a)
        assert (world.next_state[k], world.reward[k], world.terminated[k]) == (s, r, terminated)
        if terminated or step % 97 == 96:
            s, _ = env.reset()
            assert draw_start(world, stream) == s
    assert to_generator(stream[0]).bit_generator.state == env.np_random.bit_generator.state


def test_the_time_limit_is_found_under_wrappers():
    assert compiled_world(gym.make("FrozenLake-v1", max_episode_steps=17)).limit == 17
    assert time_limit(gym.make("GridWorld-v0").unwrapped) == FOREVER


def test_what_cannot_be_compiled_is_stepped():
    assert compiled_world(gym.make("Blackjack-v1")) is None
    assert compiled_world(gym.make("Taxi-v4", fickle_passenger=True)) is None
    assert compiled_world(gym.make("GridWorld-DynaBlocking-v0")) is None
    assert compiled_world(gym.wrappers.TransformReward(gym.make("FrozenLake-v1"), lambda r: 2 * r)) is None
