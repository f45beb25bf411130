"""A film of an episode: an animated GIF, written with Pillow. Gymnasium's RecordVideo would need moviepy, and ffmpeg with it."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rlkit.agent import Agent
from rlkit.run.evaluate import evaluate
from rlkit.run.files import replacing

_FASTEST = 20  # milliseconds a frame: what browsers show of a GIF


class Filmed(gym.Wrapper[Any, Any, Any, Any]):
    """An environment that keeps a picture of every state, the first one included; `frames` has them, uint8 [H, W, 3]."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.frames: list[NDArray[np.uint8]] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and take a picture."""
        began = self.env.reset(seed=seed, options=options)
        self._expose()
        return began

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action, and a picture."""
        taken = self.env.step(action)
        self._expose()
        return taken

    def _expose(self) -> None:
        frame: Any = self.env.render()
        self.frames.append(np.asarray(frame, np.uint8))


def film(agent: Agent, env: gym.Env[Any, Any], path: str | Path, seed: int = 0, *, max_steps: int = 10_000) -> int:
    """Write the first episode that `evaluate` would play with this seed as an animated GIF; return how many frames it has.

    Args:
        agent: whose actions are taken.
        env: made with render_mode="rgb_array".
        path: of the file.
        seed: of the reset.
        max_steps: the episode is cut here if nothing else ends it.

    Raises:
        ValueError: the environment draws no pictures.
    """
    if env.render_mode != "rgb_array":
        raise ValueError(f"render_mode is {env.render_mode!r}; a film needs an environment made with 'rgb_array'")
    filmed = Filmed(env)
    evaluate(agent, filmed, 1, seed, max_steps=max_steps)
    pause = 1000.0 / float(env.metadata.get("render_fps") or 30)
    every = max(1, round(_FASTEST / pause))  # frames that are left out are too fast to be seen
    pictures = [Image.fromarray(frame) for frame in filmed.frames[::every]]
    duration = max(_FASTEST, 10 * round(every * pause / 10))
    with replacing(path) as file:
        pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0)
    return len(pictures)
