"""Heads: from numbers to distributions over actions, one for each kind of action space.

A head is a few pure functions on outputs [..., K] of a net. Randomness comes in as draws [..., D]: uniform in [0, 1) where actions are
discrete, standard normal where they are continuous. So the same draws give the same actions on any device.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

Draw = Literal["uniform", "normal"]
_HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)


class Head(Protocol):
    """A distribution over actions for each row of outputs."""

    @property
    def size(self) -> int:
        """K, how many outputs it reads."""
        ...

    @property
    def draws(self) -> int:
        """D, how many random numbers an action takes."""
        ...

    @property
    def draw(self) -> Draw:
        """Of which kind they are."""
        ...

    def sample(self, outputs: Tensor, draws: Tensor) -> Tensor:
        """Return the actions that the draws [..., D] mean."""
        ...

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return log π(a|s), [...]."""
        ...

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return the entropy of π(·|s), [...]."""
        ...

    def mode(self, outputs: Tensor) -> Tensor:
        """Return the most probable action."""
        ...


@dataclass(frozen=True)
class Categorical:
    """One of K actions, by logits [..., K]; actions are int64 [...], counted from 0."""

    size: int
    draws: int = 1
    draw: Draw = "uniform"

    def sample(self, outputs: Tensor, draws: Tensor) -> Tensor:
        """Return how many cumulative probabilities are at most u, [...]."""
        cumulative = torch.softmax(outputs, -1).cumsum(-1)
        return (cumulative[..., :-1] <= draws * cumulative[..., -1:]).sum(-1)

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return log softmax(outputs)_a, [...]."""
        return torch.log_softmax(outputs, -1).gather(-1, actions[..., None]).squeeze(-1)

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return -Σ_a π log π, [...]."""
        logs = torch.log_softmax(outputs, -1)
        return -(logs.exp() * logs).sum(-1)

    def mode(self, outputs: Tensor) -> Tensor:
        """Return the most probable action; ties go to the lowest."""
        return outputs.argmax(-1)


@dataclass(frozen=True)
class MultiCategorical:
    """Several independent choices, by their logits one after the other [..., Σ n]; actions are int64 [..., choices]."""

    choices: tuple[int, ...]  # how many actions each has
    draw: Draw = "uniform"

    @property
    def size(self) -> int:
        """Outputs it reads."""
        return sum(self.choices)

    @property
    def draws(self) -> int:
        """Random numbers an action takes."""
        return len(self.choices)

    def sample(self, outputs: Tensor, draws: Tensor) -> Tensor:
        """Return each choice by its own draw."""
        parts = zip(self._split(outputs), torch.split(draws, 1, -1), strict=True)
        return torch.stack([one.sample(logits, u) for (one, logits), u in parts], -1)

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return the sum over choices, [...]."""
        parts = zip(self._split(outputs), actions.unbind(-1), strict=True)
        return torch.stack([one.log_prob(logits, a) for (one, logits), a in parts], -1).sum(-1)

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return the sum over choices, [...]."""
        return torch.stack([one.entropy(logits) for one, logits in self._split(outputs)], -1).sum(-1)

    def mode(self, outputs: Tensor) -> Tensor:
        """Return the most probable of each choice."""
        return torch.stack([one.mode(logits) for one, logits in self._split(outputs)], -1)

    def _split(self, outputs: Tensor) -> list[tuple[Categorical, Tensor]]:
        stretches = torch.split(outputs, list(self.choices), -1)
        return [(Categorical(n), logits) for n, logits in zip(self.choices, stretches, strict=True)]


@dataclass(frozen=True)
class Bernoulli:
    """K independent bits, by their logits [..., K]; actions are int64 [..., K], 0 or 1."""

    size: int
    draw: Draw = "uniform"

    @property
    def draws(self) -> int:
        """Random numbers an action takes."""
        return self.size

    def sample(self, outputs: Tensor, draws: Tensor) -> Tensor:
        """Return 1 where 1 - p <= u, as `Categorical` has it with action 0 first."""
        return (torch.sigmoid(-outputs) <= draws).long()

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return the sum over bits, [...]."""
        return logsigmoid(torch.where(actions == 1, outputs, -outputs)).sum(-1)

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return the sum over bits, [...]."""
        return (softplus(outputs) - outputs * torch.sigmoid(outputs)).sum(-1)

    def mode(self, outputs: Tensor) -> Tensor:
        """Return 1 where it is the more probable."""
        return (outputs > 0.0).long()


@dataclass(frozen=True)
class Gaussian:
    """A diagonal normal distribution, by means and then log standard deviations [..., 2 D]; actions are floats [..., D].

    Actions have no bounds here; an environment's are held where they go to it (`for_env`), and the policy learns from what it chose.
    """

    draws: int  # D
    draw: Draw = "normal"

    @property
    def size(self) -> int:
        """Outputs it reads."""
        return 2 * self.draws

    def sample(self, outputs: Tensor, draws: Tensor) -> Tensor:
        """Return μ + σ z; z in the type of the outputs."""
        mean, log_std = outputs.chunk(2, -1)
        return mean + log_std.exp() * draws.to(mean.dtype)

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return Σ_d -z² / 2 - log σ - log √(2π), [...]."""
        mean, log_std = outputs.chunk(2, -1)
        z = (actions - mean) * (-log_std).exp()
        return (-0.5 * z.square() - log_std - _HALF_LOG_TAU).sum(-1)

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return Σ_d log σ + log √(2πe), [...]."""
        return (outputs.chunk(2, -1)[1] + 0.5 + _HALF_LOG_TAU).sum(-1)

    def mode(self, outputs: Tensor) -> Tensor:
        """Return the means."""
        return outputs.chunk(2, -1)[0]


def head(space: gym.Space[Any]) -> Head:
    """Return the head for an action space.

    Raises:
        ValueError: there is none for it.
    """
    if isinstance(space, spaces.Discrete):
        return Categorical(int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        return MultiCategorical(tuple(int(n) for n in space.nvec.ravel()))
    if isinstance(space, spaces.MultiBinary):
        return Bernoulli(math.prod(space.shape))
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return Gaussian(math.prod(space.shape))
    raise ValueError(
        f"actions are {space}; this agent chooses among Discrete, MultiDiscrete, MultiBinary or real Box actions"
    )


def for_env(space: gym.Space[Any], actions: NDArray[Any]) -> NDArray[Any]:
    """Return actions [N, ...] of a head as N environments take them: counted from `start`, within bounds, in shape and type."""
    if isinstance(space, spaces.Box):
        held = np.clip(actions.reshape(-1, *space.shape), space.low, space.high)
        return np.asarray(held, space.dtype)
    whole = np.asarray(actions.reshape(-1, *(space.shape or ())), space.dtype)
    if isinstance(space, spaces.Discrete):
        return whole + space.start if space.start else whole
    return whole + space.start if isinstance(space, spaces.MultiDiscrete) else whole
