"""Compiled A2C is the torch engine's twin: the same updates, the same checkpoint."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.agents import a2c
from rlkit.agents.a2c.learner import A2C
from rlkit.compiled.a2c import build
from rlkit.compiled.engine import Compiled
from rlkit.policies.adam import Adam
from tests.compiled.twins import close, same

CONFIG = a2c.Config(
    envs=4,
    segment=24,
    lr="linear(0.003, 0, 2000)",
    gamma=0.98,
    lam=0.9,
    entropy=0.01,
    hidden=(24,),
    report=96,
    threads=1,
)


def run(agent, updates=2):
    for report in agent.updates(96 * updates):
        last = report
    return last


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CartPole-v1", {"lam": 1.0}),
        ("Pendulum-v1", {"log_std": -0.5}),
        ("rlkit:GridWorld-v0", {"activation": "relu"}),
    ],
)
def test_in_float64_updates_are_the_torch_engines(name, options):
    env, config = gym.make(name, max_episode_steps=50), replace(CONFIG, **options)
    slow, fast = A2C(env, config, 7), build(env, config, 7, np.float64)
    slow.policy.double()
    slow.player.optimizer = slow.player.training.parts["optimizer"] = Adam(slow.policy.parameters(), epsilon=1e-5)
    for ours, theirs in zip(fast.updates(960), slow.updates(960), strict=True):
        assert ours.step == theirs.step
        assert list(ours.scalars) == list(theirs.scalars)
        np.testing.assert_allclose(list(ours.scalars.values()), list(theirs.scalars.values()), rtol=1e-5, atol=1e-6)
    close(fast.state_dict(), slow.state_dict(), 1e-8)


def test_numbers_are_the_same_with_one_and_two_threads():
    one, two = (rlkit.make("a2c", "CartPole-v1", **{**vars(CONFIG), "threads": threads}) for threads in (1, 2))
    assert run(one, 5) == run(two, 5)
    same(one.state_dict(), two.state_dict())


def test_going_on_from_a_checkpoint_is_never_having_stopped_and_either_engine_can():
    through, first, then = (rlkit.make("a2c", "CartPole-v1", **vars(CONFIG)) for _ in range(3))
    assert isinstance(through, Compiled)
    run(through, 4)
    run(first)
    slow = rlkit.make("a2c", "CartPole-v1", **{**vars(CONFIG), "engine": "torch"})
    assert isinstance(slow, A2C)
    slow.load_state_dict(first.state_dict())
    same(slow.state_dict(), first.state_dict())
    then.load_state_dict(slow.state_dict())
    run(then)
    same(through.state_dict(), then.state_dict())


def test_what_is_not_compiled_is_named():
    assert isinstance(rlkit.make("a2c", "CartPole-v1", shared=True), A2C)
    with pytest.raises(ValueError, match="engine is 'compiled', but recurrent is 4; take 'torch', or 'auto'"):
        rlkit.make("a2c", "CartPole-v1", engine="compiled", recurrent=4)
