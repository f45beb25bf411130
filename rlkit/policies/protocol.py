"""What samplers and losses ask of a policy, be it a small net or a language model."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from torch import Tensor
from torch.nn import Parameter

from rlkit.data import Trajectories
from rlkit.policies.heads import Head


class Evaluation(NamedTuple):
    """What a policy says now of actions that were taken, both [B, T]."""

    logprobs: Tensor  # log π(a|s)
    entropy: Tensor  # of π(·|s)


class Acted(NamedTuple):
    """What a policy did in N environments."""

    actions: Tensor  # [N, ...]
    logprobs: Tensor  # [N]
    memory: Tensor | None  # [N, H]  after the step


class Actor(Protocol):
    """Anything that can act in environments."""

    @property
    def head(self) -> Head:
        """Its distribution over actions, which says what random numbers an action takes."""
        ...

    def start(self, count: int) -> Tensor | None:
        """Return the memory of `count` environments at the beginning, [N, H]; None for a policy without."""
        ...

    def act(
        self, obs: Tensor, draws: Tensor | None, allowed: Tensor | None = None, memory: Tensor | None = None
    ) -> Acted:
        """Choose an action in each of N environments: obs [N, *shape], draws [N, D], allowed bool [N, A], memory [N, H]."""
        ...


class Policy(Protocol):
    """Anything that can say how likely it finds the actions of trajectories."""

    def evaluate(self, traj: Trajectories) -> Evaluation:
        """Return log π(a|s) and the entropy of π(·|s) at every step, with gradient."""
        ...


class Learner(Policy, Protocol):
    """A policy that is a net: it has weights to learn."""

    def parameters(self) -> Iterator[Parameter]:
        """Return its weights."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return its weights and buffers by name."""
        ...
