"""Compiled PPO is the torch engine's twin: the same updates, the same checkpoint; and the same numbers however many threads and runs."""

import subprocess
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.agents import ppo
from rlkit.agents.ppo.learner import PPO
from rlkit.compiled.engine import Compiled
from rlkit.compiled.ppo import build
from rlkit.policies.adam import Adam
from tests.compiled.twins import close, same

CONFIG = ppo.Config(
    envs=4, segment=24, batch=40, epochs=3, lr="linear(0.003, 0, 2000)", clip=0.1, gamma=0.98, lam=0.8, entropy=0.01,
    hidden=(24,), report=96, threads=1,
)  # fmt: skip


def run(agent, updates=2):
    for report in agent.updates(96 * updates):
        last = report
    return last


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CartPole-v1", {"value_clip": 0.1}),
        ("Pendulum-v1", {"target_kl": 0.0005, "log_std": -0.5}),
        ("rlkit:GridWorld-v0", {"batch": 96}),
    ],
)
def test_in_float64_updates_are_the_torch_engines(name, options):
    env, config = gym.make(name), replace(CONFIG, **options)
    slow, fast = PPO(env, config, 7), build(env, config, 7, np.float64)
    slow.policy.double()
    slow.player.optimizer = Adam(slow.policy.parameters(), epsilon=1e-5)
    slow.player.training.parts["optimizer"] = slow.player.optimizer
    for ours, theirs in zip(fast.updates(288), slow.updates(288), strict=True):
        assert ours.step == theirs.step
        assert list(ours.scalars) == list(theirs.scalars)
        np.testing.assert_allclose(list(ours.scalars.values()), list(theirs.scalars.values()), rtol=1e-5, atol=1e-6)
    close(fast.state_dict(), slow.state_dict(), 1e-8)


def test_numbers_are_the_same_with_one_and_two_threads():
    one, two = (rlkit.make("ppo", "CartPole-v1", **{**vars(CONFIG), "threads": threads}) for threads in (1, 2))
    assert run(one, 5) == run(two, 5)
    same(one.state_dict(), two.state_dict())


def test_a_run_is_the_same_alone_and_among_others():
    alone = rlkit.make("ppo", "CartPole-v1", seed=4, **vars(CONFIG))
    among = rlkit.make("ppo", "CartPole-v1", seed=3, **{**vars(CONFIG), "seeds": 3, "threads": 2})
    found = run(alone).scalars
    each = run(among).each
    assert {tag: values[1] for tag, values in each.items()} == found
    same(alone.state_dict(), among.state_dict()["runs"]["1"])


def test_going_on_from_a_checkpoint_is_never_having_stopped():
    through, first, then = (rlkit.make("ppo", "CartPole-v1", **vars(CONFIG)) for _ in range(3))
    run(through, 4)
    run(first)
    then.load_state_dict(first.state_dict())
    run(then)
    same(through.state_dict(), then.state_dict())


def test_either_engine_goes_on_from_the_others_checkpoint():
    fast, slow = (rlkit.make("ppo", "CartPole-v1", **{**vars(CONFIG), "engine": e}) for e in ("compiled", "torch"))
    assert isinstance(fast, Compiled)
    assert isinstance(slow, PPO)
    run(fast)
    slow.load_state_dict(fast.state_dict())
    same(slow.state_dict(), fast.state_dict())
    obs = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    assert np.array_equal(fast.act(obs), slow.act(obs))
    assert np.array_equal(fast.act(obs, explore=True), slow.act(obs, explore=True))
    fast.load_state_dict(slow.state_dict())


def test_auto_takes_torch_for_what_is_not_compiled_and_compiled_says_what_that_is():
    assert isinstance(rlkit.make("ppo", "CartPole-v1", shared=True), PPO)
    assert isinstance(rlkit.make("ppo", "FrozenLake-v1"), PPO)
    with pytest.raises(ValueError, match="engine is 'compiled', but recurrent is 4"):
        rlkit.make("ppo", "CartPole-v1", engine="compiled", recurrent=4)
    with pytest.raises(ValueError, match="there is no compiled batch of FrozenLake-v1; take 'torch'"):
        rlkit.make("ppo", "FrozenLake-v1", engine="compiled")
    with pytest.raises(ValueError, match=r"engine is 'fast'; choose one of 'auto', 'compiled', 'torch'"):
        rlkit.make("ppo", "CartPole-v1", engine="fast")


def test_a_checkpoint_of_another_net_is_refused():
    agent = rlkit.make("ppo", "CartPole-v1", **vars(CONFIG))
    other = rlkit.make("ppo", "CartPole-v1", **{**vars(CONFIG), "hidden": (8,)})
    with pytest.raises(
        ValueError, match=r"actor.0.weight has shape \[8, 4\] in the state, and \[24, 4\] in the network"
    ):
        agent.load_state_dict(other.state_dict())


def test_the_compiled_engine_loads_no_torch():
    code = "import rlkit, sys; rlkit.make('ppo', 'CartPole-v1'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter
    assert done.stdout.strip() == "False"
