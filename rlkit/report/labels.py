"""Names written at the ends of curves, where the eye already is, and not in a legend box."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from numpy.typing import NDArray

Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels


class End(NamedTuple):
    """The last point of a curve, its name and its colour."""

    x: float
    y: float
    name: str
    colour: str


def name_ends(made: Figure, axes: Axes, ends: list[End]) -> None:
    """Write every name beside its end: the nearest place that covers no other name and as little curve as can be."""
    notes = [_note(axes, end) for end in ends]
    made.draw_without_rendering()
    made.set_layout_engine("none")
    area = axes.get_window_extent()
    room = (area.x0, area.y0, float(made.bbox.width), area.y1)
    ink = np.concatenate([_samples(axes, index) for index in range(len(axes.lines))])
    tips = axes.transData.transform([(end.x, end.y) for end in ends])
    taken: list[Box] = [(x - 4, y - 4, x + 4, y + 4) for x, y in tips]
    point = made.dpi / 72
    for index in np.argsort([-end.y for end in ends]):
        (x, y), note = tips[index], notes[index]
        size = note.get_window_extent()
        boxes = [_box(x, y, size.width, size.height, dx * point, dy * point) for dx, dy in OFFSETS]
        costs = [_cost(box, taken, ink, room) + 0.02 * np.hypot(*way) for box, way in zip(boxes, OFFSETS, strict=True)]
        best = int(np.argmin(costs))
        left, bottom, right, top = boxes[best]
        taken.append(boxes[best])
        note.set_position(((left - x) / point, ((bottom + top) / 2 - y) / point))
        if np.hypot(*OFFSETS[best]) > 16:
            _leader(axes, (x, y), (left if OFFSETS[best][0] > 0 else right, (bottom + top) / 2), ends[index].colour)


# Points away from the end, to the right or (negative) to the left of it, nearest first.
OFFSETS = [(7.0, dy) for dy in (0, 5, -5, 9, -9)] + [
    (side * dx, dy) for dx in (7.0, 14.0, 24.0) for dy in (14, -14, 22, -22, 32, -32, 44, -44) for side in (1, -1)
]


def _note(axes: Axes, end: End) -> Annotation:
    red, green, blue = (0.72 * channel for channel in to_rgb(end.colour))
    return axes.annotate(
        end.name,
        (end.x, end.y),
        xytext=(0, 0),
        textcoords="offset points",
        color=(red, green, blue),
        fontsize=8.5,
        va="center",
        annotation_clip=False,
        zorder=6,
    )


def _leader(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    x, y = zip(*axes.transData.inverted().transform([start, end]), strict=True)
    axes.plot(x, y, color=colour, linewidth=0.7, alpha=0.7, zorder=2, scalex=False, scaley=False)


def _samples(axes: Axes, index: int) -> NDArray[np.float64]:
    """Pixels along a curve, about four apart."""
    corners = axes.transData.transform(np.column_stack(axes.lines[index].get_data()))
    along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    places = np.linspace(0, along[-1], int(along[-1] / 4) + 1)
    return np.column_stack([np.interp(places, along, corners[:, axis]) for axis in (0, 1)])


def _box(x: float, y: float, width: float, height: float, dx: float, dy: float) -> Box:
    left = x + dx if dx > 0 else x + dx - width
    return left, y + dy - height / 2, left + width, y + dy + height / 2


def _cost(box: Box, taken: list[Box], ink: NDArray[np.float64], inside: Box) -> float:
    left, bottom, right, top = box
    outside = (
        max(inside[0] - left, 0) + max(inside[1] - bottom, 0) + max(right - inside[2], 0) + max(top - inside[3], 0)
    )
    overlaps = sum(left < r and right > x and bottom < t and top > b for x, b, r, t in taken)
    covered = (ink[:, 0] > left) & (ink[:, 0] < right) & (ink[:, 1] > bottom) & (ink[:, 1] < top)
    return 20.0 * outside + 400.0 * overlaps + float(covered.sum())
