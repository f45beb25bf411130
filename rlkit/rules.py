"""Local rules: a finite MDP in which many states share one rule, p(s + offset, r | s, a) = p(offset, r | rule[s], a)."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numba import njit
from numpy.typing import NDArray

from rlkit.arrays import Bools, Floats, Ints
from rlkit.mdp import MDP, from_arrays, transparent_base

_MOST_RULES = 1 << 14  # more than this and a table of rules is no smaller world than the states themselves


class Rules(NamedTuple):
    """The transition arrays of an MDP in rules; the row of an action is `rule * n_actions + action`."""

    rule: NDArray[np.int32]  # [S]
    indptr: NDArray[np.int64]  # [R*A + 1]
    offset: NDArray[np.int32]  # [K]  successor minus state
    prob: NDArray[np.float64]  # [K]
    reward: NDArray[np.float64]  # [K]
    terminated: NDArray[np.bool_]  # [K]


def rules_from_env(env: gym.Env[Any, Any]) -> Rules | None:
    """Return the rules an environment states in `env.unwrapped.rules`, or None where it states none."""
    rules: Any = getattr(transparent_base(env), "rules", None)
    return Rules(*rules) if getattr(rules, "_fields", None) == Rules._fields else None


def checked_rules(rules: Rules) -> Rules:
    """Return rules that may have been put together by hand in the types that their fields name.

    Raises:
        ValueError: naming the rule and action `P[rule][action]` that has no distribution, or a state that a rule leads out of.
    """
    rule, offset = np.asarray(rules.rule), np.asarray(rules.offset)
    if rule.dtype.kind not in "iu" or rule.ndim != 1 or not rule.size or rule.min() < 0:
        raise ValueError(f"rule is {rule}; it holds the number of a rule, 0 or more, for each state")
    if offset.dtype.kind not in "iu" or offset.shape != np.shape(rules.prob):
        raise ValueError(f"offset has dtype {offset.dtype} and shape {offset.shape}; prob has {np.shape(rules.prob)}")
    n_actions = (len(rules.indptr) - 1) // (int(rule.max()) + 1)
    home = np.zeros(len(offset), np.int32)
    table = from_arrays(rules.indptr, home, rules.prob, rules.reward, rules.terminated, n_actions=n_actions)
    if table.n_states != rule.max() + 1:
        raise ValueError(
            f"indptr has {len(rules.indptr)} entries; {rule.max() + 1} rules need as many for each action, + 1"
        )
    first = table.indptr[:-1:n_actions]
    for reach in (np.minimum.reduceat(offset, first), np.maximum.reduceat(offset, first)):
        to = np.arange(len(rule)) + reach[rule]
        out = (to < 0) | (to >= len(rule))
        if out.any():
            s = int(np.argmax(out))
            raise ValueError(f"rule {rule[s]} leads from state {s} to {to[s]}; states are 0 .. {len(rule) - 1}")
    return Rules(
        np.ascontiguousarray(rule, np.int32),
        table.indptr,
        np.ascontiguousarray(offset, np.int32),
        table.prob,
        table.reward,
        table.terminated,
    )


def absorbing(rules: Rules) -> NDArray[np.bool_]:
    """Mark [S] the states that every action ends in at once: walls and targets that have been reached."""
    n_rules = int(rules.rule.max()) + 1
    ends = np.asarray(np.logical_and.reduceat(rules.terminated & (rules.offset == 0), rules.indptr[:-1]))
    every = np.asarray(ends.reshape(n_rules, -1).all(axis=1))
    marked: NDArray[np.bool_] = every[rules.rule]
    return marked


def find_rules(mdp: MDP) -> Rules | None:
    """Find the rules in the arrays of an MDP, or return None where states share too few of them to gain anything.

    Two states have the same rule when their outcomes are equal, bit for bit, once successors are written as offsets.
    Reads every outcome twice: once for a hash, once to compare with the rule's first state.
    """
    mark = _fingerprints(mdp.indptr, mdp.next_state, mdp.prob, mdp.reward, mdp.terminated, mdp.n_actions)
    _, first, rule = np.unique(mark, return_index=True, return_inverse=True)
    if len(first) > min(_MOST_RULES, mdp.n_states // 4):
        return None
    if not _agrees(mdp.indptr, mdp.next_state, mdp.prob, mdp.reward, mdp.terminated, mdp.n_actions, first, rule):
        return None
    rows = (first[:, None] * mdp.n_actions + np.arange(mdp.n_actions)).ravel()
    width = np.diff(mdp.indptr)[rows]
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(width)])
    picked = np.repeat(mdp.indptr[rows] - indptr[:-1], width) + np.arange(indptr[-1])
    state = np.repeat(rows // mdp.n_actions, width)
    return Rules(
        rule=rule.astype(np.int32),
        indptr=indptr,
        offset=(mdp.next_state[picked] - state).astype(np.int32),
        prob=mdp.prob[picked],
        reward=mdp.reward[picked],
        terminated=mdp.terminated[picked],
    )


@njit(cache=True, nogil=True)
def _fingerprints(
    indptr: Ints, next_state: NDArray[np.int32], prob: Floats, reward: Floats, terminated: Bools, n_actions: int
) -> NDArray[np.uint64]:
    """Hash the outcomes of every state, FNV-1a over 64-bit words."""
    n_states = (indptr.size - 1) // n_actions
    mark = np.empty(n_states, np.uint64)
    prime = np.uint64(1099511628211)
    prob_bits, reward_bits = prob.view(np.uint64), reward.view(np.uint64)
    for s in range(n_states):
        h = np.uint64(14695981039346656037)
        for row in range(s * n_actions, (s + 1) * n_actions):
            for k in range(indptr[row], indptr[row + 1]):
                h = (h ^ np.uint64(np.int64(next_state[k]) - s)) * prime
                h = (h ^ prob_bits[k]) * prime
                h = (h ^ (h >> np.uint64(29)) ^ reward_bits[k]) * prime
                h = (h ^ np.uint64(terminated[k])) * prime
            h = (h ^ (h >> np.uint64(32)) ^ np.uint64(row - s * n_actions + 1)) * prime
        mark[s] = h
    return mark


@njit(cache=True, nogil=True)
def _agrees(
    indptr: Ints,
    next_state: NDArray[np.int32],
    prob: Floats,
    reward: Floats,
    terminated: Bools,
    n_actions: int,
    first: Ints,
    rule: Ints,
) -> bool:
    """Compare every state with the first state of its rule."""
    for s in range(rule.size):
        f = first[rule[s]]
        for a in range(n_actions):
            j, k = indptr[f * n_actions + a], indptr[s * n_actions + a]
            if indptr[f * n_actions + a + 1] - j != indptr[s * n_actions + a + 1] - k:
                return False
            for i in range(indptr[s * n_actions + a + 1] - k):
                if (
                    next_state[j + i] - f != next_state[k + i] - s
                    or prob[j + i] != prob[k + i]
                    or reward[j + i] != reward[k + i]
                    or terminated[j + i] != terminated[k + i]
                ):
                    return False
    return True
