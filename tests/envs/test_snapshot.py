"""Snapshots of batches: a batch that is brought back goes on with the same numbers, and a state of another batch is refused."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import envs
from tests.envs.twins import masked, same

N = 5
WORLDS = [
    ("GridWorld-v0", {}),
    ("GridWorld-v0", {"slip": 0.3, "target": "terminal", "max_episode_steps": 6}),
    ("GridWorld-v0", {"layout": "dyna-blocking", "change_at": 9, "start": "uniform", "max_episode_steps": 8}),
    *((f"rlkit/{name}", {}) for name in envs.CLASSIC if name != "CartPole-v0"),  # of which Gymnasium warns
]


def made(name, arguments, mode=AutoresetMode.SAME_STEP, n=N):
    return gym.make_vec(name, n, autoreset_mode=mode, **arguments)


def actions_of(batch, rng):
    space = batch.single_action_space
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(0, space.n, batch.num_envs)
    return rng.uniform(space.low, space.high, (batch.num_envs, 1)).astype(np.float32)


def advance(batch, rng, steps, mode):
    out = []
    for _ in range(steps):
        out.append(batch.step(actions_of(batch, rng)))
        if mode is AutoresetMode.DISABLED and (out[-1][2] | out[-1][3]).any():
            out.append(batch.reset(options=masked(*out[-1][2:4])))
    return out


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(("name", "arguments"), WORLDS)
def test_a_batch_that_is_brought_back_goes_on_as_if_never_stopped(name, arguments, mode):
    batch, other = made(name, arguments, mode), made(name, arguments, mode)
    obs, _ = batch.reset(seed=3)
    advance(batch, np.random.default_rng(0), 20, mode)
    saved = batch.unwrapped.state()
    kept = {key: array.copy() for key, array in saved.items()}
    ahead = advance(batch, np.random.default_rng(1), 60, mode)
    assert all(np.array_equal(saved[key], kept[key]) for key in kept)
    back = other.unwrapped.restore(saved)
    assert back.dtype == obs.dtype
    for left, right in zip(ahead, advance(other, np.random.default_rng(1), 60, mode), strict=True):
        same(left, right)
    assert np.array_equal(batch.unwrapped.restore(saved), back)


def test_the_observation_comes_back_with_the_state():
    batch = made("rlkit/Pendulum-v1", {})
    batch.reset(seed=0)
    obs = batch.step(np.ones((N, 1), np.float32))[0]
    state = batch.unwrapped.state()
    batch.reset(seed=9)
    assert np.array_equal(batch.unwrapped.restore(state), obs)
    assert batch.unwrapped.np_random_seed == (-1,) * N


def test_a_state_of_another_batch_is_refused_and_nothing_moves():
    batch = made("GridWorld-v0", {})
    batch.reset(seed=0)
    before = batch.unwrapped.state()
    with pytest.raises(ValueError, match=r"state is int32\[3\] in the state; this batch has int32\[5\]"):
        batch.unwrapped.restore(made("GridWorld-v0", {}, n=3).unwrapped.state())
    with pytest.raises(ValueError, match="the state has elapsed, over, rng, state; this batch has elapsed, rng"):
        batch.unwrapped.restore(made("rlkit/CartPole-v1", {}).unwrapped.state() | {"state": before["state"]})
    with pytest.raises(ValueError, match=r"state is .* in the state; this world has 0 .. 49"):
        batch.unwrapped.restore({**before, "state": before["state"] + 50})
    after = batch.unwrapped.state()
    assert all(np.array_equal(before[key], after[key]) for key in before)
