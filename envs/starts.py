"""Where episodes begin: what the `start` argument of a grid world means, as a distribution over states."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.cells import FORBIDDEN, Layout
from envs.dynamics import ending_cells, solid_cells
from envs.settings import Settings, is_whole

_REMEDY: Final = "use 'marked', 'single', 'uniform', a tuple (row, col), or an array of n_states probabilities"


def start_distribution(
    layout: Layout, settings: Settings, start: str | tuple[int, int] | ArrayLike
) -> NDArray[np.float64]:
    """Return the start distribution [S].

    Args:
        layout: the grid.
        settings: its settings.
        start: "marked": uniform over the marked cells, or over all free cells where none is marked;
            "single": the one marked cell; "uniform": uniform over all free cells; a tuple (row, col): this cell;
            an array [S] of probabilities. A cell is free if the agent can enter it and be there: no wall, no terminal
            cell, no cell that sends it back to the start.

    Raises:
        ValueError: naming what is wrong with `start`, and for "single" the marked cells found.
    """
    marked = np.flatnonzero(layout.starts)
    if isinstance(start, str):
        if start == "single":
            return _one(layout, settings, _single(layout, marked))
        if start not in {"marked", "uniform"}:
            raise ValueError(f"start is {start!r}; {_REMEDY}")
        if start == "marked" and len(marked):
            return _uniform(layout, settings, marked)
        free = ~(solid_cells(layout, settings) | ending_cells(layout, settings))
        if settings.forbidden == "restart":
            free &= layout.kinds.ravel() != FORBIDDEN
        if not free.any():
            raise ValueError("the grid has no free cell to start from; add floor, or give start=(row, col)")
        return _uniform(layout, settings, np.flatnonzero(free))
    if isinstance(start, tuple):
        return _one(layout, settings, _cell(layout, start))
    return _probabilities(layout, settings, np.asarray(start, np.float64))


def _single(layout: Layout, marked: NDArray[np.intp]) -> int:
    if len(marked) == 1:
        return int(marked[0])
    cols = layout.shape[1]
    found = [divmod(int(s), cols) for s in marked]
    if not found:
        raise ValueError("start='single' asks for one marked start, the map has none; mark one cell S")
    shown = "\n".join(layout.point_at(*place) for place in found[:4])
    raise ValueError(
        f"start='single' asks for one marked start, the map has {len(found)}: (row, col) = "
        f"{', '.join(map(str, found[:10]))}{', ...' if len(found) > 10 else ''}; keep one S, or use start='marked'\n{shown}"
    )


def _cell(layout: Layout, start: tuple[object, ...]) -> int:
    rows, cols = layout.shape
    match start:
        case (row, col) if is_whole(row) and is_whole(col) and 0 <= row < rows and 0 <= col < cols:
            return int(row) * cols + int(col)
        case _:
            raise ValueError(f"start is {start!r}; a cell is (row, col) with row 0 .. {rows - 1}, col 0 .. {cols - 1}")


def _probabilities(layout: Layout, settings: Settings, start: NDArray[np.float64]) -> NDArray[np.float64]:
    if start.shape != (layout.n_states,):
        raise ValueError(f"start has shape {start.shape}; there are {layout.n_states} states; {_REMEDY}")
    if not np.all(start >= 0) or abs(start.sum() - 1.0) > 1e-8:
        raise ValueError(f"start sums to {start.sum():.10g} with minimum {start.min():.3g}; it must be a distribution")
    _check_enterable(layout, settings, np.flatnonzero(start))
    return start.copy()


def _one(layout: Layout, settings: Settings, state: int) -> NDArray[np.float64]:
    return _uniform(layout, settings, np.array([state]))


def _uniform(layout: Layout, settings: Settings, states: NDArray[np.intp]) -> NDArray[np.float64]:
    _check_enterable(layout, settings, states)
    distribution = np.zeros(layout.n_states)
    distribution[states] = 1.0 / len(states)
    return distribution


def _check_enterable(layout: Layout, settings: Settings, states: NDArray[np.intp]) -> None:
    solid = states[solid_cells(layout, settings)[states]]
    if len(solid):
        row, col = divmod(int(solid[0]), layout.shape[1])
        shown = layout.point_at(row, col)
        raise ValueError(f"start includes ({row}, {col}), which cannot be entered; choose a free cell\n{shown}")
