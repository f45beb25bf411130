"""What copies of an environment give, however they are stepped, and what they must be able to do."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Outcome(NamedTuple):
    """One step of N copies in Gymnasium's mode SAME_STEP: where an episode is over, the next one has begun."""

    obs: NDArray[Any]  # [N, *shape]  packed; what to act on next
    next_obs: NDArray[Any]  # [N, *shape]  the true successors
    rewards: NDArray[np.float64]  # [N]
    terminated: NDArray[np.bool_]  # [N]
    truncated: NDArray[np.bool_]  # [N]
    masks: list[Any]  # [N]  info["action_mask"] that comes with obs, or None


class Copies(Protocol):
    """N copies of an environment."""

    def begin(self, seeds: Sequence[int] | None = None) -> tuple[NDArray[Any], list[Any]]:
        """Begin an episode in each, by default with the next seed of its own; packed observations and masks."""
        ...

    def step(self, actions: NDArray[Any], resting: NDArray[np.bool_] | None) -> Outcome:
        """Take an action in each; what resting ones do means nothing."""
        ...

    def state(self) -> dict[str, Any]:
        """Return where they stand."""
        ...

    def restore(self, state: Mapping[str, Any]) -> tuple[NDArray[Any], list[Any]]:
        """Bring them back there; packed observations and masks."""
        ...

    def close(self) -> None:
        """Free what they hold."""
        ...
