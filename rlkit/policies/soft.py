"""Nets for discrete soft actor-critics: a policy of probabilities, and several critics Q(s, ·)."""

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlkit.policies.activations import Activation
from rlkit.policies.encoders import Eyes
from rlkit.policies.heads import Categorical
from rlkit.policies.networks import mlp
from rlkit.policies.protocol import Acted
from rlkit.policies.senses import Senses


class Chooser(nn.Module):
    """π(a|s) of Discrete actions.

    Args:
        senses: what comes in.
        space: Discrete actions.
        hidden: widths of the layers.
        activation: after each of them.
        generator: draws the weights.
    """

    def __init__(
        self,
        senses: Senses,
        space: gym.spaces.Discrete[Any],
        hidden: tuple[int, ...],
        activation: Activation,
        *,
        generator: np.random.Generator,
    ) -> None:
        super().__init__()
        self.head = Categorical(int(space.n))
        self.eyes = Eyes(senses, generator)
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
        space: gym.spaces.Discrete[Any],
        hidden: tuple[int, ...],
        activation: Activation,
        *,
        generator: np.random.Generator,
        count: int,
    ) -> None:
        super().__init__()
        self.eyes = nn.ModuleList(Eyes(senses, generator) for _ in range(count))
        widths = [int(eyes.width) for eyes in self.eyes if isinstance(eyes, Eyes)]
        self.nets = nn.ModuleList(mlp((width, *hidden, int(space.n)), activation, generator, 1.0) for width in widths)

    def forward(self, obs: Tensor) -> Tensor:
        """Return Q_i(s, ·) of observations [N, *shape], [C, N, A]."""
        return torch.stack([net(eyes(obs)) for eyes, net in zip(self.eyes, self.nets, strict=True)])
