"""Every agent that learns from samples: compiled equals stepped, many seeds equal single runs, resume equals never stopped."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import agents
from rlkit.learning.config import Learning
from rlkit.learning.memory import arrays
from tests import one_state  # noqa: F401 - registers OneState-v0

NAMES = [name for name in agents.names() if issubclass(agents.load(name).Config, Learning)]
WORLDS = ["FrozenLake-v1", "GridWorld-v0", "CliffWalking-v1", "Taxi-v4"]
# What an agent needs on a world of a few steps' tests beyond its defaults.
OPTIONS: dict[str, dict[str, object]] = {
    "mc_basic": {"length": 5},
}


def worlds_of(name):
    """Where an agent can learn at all, the world of most tests first."""
    return ["OneState-v0"] if name.endswith("_bandit") else WORLDS


def build(name, world=None, **config):
    env = gym.make(world or worlds_of(name)[0], max_episode_steps=30)
    return rlkit.make(name, env, **{**OPTIONS.get(name, {}), **config})


def run(agent, steps):
    return list(agent.updates(steps))


def assert_equal(one, other):
    for (key, found), (_, wanted) in zip(arrays(one._stacked), arrays(other._stacked), strict=True):
        assert np.array_equal(found, wanted, equal_nan=True), key
    for key in ("now", "total"):
        assert np.array_equal(getattr(one._places, key), getattr(other._places, key)), key


@pytest.mark.parametrize(("name", "world"), [(name, world) for name in NAMES for world in worlds_of(name)])
def test_compiled_equals_stepped(name, world):
    compiled, stepped = (build(name, world, engine=engine, seed=5) for engine in ("compiled", "stepped"))
    for agent in (compiled, stepped):
        run(agent, 3000)
    assert compiled._places.now[0, 4] > 5, "no episode has ended, so that little is compared"
    assert_equal(compiled, stepped)
    assert np.array_equal(compiled.values, stepped.values)
    assert np.any(compiled.values != 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_each_of_many_seeds_equals_its_own_run(name):
    many = build(name, seeds=3, seed=7)
    run(many, 500)
    for i in range(3):
        single = build(name, seed=7 + i)
        run(single, 500)
        assert np.array_equal(many.values[i], single.values)


@pytest.mark.parametrize("engine", ["compiled", "stepped"])
@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_equals_never_stopped(name, engine, tmp_path):
    whole = build(name, engine=engine, seeds=2)
    run(whole, 777)
    first = build(name, engine=engine, seeds=2)
    run(first, 333)
    path = rlkit.save(first, tmp_path / "agent.npz")
    second = build(name, engine=engine, seeds=2)
    rlkit.load(second, path)
    run(second, 444)
    assert_equal(whole, second)


@pytest.mark.parametrize("name", NAMES)
def test_reporting_more_often_changes_nothing(name):
    seldom, often = build(name, report=500), build(name, report=7)
    run(seldom, 500)
    run(often, 500)
    assert_equal(seldom, often)


@pytest.mark.parametrize("name", NAMES)
def test_acting_changes_nothing(name):
    one, other = build(name), build(name)
    for agent in (one, other):
        for _ in range(5):
            run(agent, 40)
            if agent is one:
                last = one.setting.n_states - 1
                one.act(last)
                one.act([0, last // 2, last], explore=True)
    assert_equal(one, other)
