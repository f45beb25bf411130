"""When a deep agent reports, and a check of what it says."""

import math
import sys

from rlkit.sample.config import Timed

_MOST = 10_000  # steps between two reports where nobody says how many there will be


def every(config: Timed, steps: int) -> int:
    """Return the number of steps between two reports, where `steps` are asked for."""
    return config.report or (_MOST if steps == sys.maxsize else max(1, steps // 100))


def checked(scalars: dict[str, float], step: int) -> dict[str, float]:
    """Return what an update came to, if it came to numbers.

    Raises:
        ValueError: the net has diverged.
    """
    for name, value in scalars.items():
        if not math.isfinite(value):
            raise ValueError(
                f"{name} is {value} after step {step:,}: the net has diverged; lower lr or max_grad_norm, or scale the rewards "
                "with normalise_rewards"
            )
    return scalars
