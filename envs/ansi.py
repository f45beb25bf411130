"""A grid as text for a terminal: every cell as wide as any other, policies as arrows, values as aligned numbers."""

import string
import sys
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs import palette
from envs.board import fills
from envs.cells import FLOOR, TELEPORT, WALL, Layout
from envs.draw import action_names, checked_policy, checked_value, decimals
from envs.palette import Colour, ink_on, mix
from envs.settings import MOVES

ARROWS: Final = dict(zip(MOVES, "↑→↓←↗↘↙↖○", strict=True))
AGENT: Final = "●"
_MARKS: Final = ".#XT~@"  # by kind, as in the map language of `envs.maps`
_WIND: Final = {(-1, 0): "^", (0, 1): ">", (1, 0): "v", (0, -1): "<"}


def ansi(
    layout: Layout,
    *,
    agent: int | None = None,
    value: ArrayLike | None = None,
    policy: ArrayLike | None = None,
    actions: tuple[str, ...] | None = None,
    colour: bool | None = None,
) -> str:
    """Write a grid as lines of text, all equally wide, without a newline at the end.

    A cell is its mark (the map's letters; ● the agent), then its value, then the actions whose share is at least half of
    the largest, as arrows (○ stays). The arguments are those of `envs.draw.draw`.

    Args:
        layout: the grid.
        agent: state index of the agent.
        value: [S] or [rows, cols].
        policy: [S, A] or [rows, cols, A], probabilities or a mask of optimal actions.
        actions: names of the A actions.
        colour: whether to add colours by ANSI escapes; when left out, only if standard output is a terminal.
    """
    v, pi = checked_value(layout, value), checked_policy(layout, policy)
    if agent is not None and not 0 <= agent < layout.n_states:
        raise ValueError(f"state {agent} is not on the grid; states are 0 .. {layout.n_states - 1}")
    marks = _cell_marks(layout, plain=v is None and pi is None)
    if agent is not None:
        marks.flat[agent] = AGENT
    cells = [marks]
    if v is not None:
        cells.append(_numbers(v))
    if pi is not None:
        cells.append(_arrows(pi, action_names(layout, pi.shape[2], actions)))
    rows, cols = layout.shape
    text = [["".join(part[row, col] for part in cells) for col in range(cols)] for row in range(rows)]
    width = len(text[0][0])
    walls = layout.kinds == WALL
    paint = _paint(layout, v, agent) if (sys.stdout.isatty() if colour is None else colour) else None
    lines = []
    for row in range(rows):
        line = "│"
        for col in range(cols):
            solid = walls[row, col]
            gap = "█" if solid and (col == 0 or walls[row, col - 1]) else " "
            cell = "█" * width if solid else text[row][col]
            line += gap + (_painted(cell, *paint[row][col]) if paint is not None and not solid else cell)
        lines.append(f"{line}{'█' if walls[row, -1] else ' '}│")
    rule = "─" * (cols * (width + 1) + 1)
    return "\n".join([f"┌{rule}┐", *lines, f"└{rule}┘"])


def _cell_marks(layout: Layout, *, plain: bool) -> NDArray[np.str_]:
    marks = np.array(list(_MARKS))[layout.kinds]
    floor = layout.kinds == FLOOR
    for wind, letter in _WIND.items():
        marks[floor & np.all(np.sign(layout.wind) == wind, axis=2)] = letter
    if not plain:
        marks[marks == "."] = " "
    if layout.starts.mean() <= 0.25:
        marks[floor & layout.starts] = "S"
    partner, here = layout.partner.ravel(), np.arange(layout.n_states)
    firsts = np.flatnonzero(partner > here)
    letters = sorted(set(string.ascii_uppercase) - set("STX"))
    for number, first in enumerate(firsts):
        marks.flat[[first, partner[first]]] = letters[number % len(letters)]
    return marks


def _numbers(v: NDArray[np.float64]) -> NDArray[np.str_]:
    digits = decimals(v)
    text = np.array([[f"{x:.{digits}f}" if np.isfinite(x) else "" for x in row] for row in v])
    width = max(map(len, text.ravel())) + 1
    return np.char.rjust(text, width)


def _arrows(pi: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.str_]:
    best = pi.max(axis=2, keepdims=True)
    chosen = (pi >= 0.5 * best) & (best > 0)
    text = np.array([["".join(ARROWS[names[a]] for a in np.flatnonzero(cell)) for cell in row] for row in chosen])
    width = max(map(len, text.ravel()))
    return np.char.add(" ", np.char.ljust(text, width))


def _paint(layout: Layout, v: NDArray[np.float64] | None, agent: int | None) -> list[list[tuple[Colour, Colour]]]:
    """Paper and ink of every cell."""
    colours = fills(layout, v, None).tolist()
    paint = [[(tuple(fill), ink_on(tuple(fill))) for fill in row] for row in colours]
    for row, col in np.argwhere(layout.kinds == TELEPORT):
        paint[row][col] = (mix(palette.FLOOR, palette.PORTALS[0], 0.2), palette.INK)
    if agent is not None:
        row, col = divmod(agent, layout.shape[1])
        paint[row][col] = (paint[row][col][0], palette.AGENT)
    return paint


def _painted(text: str, paper: Colour, ink: Colour) -> str:
    return f"\x1b[48;2;{paper[0]};{paper[1]};{paper[2]};38;2;{ink[0]};{ink[1]};{ink[2]}m{text}\x1b[0m"
