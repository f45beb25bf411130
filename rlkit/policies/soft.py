"""What soft actor-critics are made of: a temperature; for discrete actions a policy of probabilities, and several critics Q(s, ·)."""

import math
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlkit.policies.activations import Activation
from rlkit.policies.encoders import Eyes
from rlkit.policies.heads import Categorical
from rlkit.policies.networks import mlp
from rlkit.policies.protocol import Acted
from rlkit.policies.senses import Senses


class Temperature:
    """α = exp(log α), above 0 whatever is learned of its logarithm.

    Args:
        value: α at the start.
        device: where it is.
    """

    def __init__(self, value: float, device: torch.device) -> None:
        self.log = nn.Parameter(torch.tensor(math.log(value), device=device))

    @property
    def now(self) -> Tensor:
        """α without gradient, a scalar."""
        return self.log.detach().exp()

    def state_dict(self) -> NDArray[Any]:
        """Return log α."""
        return self.log.detach().to("cpu", copy=True).numpy()

    @torch.no_grad()
    def load_state_dict(self, state: Any) -> None:
        """Take over log α."""
        self.log.fill_(float(state))


class Chooser(nn.Module):
    """π(a|s) of Discrete actions.

    Args:
        senses: what comes in.
        space: Discrete actions.
        hidden: widths of the layers.
        activation: after each of them.
        generator: draws the weights.
        normalise: standardise observations; see `Eyes`.

    Raises:
        ValueError: actions are not Discrete.
    """

    def __init__(
        self,
        senses: Senses,
        space: gym.Space[Any],
        hidden: tuple[int, ...],
        activation: Activation,
        *,
        generator: np.random.Generator,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.head = Categorical(_choices(space))
        self.eyes = Eyes(senses, generator, normalise=normalise)
        self.net = mlp((self.eyes.width, *hidden, self.head.size), activation, generator, 0.01)

    def logprobs(self, obs: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return log π(·|s) of observations [N, *shape], [N, A]; that of a forbidden action is very low, and its probability 0."""
        logits: Tensor = self.net(self.eyes(obs))
        if allowed is not None:
            logits = logits.masked_fill(~allowed, -1e9)
        return torch.log_softmax(logits, -1)

    def start(self, count: int) -> Tensor | None:  # noqa: ARG002 - the protocol's
        """Return None: there is no memory."""
        return None

    def act(
        self, obs: Tensor, draws: Tensor | None, allowed: Tensor | None = None, memory: Tensor | None = None
    ) -> Acted:
        """Return the most probable action, or with uniform draws [N, 1] one of π."""
        logs = self.logprobs(obs, allowed)
        actions = self.head.mode(logs) if draws is None else self.head.sample(logs, draws)
        return Acted(actions, self.head.log_prob(logs, actions), memory)

    def wander(self, draws: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return actions spread evenly over the allowed ones, [N]."""
        shape = (len(draws), self.head.size)
        logits = draws.new_zeros(shape) if allowed is None else torch.where(allowed, 0.0, -1e9)
        return self.head.sample(logits, draws)


class Tables(nn.Module):
    """C critics Q_i(s, ·) of Discrete actions; see `Chooser`."""

    def __init__(
        self,
        senses: Senses,
        space: gym.Space[Any],
        hidden: tuple[int, ...],
        activation: Activation,
        *,
        generator: np.random.Generator,
        count: int,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.eyes = nn.ModuleList(Eyes(senses, generator, normalise=normalise) for _ in range(count))
        widths = [int(eyes.width) for eyes in self.eyes if isinstance(eyes, Eyes)]
        self.nets = nn.ModuleList(
            mlp((width, *hidden, _choices(space)), activation, generator, 1.0) for width in widths
        )

    def forward(self, obs: Tensor) -> Tensor:
        """Return Q_i(s, ·) of observations [N, *shape], [C, N, A]."""
        return torch.stack([net(eyes(obs)) for eyes, net in zip(self.eyes, self.nets, strict=True)])


def _choices(space: gym.Space[Any]) -> int:
    if not isinstance(space, gym.spaces.Discrete):
        raise ValueError(f"actions are {space}; this net chooses among Discrete ones")
    return int(space.n)
