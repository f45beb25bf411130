"""Named grids (Zhao's, Sutton & Barto's, four rooms), random grids, and one door to all of them: `load`.

S&B is Sutton & Barto, 2nd edition; "windy-stochastic" is its exercise 6.10, "windy-kings" its exercise 6.9.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from envs.cells import Layout
from envs.maps import parse
from envs.settings import Settings, is_whole

__all__ = ["NAMED", "Layout", "load", "parse", "random_layout"]

_WINDY_MAP: Final = """
..........
..........
..........
S......T..
..........
..........
..........

columns: up 0 0 0 1 1 1 2 2 1 0
"""
_CLIFF_MAP: Final = """
............
............
............
SXXXXXXXXXXT
"""
_DYNA_MAP: Final = """
.......#T
..#....#.
S.#....#.
..#......
.....#...
.........
"""
_WALL_MAP: Final = """
........T
.........
.........
{}
.........
...S.....
"""
_ROOMS_MAP: Final = """
#############
#.....#.....#
#.....#.....#
#...........#
#.....#.....#
#.....#.....#
##.####.....#
#.....###T###
#.....#.....#
#.....#.....#
#...........#
#.....#.....#
#############
"""

# S&B 6.5 and 6.6: every step costs 1 until the goal ends the episode; the cliff costs 100 and leads back to the start.
_WINDY: Final = Settings(r_boundary=-1, r_forbidden=-1, r_target=-1, r_step=-1, target="terminal", actions=4)
_CLIFF: Final = replace(_WINDY, r_forbidden=-100, forbidden="restart")
# S&B 8.2 and 8.3: nothing but +1 at the goal.
_DYNA: Final = Settings(r_boundary=0, r_forbidden=0, r_target=1, r_step=0, target="terminal", actions=4)
# Sutton, Precup & Singh (1999): a move fails one time in three and is then one of the other three; goal in the hallway.
_ROOMS: Final = replace(_DYNA, slip=1 / 3, slip_model="uniform")


def random_layout(
    rows: int = 20, cols: int = 20, density: float = 0.25, seed: int = 0, *, forbidden_density: float = 0.0
) -> Layout:
    """Draw a grid with the start in the first cell and the target in the last one, always solvable.

    Each cell is a wall with probability `density`, else forbidden with probability `forbidden_density / (1 - density)`. Where no
    way over floor joins start and target, the fewest possible blocked cells are opened; then walls that separate pockets
    of floor, in random order, and what is still cut off becomes wall. Guaranteed, by moves up, right, down and left: from
    every floor cell a way over floor alone leads to the target, from every forbidden cell a way that crosses no wall.

    Args:
        rows: number of rows, 1 or more; the grid has at least 2 cells.
        cols: number of columns, 1 or more.
        density: probability of a wall.
        seed: of `numpy.random.default_rng`; the same seed gives the same grid.
        forbidden_density: probability of a forbidden cell; `density + forbidden_density` is at most 1.
    """
    for name, size in (("rows", rows), ("cols", cols)):
        if not is_whole(size) or size < 1:
            raise ValueError(f"{name} is {size!r}; it is a whole number, 1 or more")
    if not 2 <= rows * cols < 2**31:
        raise ValueError(f"rows x cols is {rows} x {cols}; a random grid has between 2 and 2^31 - 1 cells")
    for name, chance in (
        ("density", density),
        ("forbidden_density", forbidden_density),
        ("density + forbidden_density", density + forbidden_density),
    ):
        if not 0.0 <= chance <= 1.0:
            raise ValueError(f"{name} is {chance!r}; it is a probability between 0 and 1")
    if not is_whole(seed) or seed < 0:
        raise ValueError(f"the seed of the random grid is {seed!r}; it is a whole number, 0 or more")
    from envs.mazes import random_kinds  # noqa: PLC0415 - numba is slow to import and no other layout needs it

    kinds = random_kinds(rows, cols, density, forbidden_density, seed)
    first = np.zeros(kinds.shape, np.bool_)
    first[0, 0] = True
    return Layout.of(kinds, starts=first, name="random", settings=Settings(target="terminal"))


def _named(name: str, text: str, settings: Settings | None = None) -> Layout:
    return parse(text, name=name, settings=settings)


def _changing(name: str, before: str, after: str, change_at: int) -> Layout:
    first = parse(_WALL_MAP.format(before), name=name, settings=replace(_DYNA, change_at=change_at))
    return replace(first, later=parse(_WALL_MAP.format(after), name=name, settings=_DYNA))


NAMED: Final[dict[str, Callable[..., Layout]]] = {
    "book-2x2": partial(_named, "book-2x2", ".X\n.T"),
    "book-3x3": partial(_named, "book-3x3", "...\n..X\nX.T"),
    "book-5x5": partial(_named, "book-5x5", ".....\n.XX..\n..X..\n.XTX.\n.X..."),
    "book-line": partial(_named, "book-line", ".T", Settings(actions=("left", "stay", "right"))),
    "windy": partial(_named, "windy", _WINDY_MAP, _WINDY),
    "windy-kings": partial(_named, "windy-kings", _WINDY_MAP, replace(_WINDY, actions=8)),
    "windy-stochastic": partial(_named, "windy-stochastic", _WINDY_MAP, replace(_WINDY, actions=8, gust=2 / 3)),
    "cliff": partial(_named, "cliff", _CLIFF_MAP, _CLIFF),
    "dyna-maze": partial(_named, "dyna-maze", _DYNA_MAP, _DYNA),
    "dyna-blocking": partial(_changing, "dyna-blocking", "########.", ".########", 1000),
    "dyna-shortcut": partial(_changing, "dyna-shortcut", ".########", ".#######.", 3000),
    "four-rooms": partial(_named, "four-rooms", _ROOMS_MAP, _ROOMS),
    "random": random_layout,
}


def load(
    source: str | Path | Sequence[str] | Layout,
    *,
    rows: int | None = None,
    cols: int | None = None,
    density: float | None = None,
    forbidden_density: float | None = None,
    map_seed: int | None = None,
) -> Layout:
    """Return the layout that `source` means: a name in `NAMED`, a map as text or lines, a file with a map, or a layout.

    The other arguments belong to "random" alone.
    """
    of_random = {
        "rows": rows,
        "cols": cols,
        "density": density,
        "forbidden_density": forbidden_density,
        "seed": map_seed,
    }
    given: dict[str, Any] = {name: value for name, value in of_random.items() if value is not None}
    if isinstance(source, str) and source == "random":
        return random_layout(**given)
    if given:
        name, value = next(iter(given.items()))
        name = "map_seed" if name == "seed" else name
        raise ValueError(f"{name} is {value!r}, but only layout='random' takes it; the layout is {_brief(source)}")
    if isinstance(source, Layout):
        return source
    if isinstance(source, str) and "\n" not in source:
        if source in NAMED:
            return NAMED[source]()
        if not Path(source).is_file():
            close = difflib.get_close_matches(source, NAMED, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            names = ", ".join(NAMED)
            raise ValueError(
                f"layout {source!r} is neither a name nor a file; {hint}the names are {names}; "
                "a map has several lines, or is a list of lines"
            )
        source = Path(source)
    if isinstance(source, Path):
        if not source.is_file():
            raise ValueError(f"the map file {str(source)!r} does not exist (looked in {Path.cwd()}); check the path")
        return parse(source.read_text(encoding="utf-8"), name=source.stem)
    if isinstance(source, str) or (isinstance(source, Sequence) and all(isinstance(line, str) for line in source)):
        return parse(source)
    raise ValueError(f"layout is {source!r}; give a name, a map as text or list of lines, a file path or a Layout")


def _brief(source: object) -> str:
    return repr(source.name) if isinstance(source, Layout) else repr(str(source)[:40])
