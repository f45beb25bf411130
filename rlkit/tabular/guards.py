"""Guards of stochastic approximation: projections that keep w where it may be, and steps that are not too long."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Guard = Callable[[Any], Any]  # w -> w, moved back to where it may be


@dataclass(frozen=True)
class Interval:
    """The projection onto [low, high]; onto a box where low and high are [d]."""

    low: ArrayLike
    high: ArrayLike

    def __post_init__(self) -> None:
        if not (np.asarray(self.low) <= np.asarray(self.high)).all():
            raise ValueError(f"the interval goes from {self.low!r} to {self.high!r}; low must not exceed high")

    def __call__(self, w: Any) -> Any:
        """Return the nearest point of the interval or box."""
        return np.clip(w, self.low, self.high)


@dataclass(frozen=True)
class Ball:
    """The projection onto the points at most `radius` from a center."""

    radius: float
    center: ArrayLike = 0.0

    def __post_init__(self) -> None:
        if not self.radius > 0.0:
            raise ValueError(f"the ball has radius {self.radius}; it must be above 0")

    def __call__(self, w: Any) -> Any:
        """Return the nearest point of the ball."""
        away = w - np.asarray(self.center)
        far = np.sqrt(np.sum(away * away))
        return w if far <= self.radius else self.center + away * (self.radius / far)


def anywhere(w: Any) -> Any:
    """Return w: no guard."""
    return w


def clipped(step: Any, longest: float) -> Any:
    """Shorten a step a_k g̃ to the length `longest`, its direction kept."""
    length = np.sqrt(np.sum(step * step)) if np.ndim(step) else abs(step)
    return step * (longest / length) if length > longest else step
