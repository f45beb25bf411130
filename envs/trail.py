"""A trajectory as a smooth line: every pass over the same edge keeps to a lane of its own, so that loops can be read."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from envs.palette import AGENT, FLOOR, TRAIL, mix

if TYPE_CHECKING:
    from envs.canvas import Canvas

Point = tuple[float, float]
LANE = 0.16  # distance of two lanes, in cells


class Leg(NamedTuple):
    """One move between two different cells: its ends, its direction and the offset of its lane, in cells."""

    start: Point
    end: Point
    along: Point
    lane: Point
    jump: bool


def legs(states: Sequence[int], cols: int) -> list[Leg]:
    """Lay out the moves. Traffic keeps to the right, further out on every repetition; an edge used once runs straight."""
    moves = [(a, b) for a, b in pairwise(states) if a != b]
    uses = Counter(frozenset(move) for move in moves)
    seen: Counter[tuple[int, int]] = Counter()
    found = []
    for a, b in moves:
        start, end = (a % cols + 0.5, a // cols + 0.5), (b % cols + 0.5, b // cols + 0.5)
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = math.hypot(dx, dy)
        along = (dx / length, dy / length)
        side = 0.0 if uses[frozenset((a, b))] == 1 else LANE * (0.5 + seen[a, b] % 3)
        seen[a, b] += 1
        lane = (-along[1] * side, along[0] * side)
        found.append(Leg(start, end, along, lane, jump=length > 1.5))
    return found


def path(found: Sequence[Leg]) -> list[list[Point]]:
    """Points of the line, in cells, one list for each leg together with the bend into the next one."""
    pieces = []
    for index, leg in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        bend_in = 0.0 if index == 0 else 0.3
        bend_out = 0.0 if following is None else 0.3
        first, last = _on(leg, leg.start, bend_in), _on(leg, leg.end, -bend_out)
        points = [first, last]
        if following is not None:
            points += _bend(last, leg, following)
        pieces.append(points)
    return pieces


def draw_trail(canvas: "Canvas", states: Sequence[int], cols: int, cell: float) -> None:
    """Draw where the agent has been, pale at first and full at the end; staying put draws a ring."""
    thickness = max(1.4, 0.075 * cell) if cell >= 8 else max(1.0, 0.5 * cell)
    found = legs(states, cols)
    pieces = path(found)
    pale = 0.0 if cell >= 8 else 0.4  # a thin line needs more colour
    for casing in (True, False):
        for index, (leg, points) in enumerate(zip(found, pieces, strict=True)):
            colour = FLOOR if casing else mix(TRAIL, AGENT, pale + (1 - pale) * (index + 1) / len(pieces))
            width = thickness * (1.9 if casing else 1.0)
            scaled = [(x * cell, y * cell) for x, y in points]
            for number, (one, other) in enumerate(pairwise(scaled)):
                if leg.jump and number == 0:
                    _dashes(canvas, one, other, width, colour, 0.14 * cell)
                else:
                    canvas.line(one, other, width, colour)
    if cell >= 14:
        _rings(canvas, states, cols, cell, thickness)


def _rings(canvas: "Canvas", states: Sequence[int], cols: int, cell: float, thickness: float) -> None:
    stays = Counter(a for a, b in pairwise(states) if a == b)
    for state, count in stays.items():
        x, y = (state % cols + 0.5) * cell, (state // cols + 0.5) * cell
        for number in range(min(count, 3)):
            canvas.ring(x, y, (0.14 + 0.075 * number) * cell, AGENT, thickness * 0.6)


def _on(leg: Leg, point: Point, distance: float) -> Point:
    return (
        point[0] + leg.lane[0] + leg.along[0] * distance,
        point[1] + leg.lane[1] + leg.along[1] * distance,
    )


def _bend(last: Point, leg: Leg, following: Leg) -> list[Point]:
    """A quadratic curve from the end of one leg to the beginning of the next; a U-turn swings past the middle."""
    onto = _on(following, following.start, 0.3)
    turn = leg.along[0] * following.along[0] + leg.along[1] * following.along[1]
    swing = 0.3 if turn < -0.9 else 0.0
    control = (
        leg.end[0] + (leg.lane[0] + following.lane[0]) / 2 + leg.along[0] * swing,
        leg.end[1] + (leg.lane[1] + following.lane[1]) / 2 + leg.along[1] * swing,
    )
    curve = []
    for k in range(1, 9):
        t = k / 8
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        curve.append((a * last[0] + b * control[0] + c * onto[0], a * last[1] + b * control[1] + c * onto[1]))
    return curve


def _dashes(
    canvas: "Canvas", start: Point, end: Point, thickness: float, colour: tuple[int, int, int], step: float
) -> None:
    count = max(1, int(math.dist(start, end) / step))
    for k in range(0, count, 2):
        one, other = k / count, min(1.0, (k + 1) / count)
        canvas.line(_between(start, end, one), _between(start, end, other), thickness, colour)


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
