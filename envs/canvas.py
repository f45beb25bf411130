"""A pygame surface drawn larger than asked and scaled down, so that every edge is smooth; no window, no display."""

import math
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from envs.palette import Colour

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
import pygame

Point = tuple[float, float]
Area = tuple[int, int, int, int]  # left, top, right, bottom in pixels


class Canvas:
    """A picture of `width` x `height` pixels; coordinates are (x, y) in those pixels and may be fractions."""

    def __init__(self, width: int, height: int, background: Colour, *, detail: int = 3) -> None:
        self.size = (width, height)
        self.detail = detail
        self.surface = pygame.Surface((width * detail, height * detail), depth=32)
        self.surface.fill(background)

    def copy(self) -> "Canvas":
        """Return a canvas with the same picture, to draw on without changing this one."""
        twin = Canvas.__new__(Canvas)
        twin.size, twin.detail, twin.surface = self.size, self.detail, self.surface.copy()
        return twin

    def array(self) -> NDArray[np.uint8]:
        """Return the picture as rows of pixels [height, width, 3]."""
        return self.part((0, 0, *self.size))

    def part(self, area: Area) -> NDArray[np.uint8]:
        """Return the pixels of an area; each is the mean of what was drawn in it (pygame's own scaling is off by two)."""
        left, top, right, bottom = (edge * self.detail for edge in area)
        drawn = pygame.surfarray.pixels2d(self.surface).T[top:bottom, left:right].view(np.uint8)
        drawn = drawn.reshape(bottom - top, right - left, 4)
        channels = [shift // 8 for shift in self.surface.get_shifts()[:3]]
        if self.detail == 1:
            return np.ascontiguousarray(drawn[..., channels])
        rows = np.zeros((len(drawn) // self.detail, right - left, 4), np.uint16)
        total = np.zeros((len(rows), (right - left) // self.detail, 4), np.uint16)
        for k in range(self.detail):
            rows += drawn[k :: self.detail]
        for k in range(self.detail):
            total += rows[:, k :: self.detail]
        square = self.detail * self.detail
        return ((total[..., channels] + square // 2) // square).astype(np.uint8)

    def restore(self, original: "Canvas", area: Area) -> None:
        """Take an area of the picture back from another canvas of the same size."""
        left, top, right, bottom = area
        large = self._box(left, top, right - left, bottom - top)
        self.surface.blit(original.surface, large, large)

    def blocks(self, colours: NDArray[np.uint8]) -> None:
        """Cover the picture with equal blocks of the colours [rows, cols, 3]."""
        rows, cols = colours.shape[:2]
        tiny = pygame.Surface((cols, rows), depth=32)
        pygame.surfarray.blit_array(tiny, colours.swapaxes(0, 1))
        pygame.transform.scale(tiny, self.surface.get_size(), self.surface)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour, radius: float = 0.0) -> None:
        """Fill a rectangle with rounded corners."""
        pygame.draw.rect(
            self.surface, colour, self._box(x, y, width, height), border_radius=round(radius * self.detail)
        )

    def frame(
        self, x: float, y: float, width: float, height: float, colour: Colour, thickness: float, radius: float = 0.0
    ) -> None:
        """Draw the border of a rectangle, inside its edges."""
        line = max(1, round(thickness * self.detail))
        box = self._box(x, y, width, height)
        pygame.draw.rect(self.surface, colour, box, width=line, border_radius=round(radius * self.detail))

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        pygame.draw.circle(self.surface, colour, (x * self.detail, y * self.detail), radius * self.detail)

    def ring(self, x: float, y: float, radius: float, colour: Colour, thickness: float) -> None:
        """Draw a circle whose line lies inside `radius`."""
        line = max(1, round(thickness * self.detail))
        pygame.draw.circle(self.surface, colour, (x * self.detail, y * self.detail), radius * self.detail, width=line)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        pygame.draw.polygon(self.surface, colour, [(x * self.detail, y * self.detail) for x, y in points])

    def star(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a five-pointed star."""
        turns = [math.pi * (k / 5 - 0.5) for k in range(10)]
        reach = [radius * (0.46 if k % 2 else 1.0) for k in range(10)]
        self.polygon([(x + r * math.cos(t), y + r * math.sin(t)) for t, r in zip(turns, reach, strict=True)], colour)

    def line(self, start: Point, end: Point, thickness: float, colour: Colour) -> None:
        """Draw a straight line with round ends."""
        length = math.dist(start, end)
        if length > 0:
            nx = (start[1] - end[1]) / length * thickness / 2
            ny = (end[0] - start[0]) / length * thickness / 2
            corners = [
                (x + side * nx, y + side * ny) for (x, y), side in ((start, 1), (end, 1), (end, -1), (start, -1))
            ]
            self.polygon(corners, colour)
        for x, y in (start, end):
            self.disc(x, y, thickness / 2, colour)

    def arrow(self, x: float, y: float, way: tuple[int, int], length: float, thickness: float, colour: Colour) -> None:
        """Draw an arrow that begins at (x, y), with its head inside `length`."""
        size = math.hypot(*way)
        ux, uy = way[0] / size, way[1] / size
        head = min(length * 0.62, thickness * 3.0)
        neck = (x + ux * (length - head), y + uy * (length - head))
        wing = thickness * 1.65
        self.line((x, y), neck, thickness, colour)
        tip = (x + ux * length, y + uy * length)
        self.polygon(
            [tip, (neck[0] - uy * wing, neck[1] + ux * wing), (neck[0] + uy * wing, neck[1] - ux * wing)], colour
        )

    def text(self, x: float, y: float, words: str, height: float, colour: Colour, *, fit: float) -> None:
        """Write one line centred on (x, y), at most `height` tall and `fit` wide."""
        if not pygame.font.get_init():
            pygame.font.init()
        font = pygame.font.Font(None, max(4, round(height * self.detail)))
        wide = font.size(words)[0]
        if wide > fit * self.detail:
            font = pygame.font.Font(None, max(4, int(height * self.detail * fit * self.detail / wide)))
        drawn = font.render(words, True, colour)
        ink = drawn.get_bounding_rect()
        corner = (round(x * self.detail - ink.centerx), round(y * self.detail - ink.centery))
        self.surface.blit(drawn, corner)

    def _box(self, x: float, y: float, width: float, height: float) -> pygame.Rect:
        left, top = round(x * self.detail), round(y * self.detail)
        return pygame.Rect(left, top, round((x + width) * self.detail) - left, round((y + height) * self.detail) - top)
