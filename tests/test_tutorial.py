"""The world and the agents that the speed is compared with: the rules of GridWorld-v0, and values that are right."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import rlkit
from rlkit import exact
from tests.probes import book_5x5

PATH = Path(__file__).parents[1] / "benchmarks" / "tutorial.py"
SPEC = importlib.util.spec_from_file_location("tutorial", PATH)
tutorial = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tutorial)


def test_its_rules_are_those_of_our_world():
    env, _ = tutorial.make(tutorial.NAME)
    env.reset(seed=0)
    world, mdp = env.unwrapped, book_5x5()
    for s in range(25):
        for a in range(5):
            world.agent = np.array(divmod(s, 5))
            obs, reward, terminated, truncated, _ = env.step(a)
            outcome = mdp.indptr[5 * s + a]
            assert mdp.indptr[5 * s + a + 1] == outcome + 1
            assert (5 * obs["agent"][0] + obs["agent"][1], reward) == (mdp.next_state[outcome], mdp.reward[outcome])
            assert not terminated
            assert not truncated
            assert obs in env.observation_space


@pytest.mark.parametrize("learn", [tutorial.plain_q_learning, tutorial.plain_sarsa])
def test_its_agents_come_to_the_exact_values(learn, monkeypatch):
    monkeypatch.setattr(tutorial, "EPSILON", 1.0)
    monkeypatch.setattr(tutorial, "ALPHA", 0.3)
    np.random.seed(0)  # noqa: NPY002 - it draws from there
    agent = learn(tutorial.NAME)(30_000)
    q = np.array([agent.q[*divmod(s, 5), 3, 2] for s in range(25)])
    if learn is tutorial.plain_q_learning:
        best = rlkit.make("policy_iteration", "GridWorld-v0")
        list(best.updates(100))
        assert np.abs(q.max(axis=1) - best.v).max() < 0.1
    else:
        v = exact.value(book_5x5(), np.full((25, 5), 0.2), 0.9)
        assert abs(q.mean() - v.mean()) < 0.4
