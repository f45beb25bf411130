"""What a planner sweeps: an MDP under a discount, with all that does not change between sweeps multiplied out.

q(s, a) = reward(s, a) + sum_s' weight(s, a, s') v(s'), where weight = gamma p(s' | s, a) over the outcomes that do not
terminate. `Sparse` holds that for any MDP; `Stencil` for one with few local rules, in a few bytes a state.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rlkit.arrays import Bools, Floats, Ints
from rlkit.mdp import MDP
from rlkit.rules import Rules
from rlkit.team import Team

_MOST_SLOTS = 16  # a wider stencil gains nothing over sparse rows
_MOST_LANES = 256  # more actions gain nothing either, and take the compiler from a second to minutes
SURE = 1.0 - 1e-7  # a weight of going on, at gamma 1, that counts as one; rows may sum to 1 - 1e-8
_MOST_PADDING = 4  # table entries for each outcome beyond which sparse rows are faster


class Sparse(NamedTuple):
    """Compressed rows `s * n_actions + a`."""

    indptr: NDArray[np.int64]  # [S*A + 1]
    successor: NDArray[np.int32]  # [N]
    weight: NDArray[np.float64]  # [N]
    reward: NDArray[np.float64]  # [S*A]
    n_states: int
    n_actions: int
    terms: int  # the most outcomes of an action
    gross: float  # the largest expected |r| of an action: |reward| and more where outcomes cancel


class Stencil(NamedTuple):
    """A table for each rule: M successors shared by all its actions, and W >= A lanes, one for each action."""

    rule: NDArray[np.int32]  # [S]
    offset: NDArray[np.int32]  # [R * M]  successor minus state
    table: NDArray[np.float64]  # [R * (M + 1) * W]  rewards, then the weights of each slot; idle lanes have reward -inf
    slots: tuple[int, ...]  # of length M; a tuple because its length is known to the compiler
    lanes: tuple[int, ...]  # of length W, a power of two
    n_states: int
    n_actions: int
    terms: int  # as in Sparse
    gross: float  # as in Sparse


Model = Sparse | Stencil


def sparse(mdp: MDP, gamma: float) -> Sparse:
    """Multiply out an MDP under the discount gamma."""
    indptr, successor, weight, reward, terms, gross = _fold(*_outcomes(mdp), gamma)
    return Sparse(indptr, successor, weight, reward, mdp.n_states, mdp.n_actions, terms, gross)


def stencil(world: MDP | Rules, gamma: float) -> Stencil | None:
    """Multiply out rules, or an MDP with a rule for each state, under the discount gamma.

    None where that would not pay: too many different successors in a rule, too many actions, or (where each state has its
    own rule) actions that share so few successors that the lanes would mostly multiply zeros.
    """
    relative = isinstance(world, Rules)
    rule = world.rule if isinstance(world, Rules) else np.arange(world.n_states, dtype=np.int32)
    n_rules = int(rule.max()) + 1
    n_actions = (len(world.indptr) - 1) // n_rules
    indptr, successor, weight, reward, terms, gross = _fold(*_outcomes(world), gamma)
    width = _widest(indptr, successor, n_actions, _MOST_SLOTS)
    n_lanes = max(4, 1 << (n_actions - 1).bit_length())
    if width > _MOST_SLOTS or n_lanes > _MOST_LANES:
        return None
    padding = n_rules * width * n_lanes / max(len(weight), n_rules * n_actions)
    if padding > _MOST_PADDING and not relative:  # shared rules are read from the cache anyway
        return None
    offset, table = _spread(indptr, successor, weight, reward, n_actions, width, n_lanes, relative)
    slots, lanes = (0,) * width, (0,) * n_lanes
    return Stencil(rule, offset.ravel(), table.ravel(), slots, lanes, len(rule), n_actions, terms, gross)


def without_self_loops(model: Model, gamma: float, team: Team) -> Model:
    """Solve each action for its own state: q = (r + sum_{s' != s} w v(s')) / (1 - w(s)).

    The fixed point is the same (Puterman 6.3.3, Reetz 1973), and a state that can only wait for a lucky slip no longer
    takes 1 / (1 - gamma) sweeps. At gamma 1 an action that stays for ever is worth -inf: the best value of the policies
    that end is sought, and staying for nothing, v(s) >= v(s), adds nothing to it; the door refuses what pays for staying.

    Args:
        model: under gamma.
        gamma: the discount.
        team: the threads that share the work.
    """
    sure = SURE if gamma == 1.0 else 1.0
    if isinstance(model, Sparse):
        indptr, successor, weight, reward = _cut_loops(
            model.indptr, model.successor, model.weight, model.reward, model.n_actions, sure
        )
        return model._replace(indptr=indptr, successor=successor, weight=weight, reward=reward)
    table = np.empty_like(model.table)
    count = len(model.offset) // len(model.slots)
    team.share(count, lambda first, last: _cut_loops_in_lanes(model, table, sure, first, last))
    return model._replace(table=table)


def dense_table(model: Stencil) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return offset [R, M], reward [R, A] and weight [R, M, A] of a stencil, as views."""
    table = model.table.reshape(-1, len(model.slots) + 1, len(model.lanes))
    return model.offset.reshape(len(table), -1), table[:, 0, : model.n_actions], table[:, 1:, : model.n_actions]


def _outcomes(world: MDP | Rules) -> tuple[NDArray[Any], ...]:
    successor = world.offset if isinstance(world, Rules) else world.next_state
    return world.indptr, successor, world.prob, world.reward, world.terminated


@njit(cache=True, nogil=True)
def _fold(
    indptr: Ints, successor: NDArray[np.int32], prob: Floats, reward: Floats, terminated: Bools, gamma: float
) -> tuple[Ints, NDArray[np.int32], Floats, Floats, int, float]:
    """Sum rewards over each row and keep the outcomes that go on, weighted by gamma times their probability.

    Returns the arrays of `Sparse`, then terms and gross.
    """
    n_rows = indptr.size - 1
    starts = np.zeros(n_rows + 1, np.int64)
    for row in range(n_rows):
        kept = 0
        for k in range(indptr[row], indptr[row + 1]):
            kept += prob[k] > 0.0 and not terminated[k]
        starts[row + 1] = starts[row] + kept
    to = np.empty(starts[-1], np.int32)
    weight = np.empty(starts[-1], np.float64)
    gain = np.empty(n_rows, np.float64)
    terms, gross = 0, 0.0
    for row in range(n_rows):
        total, size = 0.0, 0.0
        j = starts[row]
        for k in range(indptr[row], indptr[row + 1]):
            total += prob[k] * reward[k]
            size += prob[k] * abs(reward[k])
            if prob[k] > 0.0 and not terminated[k]:
                to[j] = successor[k]
                weight[j] = gamma * prob[k]
                j += 1
        gain[row] = total
        gross = max(gross, size)
        terms = max(terms, indptr[row + 1] - indptr[row])
    return starts, to, weight, gain, terms, gross


@njit(cache=True, nogil=True)
def _cut_loops(
    indptr: Ints, successor: NDArray[np.int32], weight: Floats, reward: Floats, n_actions: int, sure: float
) -> tuple[Ints, NDArray[np.int32], Floats, Floats]:
    """Do for sparse rows what `without_self_loops` says."""
    n_rows = indptr.size - 1
    starts = np.zeros(n_rows + 1, np.int64)
    to = np.empty_like(successor)
    rate = np.empty_like(weight)
    gain = np.empty_like(reward)
    j = 0
    for row in range(n_rows):
        loop, alone = 0.0, True
        for k in range(indptr[row], indptr[row + 1]):
            if successor[k] == row // n_actions:
                loop += weight[k]
            else:
                alone = False
        if loop < 1.0 and not (alone and loop >= sure):
            gain[row] = reward[row] / (1.0 - loop)
            for k in range(indptr[row], indptr[row + 1]):
                if successor[k] != row // n_actions:
                    to[j] = successor[k]
                    rate[j] = weight[k] / (1.0 - loop)
                    j += 1
        else:
            gain[row] = -np.inf
        starts[row + 1] = j
    return starts, to[:j], rate[:j], gain


@njit(cache=True, nogil=True)
def _cut_loops_in_lanes(model: Any, out: Floats, sure: float, first: int, last: int) -> None:
    """Do for the rules first .. last - 1 of a stencil what `without_self_loops` says; an idle slot has weight 0."""
    n_slots, n_lanes = len(model.slots), len(model.lanes)
    for rule in range(first, last):
        for place in range(rule * (n_slots + 1) * n_lanes, (rule * (n_slots + 1) + 1) * n_lanes):
            loop, alone = 0.0, True
            for m in range(n_slots):
                weight = model.table[place + (m + 1) * n_lanes]
                if model.offset[rule * n_slots + m] == 0:
                    loop += weight
                elif weight != 0.0:
                    alone = False
            ends = loop < 1.0 and not (alone and loop >= sure)
            out[place] = model.table[place] / (1.0 - loop) if ends else -np.inf
            for m in range(n_slots):
                there = place + (m + 1) * n_lanes
                own = model.offset[rule * n_slots + m] == 0
                out[there] = 0.0 if own or not ends else model.table[there] / (1.0 - loop)


@njit(cache=True, nogil=True)
def _widest(indptr: Ints, successor: NDArray[np.int32], n_actions: int, most: int) -> int:
    """Return the largest number of different successors that the actions of one rule have, 1 .. most + 1."""
    widest = 1
    for rule in range((indptr.size - 1) // n_actions):
        first, last = indptr[rule * n_actions], indptr[(rule + 1) * n_actions]
        width = 0
        for k in range(first, last):
            new = True
            for j in range(first, k):
                if successor[j] == successor[k]:
                    new = False
                    break
            width += new
            if width > most:
                return width
        widest = max(widest, width)
    return widest


@njit(cache=True, nogil=True)
def _spread(
    indptr: Ints,
    successor: NDArray[np.int32],
    weight: Floats,
    reward: Floats,
    n_actions: int,
    width: int,
    n_lanes: int,
    relative: bool,
) -> tuple[NDArray[np.int32], Floats]:
    """Write compressed rows as offsets [R, M] and a table [R, M + 1, W]."""
    n_rules = (indptr.size - 1) // n_actions
    offset = np.zeros((n_rules, width), np.int32)
    table = np.zeros((n_rules, width + 1, n_lanes))
    table[:, 0, n_actions:] = -np.inf
    for rule in range(n_rules):
        used = 0
        for a in range(n_actions):
            row = rule * n_actions + a
            table[rule, 0, a] = reward[row]
            for k in range(indptr[row], indptr[row + 1]):
                step = successor[k] if relative else successor[k] - rule
                slot = 0
                while slot < used and offset[rule, slot] != step:
                    slot += 1
                if slot == used:
                    offset[rule, slot] = step
                    used += 1
                table[rule, slot + 1, a] += weight[k]
    return offset, table
