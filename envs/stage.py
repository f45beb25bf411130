"""A board on which only the agent moves: what it covered is taken back, and no more is drawn than what changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.board import board, cell_size, fills
from envs.cells import Layout
from envs.draw import draw_mover

if TYPE_CHECKING:
    from envs.canvas import Area


class Stage:
    """The cells of a layout, drawn once, and the present picture of them with the agent."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.cell = cell_size(layout.shape)
        nowhere = np.zeros(layout.shape, np.bool_)
        self._empty = board(layout, self.cell, fills(layout, None, None), nowhere, nowhere)
        self._canvas = self._empty.copy()
        self._shown = self._canvas.array()
        self._covered: Area = (0, 0, 0, 0)

    def show(self, agent: int, trajectory: Sequence[int] | None = None) -> NDArray[np.uint8]:
        """Draw the agent and its way; return the pixels [H, W, 3], which the next call changes."""
        self._canvas.restore(self._empty, self._covered)
        draw_mover(self._canvas, self.layout, agent, trajectory, self.cell)
        covers = self._area([agent, *(trajectory or ())])
        for area in (self._covered, covers):
            left, top, right, bottom = area
            self._shown[top:bottom, left:right] = self._canvas.part(area)
        self._covered = covers
        return self._shown

    def _area(self, states: Sequence[int]) -> "Area":
        """Pixels that a drawing of these states can touch."""
        row, col = np.divmod(np.asarray(states), self.layout.shape[1])
        margin = max(6 * self.cell // 10, 16)
        height, width = self._shown.shape[:2]
        return (
            max(0, int(col.min()) * self.cell - margin),
            max(0, int(row.min()) * self.cell - margin),
            min(width, int(col.max() + 1) * self.cell + margin),
            min(height, int(row.max() + 1) * self.cell + margin),
        )
