"""What a surrogate loss asks of a policy, be it a small net or a language model."""

from typing import NamedTuple, Protocol

from torch import Tensor

from rlkit.data import Trajectories


class Evaluation(NamedTuple):
    """What a policy says now of actions that were taken, both [B, T]."""

    logprobs: Tensor  # log π(a|s)
    entropy: Tensor  # of π(·|s)


class Policy(Protocol):
    """Anything that can say how likely it finds the actions of trajectories."""

    def evaluate(self, traj: Trajectories) -> Evaluation:
        """Return log π(a|s) and the entropy of π(·|s) at every step, with gradient."""
        ...
