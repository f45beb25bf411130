"""The ASCII map language: text to `Layout`, with errors that show the offending line.

A map is a block of equally long rows, and optionally, after an empty line, a legend.

    .        floor                          S        start (on floor)
    #        wall                           T or G   target that pays r_target
    X        forbidden                      1 .. 9   target that pays this number
    ^ > v <  floor with wind of strength 1  ~        ice: the move slips with probability 2/3
    other capital letters: teleporters, each letter exactly twice

A legend line gives a character a meaning of its own, or sets the wind of whole columns or rows:

    a: target 10            b: forbidden            u: wind up 2            i: ice 0.5
    s: start, wind left 1   t: target -3, wind up 2 (properties of one cell joined by commas)
    columns: up 0 0 0 1 1 1 2 2 1 0                 rows: left 0 1 0
"""

import textwrap
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.cells import TARGET, TELEPORT, Layout, pointer
from envs.legend import TELEPORTERS, Cell, read_legend
from envs.settings import Settings


def parse(text: str | Sequence[str], *, name: str = "map", settings: Settings | None = None) -> Layout:
    """Read a map (the language is in the module's docstring) from a text or from its lines.

    Raises:
        ValueError: showing the line of the map, the place in it, and what to do.
    """
    lines = (textwrap.dedent(text) if isinstance(text, str) else "\n".join(text)).split("\n")
    numbered = [(number, line.rstrip()) for number, line in enumerate(lines, 1)]
    while numbered and not numbered[0][1]:
        numbered.pop(0)
    split = next((k for k, (_, line) in enumerate(numbered) if not line), len(numbered))
    grid, legend = numbered[:split], [entry for entry in numbered[split:] if entry[1]]
    if not grid:
        raise ValueError("the map is empty; give at least one row, such as 'S.T'")
    width = len(grid[0][1])
    for number, line in grid:
        if len(line) != width:
            complaint = f"map line {number} has {len(line)} cells, the first row has {width}"
            shown = pointer(line, min(len(line), width))
            raise ValueError(f"{complaint}; make all rows equally long\n{shown}")
    meaning, breezes = read_legend(legend, (len(grid), width))
    codes = np.frombuffer("".join(line for _, line in grid).encode("utf-32-le"), np.uint32).reshape(len(grid), width)
    return _build(grid, codes, meaning, breezes, name, settings)


def _build(
    grid: list[tuple[int, str]],
    codes: NDArray[np.uint32],
    meaning: dict[str, Cell],
    breezes: list[NDArray[np.int16]],
    name: str,
    settings: Settings | None,
) -> Layout:
    shape = codes.shape
    kinds = np.zeros(shape, np.uint8)
    starts = np.zeros(shape, np.bool_)
    reward, ice = np.full(shape, np.nan), np.full(shape, np.nan)
    wind = np.zeros((*shape, 2), np.int16)
    partner = np.full(shape, -1, np.int32)
    for breeze in breezes:
        wind += breeze
    for code in np.unique(codes):
        letter, where = chr(code), codes == code
        if letter in meaning:
            cell = meaning[letter]
            kinds[where], starts[where], reward[where], ice[where] = cell.kind, cell.start, cell.reward, cell.slip
            wind[where] += np.array(cell.wind, np.int16)
        elif letter in TELEPORTERS:
            kinds[where] = TELEPORT
            partner[where] = _twins(grid, letter, where)
        else:
            raise _map_error(grid, where, f"holds {letter!r}, which means nothing; {_REMEDY}")
    if not np.any(kinds == TARGET):
        raise ValueError(f"the map has no target; put a T where the agent should go, here perhaps\n{_last(grid)}")
    return Layout(kinds, starts, reward, wind, ice, partner, name, settings or Settings())


_REMEDY: Final = "use . # X S T 1-9 ^ > v < ~ or capital letters in pairs, or explain it in a legend"


def _map_error(grid: list[tuple[int, str]], where: NDArray[np.bool_], complaint: str) -> ValueError:
    row, col = (int(i) for i in np.argwhere(where)[0])
    number, line = grid[row]
    return ValueError(f"map line {number}, column {col + 1} {complaint}\n{pointer(line, col)}")


def _last(grid: list[tuple[int, str]]) -> str:
    return pointer(grid[-1][1], len(grid[-1][1]) - 1)


def _twins(grid: list[tuple[int, str]], letter: str, where: NDArray[np.bool_]) -> NDArray[np.intp]:
    found = np.flatnonzero(where)
    if len(found) != 2:
        remedy = f"a teleporter needs exactly two cells; put {letter} in a second cell, or replace it"
        if len(found) > 2:
            remedy = "a teleporter needs exactly two cells; use another letter for the next pair"
            extra = np.zeros_like(where)
            extra.flat[found[2]] = True
            where = extra
        raise _map_error(grid, where, f"is the teleporter {letter}, found {len(found)} time(s); {remedy}")
    return found[::-1]
