"""The grids of the books as panels of a figure: values and policies with forbidden cells and target framed."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike, NDArray

from rlkit.report.grid import draw_grid, frame_cells
from rlkit.report.style import ACCENT, FORBIDDEN, INK, LINES, MUTED

FORBIDDEN_CELLS = ((1, 1), (1, 2), (2, 2), (3, 1), (3, 3), (4, 1))
TARGET_CELL = (3, 2)
BLUE = "#1f6fd6"
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1), None)


def board(
    axes: Axes,
    value: ArrayLike,
    policy: ArrayLike | None,
    title: str = "",
    *,
    norm: Normalize | None = None,
    size: float = 0.45,
    numbers: bool = True,
) -> None:
    """Draw values [25] and a policy [25, 5], or None, of the book's 5x5 world."""
    v = np.asarray(value, np.float64).reshape(5, 5)
    pi = None if policy is None else np.asarray(policy, np.float64).reshape(5, 5, 5)
    draw_grid(axes, v, pi, MOVES, norm=norm, numbers=numbers, size=size)
    frame_cells(axes, FORBIDDEN_CELLS, FORBIDDEN)
    frame_cells(axes, [TARGET_CELL], BLUE)
    axes.set_title(title, color=INK, fontsize=9, loc="left", pad=5)


def path(axes: Axes, cells: ArrayLike, colour: str = ACCENT, width: float = 2.6) -> None:
    """Draw a way through (row, column) cells [K, 2], under the numbers."""
    rows, cols = np.asarray(cells, np.float64).T
    axes.plot(cols, rows, color=colour, linewidth=width, alpha=0.75, solid_capstyle="round", zorder=2.5)
    axes.plot(cols[:1], rows[:1], "o", color=colour, markersize=6, zorder=2.6)


def caption(axes: Axes, text: str) -> None:
    """Write a line under a panel."""
    axes.text(0.0, -0.04, text, transform=axes.transAxes, color=MUTED, fontsize=8, va="top")


def visits(axes: Axes, states: NDArray[np.int64], title: str) -> None:
    """Draw a way through the states of the 5x5 world, each visit a little off the middle of its cell."""
    rng = np.random.default_rng(0)
    draw_grid(axes, np.full((5, 5), np.nan), norm=Normalize(0, 1))
    axes.set_title(title, color=INK, fontsize=9, loc="left", pad=5)
    frame_cells(axes, FORBIDDEN_CELLS, FORBIDDEN)
    frame_cells(axes, [TARGET_CELL], BLUE)
    rows, cols = np.divmod(states, 5) + rng.uniform(-0.33, 0.33, (2, len(states)))
    points = np.column_stack([cols, rows])
    ways = np.stack([points[:-1], points[1:]], axis=1)
    alpha = {100: 0.9, 1000: 0.35}.get(len(states), 0.05)  # many ways over each other add up
    axes.add_collection(LineCollection(ways, colors=LINES[0], linewidths=0.6, alpha=alpha))
    axes.plot(cols[:1], rows[:1], "o", color=ACCENT, markersize=5)
    for line in np.arange(6) - 0.5:
        axes.plot([line, line], [-0.5, 4.5], color="#d6d2c6", linewidth=0.6)
        axes.plot([-0.5, 4.5], [line, line], color="#d6d2c6", linewidth=0.6)
