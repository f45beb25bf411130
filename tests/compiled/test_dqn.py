"""Compiled DQN is the torch engine's twin: the same draws, updates and checkpoint; and the same numbers however many threads and runs."""

import subprocess
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from rlkit.agents import dqn
from rlkit.agents.dqn.learner import DQN, MEAN
from rlkit.compiled.dqn import build
from rlkit.compiled.engine import Compiled
from rlkit.policies.adam import Adam
from rlkit.policies.target import Target
from tests.compiled.twins import close, same

CONFIG = dqn.Config(
    envs=2, warmup=40, train_every=8, gradient_steps=3, batch=70, target_every=48, capacity=300, hidden=(24, 40),
    lr="linear(0.002, 0.0005, 600)", epsilon="linear(1, 0.1, 300)", max_grad_norm=0.4, report=96, threads=1,
)  # fmt: skip


def run(agent, steps=192):
    for report in agent.updates(steps):
        last = report
    return last


def in_float64(env, config, seed):
    """The torch engine, whose worlds and draws are as ever."""
    agent = DQN(env, config, seed, MEAN)
    agent.net.double()
    agent.target, agent.optimizer = Target(agent.net), Adam(agent.net.parameters())
    agent.net.eyes.register_forward_pre_hook(
        lambda _, given: tuple(obs.double() if obs.is_floating_point() else obs for obs in given)
    )
    return agent


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CartPole-v1", {}),
        ("CartPole-v1", {"double": False, "n_step": 3, "tau": 0.3, "activation": "tanh"}),
        pytest.param("Acrobot-v1", {"batch": 20, "envs": 1}, marks=pytest.mark.slow),
        pytest.param("MountainCar-v0", {"epsilon": 0.5}, marks=pytest.mark.slow),
        ("rlkit:GridWorld-v0", {"batch": 64, "hidden": (32,)}),
    ],
)
def test_in_float64_updates_are_the_torch_engines(name, options):
    env, config = gym.make(name, max_episode_steps=60), replace(CONFIG, **options)
    slow, fast = in_float64(env, config, 7), build(env, config, 7, np.float64)
    for ours, theirs in zip(fast.updates(720), slow.updates(720), strict=True):  # the memory has come round
        assert ours.step == theirs.step
        assert list(ours.scalars) == list(theirs.scalars)
        np.testing.assert_allclose(list(ours.scalars.values()), list(theirs.scalars.values()), rtol=1e-5, atol=1e-6)
    assert fast.state_dict()["optimizer"]["count"] > 200
    close(fast.state_dict(), slow.state_dict(), 1e-8)


def test_in_float32_they_stay_close():
    fast, slow = (rlkit.make("dqn", "CartPole-v1", **{**vars(CONFIG), "engine": e}) for e in ("compiled", "torch"))
    assert run(fast, 96).scalars == pytest.approx(run(slow, 96).scalars, rel=1e-4, abs=1e-6)
    close(fast.state_dict(), slow.state_dict(), 1e-4)


def test_numbers_are_the_same_with_one_and_two_threads():
    one, two = (rlkit.make("dqn", "CartPole-v1", **{**vars(CONFIG), "threads": threads}) for threads in (1, 2))
    assert run(one, 400) == run(two, 400)
    same(one.state_dict(), two.state_dict())


def test_a_run_is_the_same_alone_and_among_others():
    alone = rlkit.make("dqn", "CartPole-v1", seed=4, **vars(CONFIG))
    among = rlkit.make("dqn", "CartPole-v1", seed=3, **{**vars(CONFIG), "seeds": 3, "threads": 2})
    found = run(alone).scalars
    each = run(among).each
    assert {tag: values[1] for tag, values in each.items()} == found
    same(alone.state_dict(), among.state_dict()["runs"]["1"])


@pytest.mark.parametrize(("name", "dtype"), [("CartPole-v1", np.float32), ("rlkit:GridWorld-v0", np.float64)])
def test_going_on_from_a_checkpoint_is_never_having_stopped(name, dtype):
    env = gym.make(name, max_episode_steps=30)
    through, first, then = (build(env, CONFIG, 0, dtype) for _ in range(3))
    run(through, 800)
    run(first, 400)
    then.load_state_dict(first.state_dict())
    run(then, 400)
    same(through.state_dict(), then.state_dict())


def test_reports_and_pieces_change_nothing():
    rare, often = (rlkit.make("dqn", "CartPole-v1", **{**vars(CONFIG), "report": every}) for every in (2, 2000))
    run(rare, 2000)
    run(often, 2000)
    left, right = rare.state_dict(), often.state_dict()
    same(left["net"], right["net"])
    same(left["experience"]["replay"], right["experience"]["replay"])


@pytest.mark.parametrize("name", ["CartPole-v1", pytest.param("rlkit:GridWorld-v0", marks=pytest.mark.slow)])
def test_either_engine_goes_on_from_the_others_checkpoint(name):
    env = gym.make(name, max_episode_steps=25)
    fast, slow = (rlkit.make("dqn", env, engine=e, **_but_engine()) for e in ("compiled", "torch"))
    assert isinstance(fast, Compiled)
    assert isinstance(slow, DQN)
    run(fast, 400)
    slow.load_state_dict(fast.state_dict())
    same(slow.state_dict(), fast.state_dict())
    obs = env.observation_space.sample()
    batch = np.stack([env.observation_space.sample() for _ in range(20)])
    for seen in (obs, batch):
        assert np.array_equal(fast.act(seen), slow.act(seen))
    run(slow, 96)
    run(fast, 96)
    close(fast.state_dict(), slow.state_dict(), 1e-3)
    assert np.array_equal(fast.act(batch, explore=True), slow.act(batch, explore=True))
    fast.load_state_dict(slow.state_dict())
    same(fast.state_dict(), slow.state_dict())


def test_auto_takes_torch_for_what_is_not_compiled_and_compiled_says_what_that_is():
    assert isinstance(rlkit.make("dqn", "CartPole-v1"), Compiled)
    for options in ({"dueling": True}, {"prioritized": 0.5}, {"recurrent": 4}, {"activation": "elu"}):
        assert isinstance(rlkit.make("dqn", "CartPole-v1", **options), DQN)
        (name, value), *_ = options.items()
        with pytest.raises(ValueError, match=f"engine is 'compiled', but {name} is {value!r}; take 'torch', or 'auto'"):
            rlkit.make("dqn", "CartPole-v1", engine="compiled", **options)
    assert isinstance(rlkit.make("dqn", "FrozenLake-v1"), DQN)
    with pytest.raises(ValueError, match="there is no compiled batch of FrozenLake-v1; take 'torch'"):
        rlkit.make("dqn", "FrozenLake-v1", engine="compiled")
    with pytest.raises(ValueError, match="engine is 'compiled', but actions are Box"):
        rlkit.make("dqn", "Pendulum-v1", engine="compiled")
    with pytest.raises(ValueError, match="engine is 'compiled', but distributions of the return are learned"):
        rlkit.make("c51", "CartPole-v1", engine="compiled")
    with pytest.raises(ValueError, match=r"engine is 'fast'; choose one of 'auto', 'compiled', 'torch'"):
        rlkit.make("dqn", "CartPole-v1", engine="fast")


def test_checkpoints_of_other_nets_and_memories_are_refused():
    agent = rlkit.make("dqn", "CartPole-v1", **vars(CONFIG))
    wider, larger = (
        rlkit.make("dqn", "CartPole-v1", **{**vars(CONFIG), name: value})
        for name, value in (("hidden", (8,)), ("capacity", 400))
    )
    with pytest.raises(ValueError, match=r"advantage.0.weight has shape \[8, 4\] in the state, and \[24, 4\]"):
        agent.load_state_dict(wider.state_dict())
    with pytest.raises(ValueError, match="the state remembers up to 200 steps of each world; this agent 150"):
        agent.load_state_dict(larger.state_dict())


def test_greedy_actions_are_the_nets_largest_outputs():
    agent = rlkit.make("dqn", "Acrobot-v1", hidden=(16,), seed=5)
    weights = {name: torch.from_numpy(array) for name, array in agent.state_dict()["net"].items()}
    obs = np.random.default_rng(0).normal(size=(90, 6)).astype(np.float32)
    hidden = torch.relu(torch.from_numpy(obs) @ weights["advantage.0.weight"].T + weights["advantage.0.bias"])
    q = hidden @ weights["advantage.2.weight"].T + weights["advantage.2.bias"]
    assert np.array_equal(agent.act(obs), q.argmax(1).numpy())
    assert len(np.unique(agent.act(obs))) > 1


def _but_engine():
    return {name: value for name, value in vars(CONFIG).items() if name != "engine"}


def test_the_compiled_engine_loads_no_torch():
    code = "import rlkit, sys; rlkit.make('dqn', 'CartPole-v1'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter
    assert done.stdout.strip() == "False"
