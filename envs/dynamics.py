"""The rules of the world: layout and settings in, transition arrays out; nothing else decides where a move leads.

One step from cell s, in this order:

1. The move made is the one chosen, or another one by `slip` (an ice cell's own probability on ice).
2. An attempt to leave the grid or to enter a wall leaves the agent where it is. (A diagonal move looks only at the
   cell it ends in.)
3. The wind of cell s blows the agent on, cell by cell, until the grid ends or a wall stops it, without penalty: as far
   in each direction as it is strong there, diagonally while it is in both. With `gust` its strength is one more or one
   less, each with probability gust / 2.
4. A teleporter, if the agent has come to it from another cell, moves it to its twin.
5. Reward: r_boundary if the attempt in 2 failed; else by the cell reached: a target pays its own reward or r_target,
   a forbidden cell r_forbidden, any other r_step.
6. A terminal target or terminal forbidden cell ends the episode; under forbidden="restart" a forbidden cell sends the
   agent to the start.

A bump pays r_boundary whatever cell the agent stands on: that is the book's text; its figures 5.6 and 5.7 were drawn
with r_boundary + r_forbidden on a forbidden cell.

Walls and terminal cells are states too, absorbing: (probability 1, same state, reward 0, terminated).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.cells import FORBIDDEN, TARGET, TELEPORT, WALL, Layout
from envs.rules import CHUNK, Rules, Transitions, expand
from envs.settings import MOVES, Settings

__all__ = ["Rules", "Transitions", "ending_cells", "expand", "make_rules", "solid_cells"]


class _Effect(NamedTuple):
    """What one realised move does in each of n cells; pays indexes `_World.payments`."""

    offset: NDArray[np.int64]  # [n]
    pays: NDArray[np.int64]  # [n]
    terminated: NDArray[np.bool_]  # [n]


class _World(NamedTuple):
    """A layout under settings, flat."""

    rows: int
    cols: int
    solid: NDArray[np.bool_]  # [S]  cannot be entered
    ending: NDArray[np.bool_]  # [S]  entering ends the episode
    pays: NDArray[np.int32]  # [S]  what entering pays, as an index of payments
    payments: NDArray[np.float64]
    wind: NDArray[np.int16]  # [S, 2]
    partner: NDArray[np.int32]  # [S]
    home: NDArray[np.int32]  # [S]  where entering leads: the cell itself, or the start
    slip: NDArray[np.float64]  # [S]


def make_rules(layout: Layout, settings: Settings, start: NDArray[np.float64]) -> Rules:
    """Build the rules of a layout under settings; start [S] is asked by forbidden="restart" alone.

    Time and memory are those of a few arrays over the cells for each move, whatever the settings.
    """
    world = _flatten(layout, settings, start)
    branches = _branches(settings)
    key = np.zeros(layout.n_states, np.int64)
    size = 1
    frozen = world.solid | world.ending
    for move in {move: None for moves in branches.values() for move, _, _ in moves}:
        for strength in _strengths(settings):
            offset, ending_pay = _effect_everywhere(world, move, strength)
            code, n_offsets = _ranks(offset)
            n_pays = 2 * len(world.payments)
            code *= n_pays
            code += ending_pay
            key, size = _mixed(key, size, code, n_offsets * n_pays)
    _, slips = np.unique(world.slip, return_inverse=True)
    windy = world.wind.any(axis=1)  # still air has no gusts
    key, size = _mixed(key, size, slips * 2 + windy, 2 * layout.n_states)
    key[frozen] = -1
    _, example, rule = np.unique(key, return_index=True, return_inverse=True)
    return _write(world, example, rule.astype(np.int32), branches, settings)


def _effect_everywhere(world: _World, move: tuple[int, int], gust: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return for every cell the offset of a move and 2 * pays + terminated, some cells at a time to spare memory."""
    n_states = world.rows * world.cols
    offset, ending_pay = np.empty(n_states, np.int32), np.empty(n_states, np.int32)
    for low in range(0, n_states, CHUNK):
        states = np.arange(low, min(n_states, low + CHUNK))
        effect = _effect(world, states, move, gust)
        offset[states], ending_pay[states] = effect.offset, 2 * effect.pays + effect.terminated
    return offset, ending_pay


def _flatten(layout: Layout, settings: Settings, start: NDArray[np.float64]) -> _World:
    kinds = layout.kinds.ravel()
    target, forbidden = kinds == TARGET, kinds == FORBIDDEN
    own = layout.target_reward.ravel()
    extra, which = np.unique(own[target & ~np.isnan(own)], return_inverse=True)
    payments = np.concatenate([[settings.r_step, settings.r_boundary, settings.r_forbidden, settings.r_target], extra])
    pays = np.zeros(layout.n_states, np.int32)
    pays[forbidden] = 2
    pays[target] = 3
    pays[target & ~np.isnan(own)] = 4 + which
    home = np.arange(layout.n_states, dtype=np.int32)
    if settings.forbidden == "restart" and forbidden.any():
        begin = np.flatnonzero(start)
        if len(begin) != 1:
            raise ValueError(
                f"forbidden='restart' sends the agent back to the start, which must be one cell, not {len(begin)}; "
                "mark exactly one S or give start=(row, col)"
            )
        home[forbidden] = begin[0]
    ice = layout.ice.ravel()
    return _World(
        rows=layout.shape[0],
        cols=layout.shape[1],
        solid=solid_cells(layout, settings),
        ending=ending_cells(layout, settings),
        pays=pays,
        payments=payments,
        wind=layout.wind.reshape(-1, 2),
        partner=np.where(kinds == TELEPORT, layout.partner.ravel(), -1),
        home=home,
        slip=np.where(np.isnan(ice), settings.slip, ice),
    )


def solid_cells(layout: Layout, settings: Settings) -> NDArray[np.bool_]:
    """Mark [S] the cells that cannot be entered."""
    kinds = layout.kinds.ravel()
    solid: NDArray[np.bool_] = (kinds == WALL) | ((kinds == FORBIDDEN) & (settings.forbidden == "wall"))
    return solid


def ending_cells(layout: Layout, settings: Settings) -> NDArray[np.bool_]:
    """Mark [S] the cells that end an episode when they are entered."""
    kinds = layout.kinds.ravel()
    ending: NDArray[np.bool_] = (kinds == TARGET) & (settings.target == "terminal")
    ending |= (kinds == FORBIDDEN) & (settings.forbidden == "terminal")
    return ending


def _branches(settings: Settings) -> dict[int, list[tuple[tuple[int, int], float, float]]]:
    """For each action its possible moves: (displacement, a, b), made with probability a + b * slip."""
    names = settings.action_names
    branches = {}
    for action, name in enumerate(names):
        down, right = MOVES[name]
        if settings.slip_model == "uniform":
            others = [MOVES[other] for other in names if other != name]
        else:
            others = [] if name == "stay" else [(-right, down), (right, -down)]
        branches[action] = [((down, right), 1.0, -1.0 if others else 0.0)]
        branches[action] += [(move, 0.0, 1.0 / len(others)) for move in others]
    return branches


def _strengths(settings: Settings) -> dict[int, float]:
    """Change of the wind's strength -> its probability."""
    return {0: 1.0 - settings.gust, 1: settings.gust / 2, -1: settings.gust / 2} if settings.gust > 0 else {0: 1.0}


def _effect(world: _World, states: NDArray[np.int64], move: tuple[int, int], gust: int) -> _Effect:
    row, col = states // world.cols, states % world.cols
    to_row, to_col = row + move[0], col + move[1]
    inside = (to_row >= 0) & (to_row < world.rows) & (to_col >= 0) & (to_col < world.cols)
    reached = np.where(inside, to_row * world.cols + to_col, states)
    stays = move == (0, 0)
    bumped = np.zeros(len(states), np.bool_) if stays else ~inside | world.solid[reached]
    reached = np.where(bumped, states, reached)
    reached = _blown(world, states, reached, gust)
    moved = reached != states
    twin = world.partner[reached]
    reached = np.where(moved & (twin >= 0), twin, reached)
    pays = np.where(bumped, 1, world.pays[reached])
    return _Effect(world.home[reached] - states, pays, world.ending[reached])


def _blown(world: _World, states: NDArray[np.int64], reached: NDArray[np.int64], gust: int) -> NDArray[np.int64]:
    wind = world.wind[states].astype(np.int64)
    if not wind.any():
        return reached
    way = np.sign(wind)
    strength = np.abs(wind + gust * way)  # [n, 2]  up or down, left or right
    for step in range(int(strength.max())):
        down, right = (way * (strength > step)).T
        row, col = reached // world.cols + down, reached % world.cols + right
        free = (row >= 0) & (row < world.rows) & (col >= 0) & (col < world.cols)
        onward = np.where(free, row * world.cols + col, reached)
        reached = np.where(world.solid[onward], reached, onward)
    return reached


def _ranks(values: NDArray[np.int64] | NDArray[np.int32]) -> tuple[NDArray[np.int64], int]:
    """Number the distinct values from 0 in their order."""
    low = int(values.min())
    span = int(values.max()) - low + 1
    if span > 4 * len(values) + 1024:
        distinct, ranks = np.unique(values, return_inverse=True)
        return ranks, len(distinct)
    present = np.zeros(span, np.int64)
    present[values - low] = 1
    numbers = np.cumsum(present)
    return numbers[values - low] - 1, int(numbers[-1])


def _mixed(key: NDArray[np.int64], size: int, code: NDArray[np.int64], n_codes: int) -> tuple[NDArray[np.int64], int]:
    """Join two keys into one that is equal where both are; sizes bound the keys."""
    if size * n_codes >= 2**62:
        key, size = _ranks(key)
    return key * n_codes + code, size * n_codes


def _write(
    world: _World,
    example: NDArray[np.intp],
    rule: NDArray[np.int32],
    branches: dict[int, list[tuple[tuple[int, int], float, float]]],
    settings: Settings,
) -> Rules:
    """Write the outcomes of one example cell for each rule, merged, in the order of branches and gusts."""
    n_rules, n_actions = len(example), len(branches)
    gusts = _strengths(settings)
    width = max(map(len, branches.values())) * len(gusts)
    offset = np.zeros((n_rules, n_actions, width), np.int64)
    pays = np.zeros_like(offset)
    ends = np.zeros(offset.shape, np.bool_)
    prob = np.zeros(offset.shape)
    slip, still = world.slip[example], ~world.wind[example].any(axis=1)
    for action, moves in branches.items():
        slots = ((move, a, b, gust, chance) for move, a, b in moves for gust, chance in gusts.items())
        for slot, (move, a, b, gust, chance) in enumerate(slots):
            effect = _effect(world, example, move, gust)
            offset[:, action, slot], pays[:, action, slot], ends[:, action, slot] = effect
            prob[:, action, slot] = (a + b * slip) * np.where(still, float(gust == 0), chance)
    reward = world.payments[pays]
    frozen = (world.solid | world.ending)[example]
    offset[frozen], reward[frozen], ends[frozen], prob[frozen] = 0, 0.0, True, 0.0
    prob[frozen, :, 0] = 1.0
    for later in range(1, width):
        for earlier in range(later):
            same = offset[..., earlier] == offset[..., later]
            same &= (reward[..., earlier] == reward[..., later]) & (ends[..., earlier] == ends[..., later])
            same &= (prob[..., earlier] > 0) & (prob[..., later] > 0)
            prob[..., earlier] += np.where(same, prob[..., later], 0.0)
            prob[..., later][same] = 0.0
    kept = prob > 0
    indptr = np.zeros(n_rules * n_actions + 1, np.int64)
    np.cumsum(kept.sum(axis=2).ravel(), out=indptr[1:])
    return Rules(rule, indptr, offset[kept].astype(np.int32), prob[kept], reward[kept], ends[kept])
