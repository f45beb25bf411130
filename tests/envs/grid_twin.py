"""The slow twin of envs/dynamics.py: its docstring read cell by cell and move by move, into a dictionary."""

from collections import defaultdict

import numpy as np

from envs.cells import FORBIDDEN, TARGET, TELEPORT, WALL
from envs.settings import MOVES


def twin(layout, world, start):
    """{(s, a): {(s_next, reward, terminated): probability}}."""
    return {
        (s, a): outcomes_of(layout, world, start, s, a)
        for s in range(layout.n_states)
        for a in range(len(world.action_names))
    }


def outcomes_of(layout, world, start, s, a):
    row, col = divmod(s, layout.shape[1])
    if solid(layout, world, row, col) or ending(layout, world, row, col):
        return {(s, 0.0, True): 1.0}
    outcomes = defaultdict(float)
    for move, p_move in moves_of(layout, world, row, col, a):
        for gust, p_wind in winds_of(layout, world, row, col):
            outcome = follow(layout, world, start, row, col, move, gust)
            outcomes[outcome] += p_move * p_wind
    return {outcome: p for outcome, p in outcomes.items() if p > 0}


def moves_of(layout, world, row, col, a):
    name = world.action_names[a]
    slip = world.slip if np.isnan(layout.ice[row, col]) else layout.ice[row, col]
    if world.slip_model == "uniform":
        others = [MOVES[other] for other in world.action_names if other != name]
    else:
        down, right = MOVES[name]
        others = [] if name == "stay" else [(right, -down), (-right, down)]
    if not others:
        return [(MOVES[name], 1.0)]
    return [(MOVES[name], 1 - slip), *((move, slip / len(others)) for move in others)]


def winds_of(layout, world, row, col):
    if not layout.wind[row, col].any():
        return [(0, 1.0)]
    return [(0, 1 - world.gust), (1, world.gust / 2), (-1, world.gust / 2)]


def follow(layout, world, start, row, col, move, gust):
    here = (row, col)
    there = (row + move[0], col + move[1])
    bumped = move != (0, 0) and (not inside(layout, *there) or solid(layout, world, *there))
    if bumped:
        there = here
    down, right = (int(wind + gust * np.sign(wind)) for wind in layout.wind[row, col])
    while (down, right) != (0, 0):
        step = int(np.sign(down)), int(np.sign(right))
        down, right = down - step[0], right - step[1]
        onward = (there[0] + step[0], there[1] + step[1])
        if inside(layout, *onward) and not solid(layout, world, *onward):
            there = onward
    if there != here and layout.kinds[there] == TELEPORT:
        there = tuple(int(i) for i in divmod(layout.partner[there], layout.shape[1]))
    kind = layout.kinds[there]
    if bumped:
        reward = world.r_boundary
    elif kind == TARGET:
        own = layout.target_reward[there]
        reward = world.r_target if np.isnan(own) else float(own)
    else:
        reward = world.r_forbidden if kind == FORBIDDEN else world.r_step
    s_next = there[0] * layout.shape[1] + there[1]
    if kind == FORBIDDEN and world.forbidden == "restart":
        s_next = int(np.argmax(start))
    return s_next, reward, ending(layout, world, *there)


def inside(layout, row, col):
    return 0 <= row < layout.shape[0] and 0 <= col < layout.shape[1]


def solid(layout, world, row, col):
    return layout.kinds[row, col] == WALL or (layout.kinds[row, col] == FORBIDDEN and world.forbidden == "wall")


def ending(layout, world, row, col):
    kind = layout.kinds[row, col]
    return bool(
        (kind == TARGET and world.target == "terminal") or (kind == FORBIDDEN and world.forbidden == "terminal")
    )
