"""A policy as a user writes it: names, actions, probabilities, files; and what is none."""

import json
from dataclasses import asdict

import numpy as np
import pytest

import rlkit
from rlkit.learning.policy import read_policy
from tests.probes import book_2x2, random_walk

DOWN, RIGHT, STAY = 2, 1, 4


@pytest.fixture(scope="module")
def setting():
    return rlkit.make("td0", book_2x2()).setting


def test_names(setting):
    assert np.array_equal(read_policy("uniform", setting, 0.9), np.full((4, 5), 0.2))
    best = read_policy("optimal", setting, 0.9)
    assert np.array_equal(best, np.eye(5)[[DOWN, DOWN, RIGHT, STAY]])


def test_actions_probabilities_and_files_say_the_same(setting, tmp_path):
    actions = np.array([4, 0, 1, 3])
    pi = np.eye(5)[actions]
    np.save(tmp_path / "actions.npy", actions)
    np.save(tmp_path / "pi.npy", pi)
    written = [actions, actions.tolist(), tuple(actions.tolist()), pi, pi.tolist(), pi.astype(np.float32)]
    for policy in (*written, str(tmp_path / "actions.npy"), str(tmp_path / "pi.npy")):
        assert np.array_equal(read_policy(policy, setting, 0.9), pi)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("best", 'policy is \'best\'; write "uniform", "optimal" or the path of a .npy file'),
        ("nowhere.npy", "policy is 'nowhere.npy'"),
        ([0, 1, 2], r"policy has shape \(3,\); it needs \(4, 5\) probabilities, or \(4,\) whole numbers"),
        ([0.0, 1.0, 2.0, 3.0], r"policy has shape \(4,\)"),
        ([0, 1, 2, 5], r"policy has an action outside 0 \.\. 4"),
        ([0, 1, 2, -1], r"policy has an action outside 0 \.\. 4"),
        (np.full((4, 5), 0.3), r"policy of state 0 is \[0.3, .*it must be a distribution"),
        (np.full((4, 5), np.nan), "policy of state 0 is .*nan"),
        (np.eye(5)[[0, 0, 0, 0]] * [[1], [1], [-1], [1]], "policy of state 2"),
        ([[0.5, 0.5], [1.0]], "policy has rows of different lengths"),
        (["up"] * 4, "policy has the type <U2; it must hold numbers"),
        (None, "policy has the type object"),
    ],
)
def test_what_is_no_policy_is_named(setting, policy, message):
    with pytest.raises(ValueError, match=message):
        read_policy(policy, setting, 0.9)
    if not isinstance(policy, str):
        with pytest.raises(ValueError, match=message):
            rlkit.make("td0", book_2x2(), policy=policy)


def test_the_optimal_one_needs_a_model_and_an_optimum():
    with pytest.raises(ValueError, match='policy is "optimal", but the environment states no model'):
        rlkit.make("td0", "Blackjack-v1", policy="optimal")
    with pytest.raises(ValueError, match="gamma is 1"):
        rlkit.make("td0", book_2x2(), policy="optimal", gamma=1.0)


def test_no_file_brings_code(setting, tmp_path):
    np.save(tmp_path / "code.npy", np.array([print], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        read_policy(str(tmp_path / "code.npy"), setting, 0.9)


def test_arrays_become_fields_that_are_compared_hashed_and_written(tmp_path):
    pi = np.random.default_rng(0).dirichlet(np.ones(2), size=5)
    agent, twin = (rlkit.make("td0", random_walk(), policy=policy) for policy in (pi, pi.tolist()))
    assert agent.config == twin.config
    assert hash(agent.config) == hash(twin.config)
    assert agent.config.policy == tuple(map(tuple, pi.tolist()))
    assert json.loads(json.dumps(asdict(agent.config)))["policy"] == pi.tolist()
    assert rlkit.make("td0", random_walk(), policy=np.array([0, 1, 1, 1, 1])).config.policy == (0, 1, 1, 1, 1)
    config = rlkit.make("td0", random_walk(), alpha=np.float32(0.5), seeds=np.int64(2)).config
    assert [type(config.alpha), type(config.seeds)] == [float, int]

    list(agent.updates(300))
    path = rlkit.save(agent, tmp_path / "agent.npz")
    rlkit.load(twin, path)
    for one in (agent, twin):
        list(one.updates(300))
    assert np.array_equal(agent.values, twin.values)
    other = rlkit.make("td0", random_walk(), policy=pi[::-1])
    with pytest.raises(ValueError, match=r"policy is .* in the agent; build the agent with the configuration"):
        rlkit.load(other, path)


def test_a_policy_given_as_an_array_is_the_one_that_acts_and_is_judged():
    pi = np.tile([0.0, 1.0], (5, 1))  # always right: 1 from everywhere
    *_, last = rlkit.make("td0", random_walk(), policy=pi, gamma=1.0, alpha=0.5).updates(2000)
    assert last.scalars["return"] == 1.0
    assert last.scalars["rmse"] < 1e-9
