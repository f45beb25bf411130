"""One grid as a matplotlib panel: a value heatmap with its numbers and the policy as arrows, for any grid-like world."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection, PolyCollection
from matplotlib.colors import Normalize, to_rgb
from matplotlib.patches import Circle, FancyBboxPatch
from numpy.typing import NDArray

from rlkit.report.style import FORBIDDEN, HEAT, INK, SURFACE, TARGET, WARNING

Move = tuple[int, int] | None  # (down, right) of an action; None for an action that goes nowhere


def draw_grid(
    axes: Axes,
    value: NDArray[np.float64],
    policy: NDArray[np.float64] | None = None,
    moves: Sequence[Move] = (),
    *,
    norm: Normalize | None = None,
    numbers: bool = True,
    size: float = 0.8,
) -> None:
    """Fill `axes` with a grid.

    Args:
        axes: where to draw.
        value: [rows, cols]; NaN leaves the cell empty.
        policy: [rows, cols, A] probabilities or a mask; an arrow's length is its share of the cell's largest.
        moves: the direction of each of the A actions.
        norm: the range of the colours; from the values when left out.
        numbers: whether to write the values into the cells, where they are large enough.
        size: of a cell in inches, to which the letters are fitted.
    """
    rows, cols = value.shape
    numbers = numbers and size >= 0.4
    shade = norm or Normalize(np.nanmin(value), np.nanmax(value))
    axes.set(xlim=(-0.5, cols - 0.5), ylim=(rows - 0.5, -0.5), xticks=[], yticks=[], aspect="equal")
    axes.set_facecolor(SURFACE)
    for spine in axes.spines.values():
        spine.set_visible(False)
    known = np.isfinite(value)
    colours = HEAT(shade(np.where(known, value, 0.0)))
    colours[~known] = (*to_rgb(SURFACE), 1.0)
    tiles = [
        FancyBboxPatch((c - 0.47, r - 0.47), 0.94, 0.94, boxstyle="round,pad=0,rounding_size=0.06")
        for r in range(rows)
        for c in range(cols)
    ]
    axes.add_collection(PatchCollection(tiles, facecolors=colours.reshape(-1, 4), linewidths=0))
    inks = np.where(colours[..., :3] @ (0.299, 0.587, 0.114) > 0.5, INK, "#ffffff")
    drop = 0.12 if numbers and policy is not None else 0.0
    if policy is not None:
        _arrows(axes, policy, moves, inks, drop)
    if numbers:
        _numbers(axes, value, inks, min(9.5, 13 * size), low=policy is not None)


def frame_cells(axes: Axes, cells: Sequence[tuple[int, int]], colour: str = WARNING) -> None:
    """Frame cells in a colour, inside their edges."""
    frames = [
        FancyBboxPatch((c - 0.43, r - 0.43), 0.86, 0.86, boxstyle="round,pad=0,rounding_size=0.05") for r, c in cells
    ]
    axes.add_collection(PatchCollection(frames, facecolors="none", edgecolors=colour, linewidths=1.8, zorder=4))


def mark_cells(axes: Axes, kind: str, cells: Sequence[tuple[int, int]], size: float) -> None:
    """Fill cells where nothing is decided: "goal" (blue, a star), "end" (orange, a cross), "never" (orange)."""
    if not cells:
        return
    tiles = [
        FancyBboxPatch((c - 0.47, r - 0.47), 0.94, 0.94, boxstyle="round,pad=0,rounding_size=0.06") for r, c in cells
    ]
    fill = TARGET if kind == "goal" else FORBIDDEN
    axes.add_collection(PatchCollection(tiles, facecolors=fill, linewidths=0, zorder=2))
    if kind != "never":
        rows, cols = zip(*cells, strict=True)
        shape, points = ("*", 30 * size) if kind == "goal" else ("x", 14 * size)
        axes.plot(
            cols,
            rows,
            shape,
            color="#ffffff",
            markersize=points,
            markeredgewidth=0 if kind == "goal" else 3 * size,
            zorder=4,
        )


def draw_walls(axes: Axes, walls: Sequence[tuple[tuple[float, float], tuple[float, float]]], colour: str) -> None:
    """Draw walls that stand between cells, as lines from (x, y) to (x, y)."""
    axes.add_collection(LineCollection(list(walls), colors=colour, linewidths=2.6, capstyle="round", zorder=4))


def _arrows(
    axes: Axes, policy: NDArray[np.float64], moves: Sequence[Move], inks: NDArray[np.str_], drop: float
) -> None:
    actions = policy.shape[2]
    if len(moves) != actions:
        raise ValueError(f"the policy has {actions} actions but {len(moves)} moves are given; each action needs one")
    best = policy.max(axis=2)
    arrows, arrow_inks, dots, dot_inks = [], [], [], []
    for r, c in np.argwhere(best > 0):
        weights = policy[r, c] / best[r, c]
        lone = np.count_nonzero(weights > 0.02) == 1
        for move, weight in zip(moves, weights, strict=True):
            if weight <= 0.02:
                continue
            if move is None:
                dots.append(Circle((c, r - drop), 0.045 + 0.06 * weight))
                dot_inks.append(inks[r, c])
            else:
                length = (0.12 + 0.21 * weight) * (1.15 if lone else 1.0) * (0.85 if drop else 1.0)
                along = np.array((move[1], move[0])) / np.hypot(*move)
                tail = np.array((c, r - drop)) - along * (0.5 * length if lone else 0.0)
                arrows.append(tail + _arrow(length, 0.03 + 0.025 * weight) @ np.array((along, (-along[1], along[0]))))
                arrow_inks.append(inks[r, c])
    axes.add_collection(PolyCollection(arrows, facecolors=arrow_inks, linewidths=0, zorder=3))
    axes.add_collection(PatchCollection(dots, facecolors=dot_inks, linewidths=0, zorder=3))


def _arrow(length: float, thickness: float) -> NDArray[np.float64]:
    """Corners [7, 2] of an arrow to the right that begins at the origin."""
    half, wing, neck = thickness / 2, thickness * 1.65, length - min(0.62 * length, 3 * thickness)
    return np.array([(0, -half), (neck, -half), (neck, -wing), (length, 0), (neck, wing), (neck, half), (0, half)])


def _numbers(axes: Axes, value: NDArray[np.float64], inks: NDArray[np.str_], points: float, *, low: bool) -> None:
    known = value[np.isfinite(value)]
    largest = np.abs(known).max(initial=0.0)
    whole = bool(np.all(np.abs(known - np.rint(known)) < 1e-6))
    digits = 0 if whole or largest >= 100 else 2 if largest < 2 else 1
    for r, c in np.argwhere(np.isfinite(value)):
        text = f"{value[r, c]:.{digits}f}".replace("-", "−")
        axes.text(
            c, r + (0.33 if low else 0.0), text, color=inks[r, c], fontsize=points, ha="center", va="center", zorder=5
        )
