"""Running mean and variance, of observations and of discounted returns; over processes too, and saved with the agent.

Chan, Golub & LeVeque (1983): with n_a, μ_a, M_a of what was seen and n_b, μ_b, M_b of a batch, δ = μ_b - μ_a, n = n_a + n_b:
μ = μ_a + δ n_b / n, M = M_a + M_b + δ² n_a n_b / n; the variance is M / n.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rlkit import dist
from rlkit.data import Trajectories
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.encoders import Eyes

Floats = NDArray[np.float64]
_LEAST = 1e-8  # added to variances
_LIMIT = 10.0  # of a scaled reward


class Moments:
    """Mean and variance of everything that was seen, of numbers of one shape."""

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self.count = 0.0
        self.mean: Floats = np.zeros(shape)
        self.squares: Floats = np.zeros(shape)  # M, the sum of squared differences from the mean

    @property
    def std(self) -> Floats:
        """√(variance + 1e-8); 1 before anything was seen."""
        return np.sqrt(self.squares / self.count + _LEAST) if self.count else np.ones_like(self.mean)

    def update(self, batch: NDArray[Any]) -> None:
        """See a batch [N, *shape], the same number of rows on every process."""
        wide = np.asarray(batch, np.float64)
        number, mean = float(len(wide) * dist.world_size()), _over_ranks(wide.mean(axis=0))
        squares = _over_ranks(np.square(wide - mean).sum(axis=0)) * dist.world_size()
        total, shift = self.count + number, mean - self.mean
        self.squares = self.squares + squares + np.square(shift) * (self.count * number / total)
        self.mean = self.mean + shift * (number / total)
        self.count = total

    def state_dict(self) -> dict[str, Any]:
        """Return all of it."""
        return {"count": self.count, "mean": np.array(self.mean), "squares": np.array(self.squares)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of numbers of another shape.
        """
        if np.shape(state["mean"]) != self.mean.shape:
            raise ValueError(
                f"the state has moments of shape {np.shape(state['mean'])}; here they are {self.mean.shape}"
            )
        self.count = float(state["count"])
        self.mean, self.squares = np.array(state["mean"]), np.array(state["squares"])


class RewardScale:
    """Divides rewards by the running standard deviation of discounted returns; Engstrom et al., arXiv:2005.12729 section 3.

    Args:
        count: N environments.
        gamma: the discount.
    """

    def __init__(self, count: int, gamma: float) -> None:
        self.moments = Moments()
        self.gamma = gamma
        self.running: Floats = np.zeros(count)  # Σ_k γ^k r_{t-k} of the episode under way

    def __call__(self, rewards: Floats, ends: NDArray[np.bool_]) -> Floats:
        """Return rewards [N, T] scaled, within ±10, after their returns have been seen."""
        seen = np.empty_like(rewards)
        for t in range(rewards.shape[1]):
            self.running = self.running * self.gamma + rewards[:, t]
            seen[:, t] = self.running
            self.running = np.where(ends[:, t], 0.0, self.running)
        self.moments.update(seen.reshape(-1))
        return np.clip(rewards / self.moments.std, -_LIMIT, _LIMIT)

    def state_dict(self) -> dict[str, Any]:
        """Return all of it."""
        return {"moments": self.moments.state_dict(), "running": np.array(dist.joined(self.running))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.moments.load_state_dict(state["moments"])
        self.running = np.array(dist.own(state["running"]))


class Standard:
    """Observations standardised alike in all nets of an agent, by the mean and the deviation of everything that was seen.

    Args:
        shape: of a packed observation.
        nets: whose eyes were made to standardise.
    """

    def __init__(self, shape: tuple[int, ...], nets: Sequence[nn.Module]) -> None:
        self._eyes = [part for net in nets for part in net.modules() if isinstance(part, Eyes) and part.normalise]
        self._moments = Moments(shape)

    def see(self, obs: NDArray[Any]) -> None:
        """Count observations [N, *shape] in, and tell all nets."""
        if self._eyes:
            self._moments.update(obs)
            mean, std = torch.from_numpy(self._moments.mean), torch.from_numpy(self._moments.std)
            for eyes in self._eyes:
                eyes.standardise(mean, std)

    def state_dict(self) -> dict[str, Any]:
        """Return what was seen; the nets have copies of the mean and the deviation. Empty where nothing is standardised."""
        return {"seen": self._moments.state_dict()} if self._eyes else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        if self._eyes:
            self._moments.load_state_dict(state["seen"])


class Normaliser:
    """What an agent normalises: observations, in its policy, and rewards, in its segments; or nothing.

    Args:
        policy: whose eyes standardise observations, if they were made to.
        shape: of a packed observation.
        count: N environments of this process.
        gamma: the discount of returns, by whose deviation rewards are divided; None leaves rewards as they are.
    """

    def __init__(self, policy: ActorCritic, shape: tuple[int, ...], count: int, gamma: float | None) -> None:
        self._eyes = policy.eyes
        self._seen = Moments(shape) if policy.eyes.normalise else None
        self._scale = None if gamma is None else RewardScale(count, gamma)

    def scaled(self, traj: Trajectories) -> Trajectories:
        """Return a segment with its rewards normalised."""
        if self._scale is None:
            return traj
        ends = (traj.terminated | traj.truncated).cpu().numpy()
        rewards = self._scale(traj.rewards.cpu().double().numpy(), ends)
        return replace(traj, rewards=torch.from_numpy(rewards).to(traj.rewards))

    def see(self, traj: Trajectories) -> None:
        """Count a segment's observations in; call it when the segment has been learned from, so that a segment has one scale."""
        if self._seen is not None:
            self._seen.update(traj.obs.flatten(0, 1).cpu().numpy())
            self._eyes.standardise(torch.from_numpy(self._seen.mean), torch.from_numpy(self._seen.std))

    def state_dict(self) -> dict[str, Any]:
        """Return all of it; the policy has a copy of the mean and the deviation."""
        seen, scale = self._seen, self._scale
        return {"seen": seen and seen.state_dict(), "scale": scale and scale.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        if self._seen is not None:
            self._seen.load_state_dict(state["seen"])
        if self._scale is not None:
            self._scale.load_state_dict(state["scale"])


def _over_ranks(x: NDArray[Any]) -> Floats:
    return (
        np.asarray(x)
        if dist.world_size() == 1
        else dist.mean(torch.from_numpy(np.atleast_1d(x))).numpy().reshape(x.shape)
    )
