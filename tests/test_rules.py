"""Rules found in arrays: the grid's own, bit for bit; none where there are none; and never wrong ones, whatever the hash says."""

import gymnasium as gym
import numpy as np
import pytest

import envs
from envs.rules import expand
from rlkit import rules as rules_module
from rlkit.mdp import from_env
from rlkit.rules import Rules, absorbing, find_rules, rules_from_env
from tests.probes import random_mdp


def written_out(rules, n_actions):
    """The arrays of an MDP from rules, one outcome at a time."""
    rows, indptr = [], [0]
    for s, rule in enumerate(rules.rule):
        for row in range(rule * n_actions, (rule + 1) * n_actions):
            k = range(rules.indptr[row], rules.indptr[row + 1])
            rows += [(s + rules.offset[i], rules.prob[i], rules.reward[i], rules.terminated[i]) for i in k]
            indptr.append(len(rows))
    return np.array(indptr), *(np.array(column) for column in zip(*rows, strict=True))


def same_arrays(mdp, arrays):
    given = (mdp.indptr, mdp.next_state, mdp.prob, mdp.reward, mdp.terminated)
    return all(np.array_equal(x, y) for x, y in zip(given, arrays, strict=True))


@pytest.mark.parametrize("arguments", [{}, {"slip": 0.2}, {"actions": 5, "target": "continuing"}, {"actions": 9}])
def test_the_rules_of_a_grid_are_found_in_its_transitions(arguments):
    env = gym.make("GridWorld-Random-v0", rows=23, cols=31, **arguments)
    mdp, own = from_env(env), env.unwrapped.rules
    found = find_rules(mdp)
    assert found is not None
    pairs = set(zip(own.rule.tolist(), found.rule.tolist(), strict=True))
    assert len(pairs) == len({b for _, b in pairs}) == len({a for a, _ in pairs})  # the same states share a rule
    assert same_arrays(mdp, written_out(found, mdp.n_actions))
    assert same_arrays(mdp, expand(envs_rules(found), mdp.n_actions))


def envs_rules(rules):
    from envs.rules import Rules as EnvRules

    return EnvRules(*rules)


def test_rules_are_found_wherever_few_states_differ():
    for name in ("GridWorld-FourRooms-v0", "GridWorld-DynaMaze-v0"):
        mdp = from_env(gym.make(name))
        found = find_rules(mdp)
        if found is not None:
            assert same_arrays(mdp, written_out(found, mdp.n_actions))
    lake = from_env(gym.make("FrozenLake-v1", desc=["S" + "F" * 39, *["F" * 40] * 38, "F" * 39 + "G"]))
    found = find_rules(lake)
    assert found.rule.max() < 20
    assert same_arrays(lake, written_out(found, 4))


def test_random_mdps_have_no_rules():
    rng = np.random.default_rng(0)
    for _ in range(50):
        mdp = random_mdp(rng, max_states=60)
        found = find_rules(mdp)
        if found is not None:  # a few states without much choice may share one after all
            assert same_arrays(mdp, written_out(found, mdp.n_actions))
            assert found.rule.max() + 1 <= mdp.n_states / 4
        else:
            distinct = len({bytes_of(mdp, s) for s in range(mdp.n_states)})
            assert distinct > mdp.n_states / 4


def bytes_of(mdp, s):
    rows = []
    for row in range(s * mdp.n_actions, (s + 1) * mdp.n_actions):
        part = slice(mdp.indptr[row], mdp.indptr[row + 1])
        rows.append((mdp.next_state[part] - s).tobytes() + mdp.prob[part].tobytes() + mdp.reward[part].tobytes())
        rows.append(mdp.terminated[part].tobytes())
    return tuple(rows)


def test_colliding_hashes_make_no_rules(monkeypatch):
    mdp = from_env(gym.make("GridWorld-Random-v0", rows=10, cols=10))
    assert find_rules(mdp) is not None
    monkeypatch.setattr(rules_module, "_fingerprints", lambda *_: np.zeros(100, np.uint64))
    assert find_rules(mdp) is None
    true_marks = rules_from_env(gym.make("GridWorld-Random-v0", rows=10, cols=10)).rule.astype(np.uint64)
    for s in range(100):  # one state with another's hash is enough to be refused
        marks = true_marks.copy()
        marks[s] = marks[(s + 1) % 100]
        monkeypatch.setattr(rules_module, "_fingerprints", lambda *_, marks=marks: marks)
        assert (find_rules(mdp) is None) == (true_marks[s] != true_marks[(s + 1) % 100])


@pytest.mark.parametrize("part", ["next_state", "prob", "reward", "terminated", "indptr"])
def test_the_comparison_sees_every_difference(part):
    mdp = from_env(gym.make("GridWorld-Random-v0", rows=10, cols=10, slip=0.5, actions=4))
    rules = find_rules(mdp)
    first = np.array([np.flatnonzero(rules.rule == rule)[0] for rule in range(rules.rule.max() + 1)])
    shared = int(np.flatnonzero(~np.isin(np.arange(100), first))[7])
    k = mdp.indptr[shared * 4]
    changed = {name: getattr(mdp, name).copy() for name in ("indptr", "next_state", "prob", "reward", "terminated")}

    def agrees():
        return rules_module._agrees(*changed.values(), 4, first, rules.rule.astype(np.int64))

    assert agrees()
    if part == "terminated":
        changed[part][k] ^= True
    elif part == "indptr":
        changed[part][shared * 4 + 1] += 1
    elif part == "next_state":
        changed[part][k] += 1
    else:
        changed[part][k] = np.nextafter(changed[part][k], 2.0)
    assert not agrees()


def test_hashes_tell_states_apart_by_what_their_actions_do():
    env = gym.make("GridWorld-Random-v0", rows=25, cols=25, slip=0.3, actions=4)
    mdp = from_env(env)
    marks = rules_module._fingerprints(mdp.indptr, mdp.next_state, mdp.prob, mdp.reward, mdp.terminated, 4)
    kinds = [bytes_of(mdp, s) for s in range(mdp.n_states)]
    assert len(set(marks.tolist())) == len(set(kinds))
    assert len(set(zip(marks.tolist(), kinds, strict=True))) == len(set(kinds))


def test_what_an_environment_states():
    own = rules_from_env(gym.make("GridWorld-v0"))
    assert isinstance(own, Rules)
    assert rules_from_env(gym.make("FrozenLake-v1")) is None
    assert rules_from_env(gym.wrappers.ClipReward(gym.make("GridWorld-v0"), 0, 1)) is None
    odd = gym.make("FrozenLake-v1")
    odd.unwrapped.rules = ("up", "down")
    assert rules_from_env(odd) is None
    assert set(envs.IDS) >= {"GridWorld-v0"}


def test_absorbing_states_are_walls_and_targets_that_end():
    env = gym.make("GridWorld-v0", layout=["S#.", "X.T"], target="terminal")
    np.testing.assert_array_equal(absorbing(env.unwrapped.rules), [False, True, False, False, False, True])
    assert not absorbing(gym.make("GridWorld-v0").unwrapped.rules).any()
