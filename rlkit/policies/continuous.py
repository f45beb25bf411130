"""Nets for bounded Box actions: deterministic and squashed Gaussian policies, and critics Q(s, a). Actions are in the environment's units."""

import math
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from rlkit.policies.activations import Activation
from rlkit.policies.encoders import Eyes
from rlkit.policies.heads import Gaussian
from rlkit.policies.networks import mlp
from rlkit.policies.protocol import Acted
from rlkit.policies.senses import Senses

_LOW, _HIGH = -5.0, 2.0  # of log standard deviations
_FIRST_GAIN = 0.01  # of a policy's last layer: it begins near the middle of the actions


class Range(nn.Module):
    """The bounds of actions: [-1, 1] to the environment's units and back.

    Raises:
        ValueError: actions are not a Box with finite bounds.
    """

    middle: Tensor  # [D]
    reach: Tensor  # [D]  half of the distance between them

    def __init__(self, space: gym.Space[Any]) -> None:
        super().__init__()
        if not isinstance(space, gym.spaces.Box) or not np.issubdtype(space.dtype, np.floating):
            raise ValueError(f"actions are {space}; this agent takes real Box actions")
        if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise ValueError(
                f"actions are {space}; their bounds must be finite: wrap it with RescaleAction, or take ppo"
            )
        low, high = (torch.from_numpy(np.asarray(one, np.float32).ravel()) for one in (space.low, space.high))
        self.register_buffer("middle", (low + high) / 2.0)
        self.register_buffer("reach", (high - low) / 2.0)

    def scaled(self, unit: Tensor) -> Tensor:
        """Return actions of numbers [..., D] in [-1, 1]."""
        return self.middle + self.reach * unit

    def unit(self, actions: Tensor) -> Tensor:
        """Return numbers in [-1, 1] of actions [..., D]."""
        return (actions - self.middle) / self.reach

    def evenly(self, draws: Tensor) -> Tensor:
        """Return actions spread evenly within the bounds, by standard normal draws z [..., D]: 2 Φ(z) - 1."""
        return self.scaled(torch.erf(draws / math.sqrt(2.0)).to(self.reach.dtype))


class Deterministic(nn.Module):
    """μ(s), and in training the policy that adds normal noise to it.

    Args:
        senses: what comes in.
        space: bounded Box actions.
        hidden: widths of the layers.
        activation: after each of them.
        generator: draws the weights.
        normalise: standardise observations; see `Eyes`.
        noise: standard deviation of the noise, where actions reach from -1 to 1.
    """

    def __init__(
        self,
        senses: Senses,
        space: gym.Space[Any],
        hidden: tuple[int, ...],
        activation: Activation,
        *,
        generator: np.random.Generator,
        noise: float,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.range = Range(space)
        self.head = Gaussian(len(self.range.reach))
        self.noise = noise
        self.eyes = Eyes(senses, generator, normalise=normalise)
        self.net = mlp((self.eyes.width, *hidden, self.head.draws), activation, generator, _FIRST_GAIN)

    def unit(self, obs: Tensor) -> Tensor:
        """Return μ(s) of observations [N, *shape] in [-1, 1], [N, D]."""
        return torch.tanh(self.net(self.eyes(obs)))

    def forward(self, obs: Tensor) -> Tensor:
        """Return μ(s), [N, D]."""
        return self.range.scaled(self.unit(obs))

    def start(self, count: int) -> Tensor | None:  # noqa: ARG002 - the protocol's
        """Return None: there is no memory."""
        return None

    def act(
        self,
        obs: Tensor,
        draws: Tensor | None,
        allowed: Tensor | None = None,  # noqa: ARG002 - only discrete actions have masks
        memory: Tensor | None = None,
    ) -> Acted:
        """Return μ(s), or with normal draws [N, D] clip(μ(s) + σ z); `logprobs` are 0."""
        unit = self.unit(obs)
        if draws is not None:
            unit = (unit + self.noise * draws.to(unit.dtype)).clamp(-1.0, 1.0)
        return Acted(self.range.scaled(unit), unit.new_zeros(len(unit)), memory)

    def wander(self, draws: Tensor, allowed: Tensor | None = None) -> Tensor:  # noqa: ARG002 - the protocol's
        """Return actions spread evenly, [N, D]."""
        return self.range.evenly(draws)


class Squashed(nn.Module):
    """π(a|s) of a = tanh(u), u normal with mean and deviation of a net; SAC, arXiv:1801.01290 appendix C.

    Densities are those of actions from -1 to 1. Log deviations are held within -5 and 2.

    Args:
        senses: what comes in.
        space: bounded Box actions.
        hidden: widths of the layers.
        activation: after each of them.
        generator: draws the weights.
        normalise: standardise observations; see `Eyes`.
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
        self.range = Range(space)
        self.head = Gaussian(len(self.range.reach))
        self.eyes = Eyes(senses, generator, normalise=normalise)
        self.net = mlp((self.eyes.width, *hidden, self.head.size), activation, generator, _FIRST_GAIN)

    def sample(self, obs: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Return actions [N, D] and log π(a|s) [N], both with gradient, by normal draws z [N, D]: u = μ + σ z.

        log π = log N(u) - Σ log(1 - tanh² u), and log(1 - tanh² u) = 2 (log 2 - u - log(1 + e^{-2u})).
        """
        outputs = self._outputs(obs)
        u = self.head.sample(outputs, draws)
        squeezed = 2.0 * (math.log(2.0) - u - softplus(-2.0 * u))
        logprobs = self.head.log_prob(outputs, u) - squeezed.sum(-1)
        return self.range.scaled(torch.tanh(u)), logprobs

    def start(self, count: int) -> Tensor | None:  # noqa: ARG002 - the protocol's
        """Return None: there is no memory."""
        return None

    def act(
        self,
        obs: Tensor,
        draws: Tensor | None,
        allowed: Tensor | None = None,  # noqa: ARG002 - only discrete actions have masks
        memory: Tensor | None = None,
    ) -> Acted:
        """Return tanh(μ(s)), or with normal draws [N, D] an action of π."""
        if draws is None:
            mean = self._outputs(obs).chunk(2, -1)[0]
            return Acted(self.range.scaled(torch.tanh(mean)), mean.new_zeros(len(mean)), memory)
        return Acted(*self.sample(obs, draws), memory)

    def wander(self, draws: Tensor, allowed: Tensor | None = None) -> Tensor:  # noqa: ARG002 - the protocol's
        """Return actions spread evenly, [N, D]."""
        return self.range.evenly(draws)

    def _outputs(self, obs: Tensor) -> Tensor:
        mean, log_std = self.net(self.eyes(obs)).chunk(2, -1)
        return torch.cat([mean, log_std.clamp(_LOW, _HIGH)], -1)


class Critics(nn.Module):
    """C critics Q_i(s, a), each with eyes and layers of its own.

    Args:
        senses: what comes in.
        space: bounded Box actions.
        hidden: widths of the layers.
        activation: after each of them.
        generator: draws the weights.
        normalise: standardise observations; see `Eyes`.
        count: C.
    """

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
        self.range = Range(space)
        self.eyes = nn.ModuleList(Eyes(senses, generator, normalise=normalise) for _ in range(count))
        widths = [int(eyes.width) + len(self.range.reach) for eyes in self.eyes if isinstance(eyes, Eyes)]
        self.nets = nn.ModuleList(mlp((width, *hidden, 1), activation, generator, 1.0) for width in widths)

    def forward(self, obs: Tensor, actions: Tensor) -> Tensor:
        """Return Q_i(s, a) of observations [N, *shape] and actions [N, D], [C, N]."""
        unit = self.range.unit(actions)
        values = [net(torch.cat([eyes(obs), unit], -1))[..., 0] for eyes, net in zip(self.eyes, self.nets, strict=True)]
        return torch.stack(values)

    def first(self, obs: Tensor, actions: Tensor) -> Tensor:
        """Return Q_1(s, a), [N]."""
        values: Tensor = self.nets[0](torch.cat([self.eyes[0](obs), self.range.unit(actions)], -1))[..., 0]
        return values
