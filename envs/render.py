"""What a grid world shows: a window, pixels or text; and `draw` and `ansi`, the pictures of values and policies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.ansi import ansi
from envs.cells import Layout
from envs.draw import draw
from envs.stage import Stage

__all__ = ["Renderer", "ansi", "draw"]


class Renderer:
    """Shows an agent on a layout, in one of Gymnasium's render modes; a copy or a pickle of it has no window."""

    def __init__(self, layout: Layout, mode: str, fps: int) -> None:
        if mode not in {"human", "rgb_array", "ansi"}:
            raise ValueError(f"mode is {mode!r}; choose 'human', 'rgb_array' or 'ansi'")
        self.layout = layout
        self.mode = mode
        self.fps = fps
        self._stage: Stage | None = None
        self._window: Any = None
        self._clock: Any = None

    def __reduce__(self) -> tuple[type["Renderer"], tuple[Layout, str, int]]:
        return Renderer, (self.layout, self.mode, self.fps)

    def render(self, agent: int, trajectory: Sequence[int] | None = None) -> NDArray[np.uint8] | str | None:
        """Show the agent, and the way that it took: text for ansi, pixels [H, W, 3] for rgb_array, None for human."""
        if self.mode == "ansi":
            return ansi(self.layout, agent=agent)
        if self._stage is None:
            self._stage = Stage(self.layout)
        pixels = self._stage.show(agent, trajectory)
        if self.mode == "rgb_array":
            return pixels.copy()
        import pygame  # noqa: PLC0415 - loaded by the first picture, not by the import of an environment

        if self._window is None:
            pygame.display.init()
            pygame.display.set_caption(f"GridWorld: {self.layout.name}")
            self._window = pygame.display.set_mode(pixels.shape[1::-1])
            self._clock = pygame.time.Clock()
        self._window.blit(pygame.image.frombytes(pixels.tobytes(), pixels.shape[1::-1], "RGB"), (0, 0))
        pygame.event.pump()
        pygame.display.update()
        self._clock.tick(self.fps)
        return None

    def close(self) -> None:
        """Close the window, if one is open."""
        if self._window is not None:
            import pygame  # noqa: PLC0415 - loaded when the window was opened

            pygame.display.quit()
            self._window = self._clock = None
