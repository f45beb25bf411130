"""The cells of a grid as a picture: tiles with marks where there is room for them, exact blocks where there is not."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs import palette
from envs.cells import FLOOR, FORBIDDEN, ICE, TARGET, TELEPORT, WALL, Layout
from envs.palette import Colour, ink_on, mix

if TYPE_CHECKING:
    from envs.canvas import Canvas

ROOM = 14  # pixels a cell needs for arrows and marks
FILLS = np.zeros((6, 3), np.uint8)
for kind, fill in (
    (FLOOR, palette.FLOOR),
    (WALL, palette.WALL),
    (FORBIDDEN, palette.FORBIDDEN),
    (TARGET, palette.TARGET),
    (ICE, palette.ICE),
    (TELEPORT, palette.FLOOR),
):
    FILLS[kind] = fill


def cell_size(shape: tuple[int, int]) -> int:
    """Choose how many pixels a cell gets: a picture of at most about 800, cells of at most 120."""
    return max(1, min(120, 800 // max(shape)))


def fills(layout: Layout, value: NDArray[np.float64] | None, limits: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Colour of every cell [rows, cols, 3]: by its value where it has one, otherwise by its kind."""
    colours = FILLS[layout.kinds]
    if value is None:
        return colours
    shown = np.isfinite(value)
    low, high = limits or spread(value[shown])
    span = high - low if high > low else 1.0
    colours[shown] = palette.heat(np.clip((value[shown] - low) / span, 0.0, 1.0))
    return colours


def spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Values of the palest and the deepest colour: the extremes; on a large grid the outer half per cent is left out."""
    if not len(values):
        return 0.0, 1.0
    low, high = np.quantile(values, (0.005, 0.995) if len(values) > 1000 else (0.0, 1.0))
    return float(low), float(high)


def board(
    layout: Layout, cell: int, colours: NDArray[np.uint8], valued: NDArray[np.bool_], busy: NDArray[np.bool_]
) -> "Canvas":
    """Draw the cells.

    Args:
        layout: the grid.
        cell: pixels per cell.
        colours: [rows, cols, 3] from `fills`.
        valued: [rows, cols] whether the colour is a value, so that a forbidden cell needs a frame to be seen.
        busy: [rows, cols] whether arrows or numbers need the middle, so that marks stand small in the corners.
    """
    from envs.canvas import Canvas  # noqa: PLC0415 - the first picture loads pygame, not the import of an environment

    rows, cols = layout.shape
    detail = 3 if rows * cols * cell * cell <= 4_000_000 else 1
    canvas = Canvas(cols * cell, rows * cell, palette.PAPER, detail=detail)
    if cell < ROOM:
        warned = (0.25 * colours + 0.75 * np.array(palette.WARNING)).astype(np.uint8)
        canvas.blocks(np.where((valued & (layout.kinds == FORBIDDEN))[..., None], warned, colours))
        _pins(canvas, layout, cell)
        return canvas
    gap, radius, inset = max(0.5, cell * 0.012), cell * 0.06, cell * 0.035
    for row, col in np.ndindex(rows, cols):
        x, y = col * cell, row * cell
        red, green, blue = colours[row, col].tolist()
        if layout.kinds[row, col] == WALL:
            canvas.box(x, y, cell, cell, (red, green, blue))
            continue
        canvas.box(x + gap, y + gap, cell - 2 * gap, cell - 2 * gap, (red, green, blue), radius)
        if valued[row, col] and layout.kinds[row, col] == FORBIDDEN:
            side = cell - 2 * inset
            canvas.frame(x + inset, y + inset, side, side, palette.WARNING, 0.038 * cell, 0.05 * cell)
        _mark(canvas, layout, (row, col), cell, (red, green, blue), busy=bool(busy[row, col]))
    return canvas


def _mark(canvas: "Canvas", layout: Layout, place: tuple[int, int], cell: int, fill: Colour, *, busy: bool) -> None:
    """Draw wind, the mark of the cell's kind (upper right when busy) and that of a start (upper left when busy)."""
    row, col = place
    x, y = (col + 0.5) * cell, (row + 0.5) * cell
    side, size = (0.35 * cell, 0.5 * cell) if busy else (0.0, 1.0 * cell)
    down, right = layout.wind[place].tolist()
    if down or right:
        _wind(canvas, x, y, cell, (down, right), mix(fill, palette.INK, 0.17))
    kind = layout.kinds[place]
    if kind == TARGET:
        _target(canvas, (x + side, y - side), size, layout.target_reward[place], fill, cell)
    elif kind == ICE:
        _sheen(
            canvas, (x + side, y - side), size, palette.SHEEN if fill == palette.ICE else mix(fill, palette.INK, 0.35)
        )
    elif kind == TELEPORT:
        _portal(canvas, (x + side, y - side), size, layout, place)
    if layout.starts[place] and layout.starts.mean() <= 0.25:
        canvas.ring(x - side, y - side, 0.2 * size, mix(fill, palette.INK, 0.5), max(1.0, 0.05 * size))


def _target(canvas: "Canvas", at: tuple[float, float], size: float, reward: float, fill: Colour, cell: int) -> None:
    ink = palette.WHITE if fill == palette.TARGET else ink_on(fill)
    if np.isnan(reward) or cell < 30:
        canvas.star(*at, 0.26 * size, ink)
    else:
        canvas.text(
            *at, f"{reward:+g}".replace("-", "−"), 0.5 * size, ink, fit=0.56 * size if size < cell else 0.8 * size
        )


def _sheen(canvas: "Canvas", at: tuple[float, float], size: float, colour: Colour) -> None:
    """Draw three slanted glints."""
    for shift, length in ((-0.13, 0.1), (0.0, 0.18), (0.13, 0.08)):
        x, y = at[0] + shift * size, at[1] + shift * size
        reach = length * size
        canvas.line((x - reach, y + reach), (x + reach, y - reach), max(1.0, 0.035 * size), colour)


def _portal(canvas: "Canvas", at: tuple[float, float], size: float, layout: Layout, place: tuple[int, int]) -> None:
    """Draw a ring with a letter, both the same for the two ends of a teleporter."""
    here, twin = place[0] * layout.shape[1] + place[1], int(layout.partner[place])
    firsts = np.flatnonzero(layout.partner.ravel() > np.arange(layout.n_states))
    number = int(np.searchsorted(firsts, min(here, twin)))
    colour = palette.PORTALS[number % len(palette.PORTALS)]
    canvas.disc(*at, 0.3 * size, mix(palette.FLOOR, colour, 0.2))
    canvas.ring(*at, 0.3 * size, colour, max(1.0, 0.06 * size))
    if size >= 22:
        canvas.text(*at, chr(ord("A") + number % 26), 0.44 * size, colour, fit=0.4 * size)


def _wind(canvas: "Canvas", x: float, y: float, cell: int, wind: tuple[int, int], colour: Colour) -> None:
    """Draw one chevron for each unit of the wind's strength, pointing where it blows."""
    down, right = wind
    strength = max(abs(down), abs(right))
    length = np.hypot(down, right)
    ux, uy = right / length, down / length
    for step in range(min(strength, 3)):
        shift = (step - (min(strength, 3) - 1) / 2) * 0.2 * cell
        tip = (x + ux * (shift + 0.1 * cell), y + uy * (shift + 0.1 * cell))
        for turn in (1, -1):
            tail = (tip[0] - 0.17 * cell * (ux - turn * uy), tip[1] - 0.17 * cell * (uy + turn * ux))
            canvas.line(tip, tail, max(1.0, 0.05 * cell), colour)


def _pins(canvas: "Canvas", layout: Layout, cell: int) -> None:
    """Mark a few targets with stars that stay visible when their cells are only a few pixels wide."""
    targets = np.argwhere(layout.kinds == TARGET)
    if len(targets) > 12 or min(canvas.size) < 60:
        return
    for row, col in targets:
        x = min(max((col + 0.5) * cell, 9.0), canvas.size[0] - 9.0)
        y = min(max((row + 0.5) * cell, 9.0), canvas.size[1] - 9.0)
        canvas.star(x, y, 11.0, palette.INK)
        canvas.star(x, y, 7.5, palette.WHITE)
