"""Whole episodes: a policy plays one from beginning to end in each of N worlds, `group` of them from each start."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rlkit import dist
from rlkit.data import Trajectories
from rlkit.pg.reduce import count
from rlkit.policies.protocol import Actor
from rlkit.sample.draws import draw
from rlkit.sample.worlds import Worlds

_SEEDS = 2**31


class Sampler(Protocol):
    """Anything that lets a policy act, from environments to language models."""

    def collect(self, rng: np.random.Generator) -> Trajectories:
        """Return the next whole episodes; all that is random comes from rng."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what it needs to go on."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


class Episodes:
    """Plays N = worlds.count episodes at a time, padded to the longest.

    All of a group begin with the same reset seed. Where the environment is random they meet the same random numbers for as
    long as they act alike: a comparison within the group is then one of actions, not of luck.

    Args:
        worlds: N of them.
        policy: that acts.
        device: of the policy.
        group: episodes of each start.
        limit: steps after which an episode is cut, where nothing else ends it; it counts as truncated.

    Raises:
        ValueError: the groups do not fill the worlds.
    """

    def __init__(
        self, worlds: Worlds, policy: Actor, device: torch.device, group: int = 1, limit: int = 10_000
    ) -> None:
        if group < 1 or worlds.count % group:
            raise ValueError(
                f"group is {group}, and {worlds.count} episodes are played at a time; they must make up whole groups"
            )
        self.worlds, self.policy, self.device = worlds, policy, device
        self.group, self.limit = group, limit

    def collect(self, rng: np.random.Generator) -> Trajectories:
        """Return the next episodes, [N, T], on the policy's device.

        Args:
            rng: draws the starts, and a seed for the actions: however long episodes are on another process, it is used alike.

        Raises:
            ValueError: the worlds give what is no finite number.
        """
        worlds, number = self.worlds, self.worlds.count
        starts = number // self.group
        first = dist.rank() * starts
        seeds = rng.integers(_SEEDS, size=dist.world_size() * starts)[first : first + starts]
        actions_rng = np.random.Generator(np.random.PCG64(int(rng.integers(_SEEDS))))
        worlds.restart(np.repeat(seeds, self.group).tolist())
        before = memory = self.policy.start(number)
        alive = np.ones(number, np.bool_)
        played: list[dict[str, Tensor]] = []
        while alive.any():
            obs, draws = self._tensor(worlds.obs), draw(actions_rng, self.policy.head, number).to(self.device)
            allowed = {} if worlds.allowed is None else {"allowed": self._tensor(worlds.allowed)}
            with torch.inference_mode():
                acted = self.policy.act(obs, draws, allowed.get("allowed"), memory)
            memory = acted.memory
            step = worlds.step(acted.actions.cpu().numpy(), ~alive)
            terminated, truncated = step.terminated & alive, step.truncated & alive
            if len(played) + 1 == self.limit:
                truncated = alive & ~terminated
            arrays = {
                "next_obs": step.next_obs,
                "rewards": np.where(alive, step.rewards, 0.0).astype(np.float32),
                "terminated": terminated,
                "truncated": truncated,
                "mask": alive,
            }
            tensors = {name: self._tensor(array) for name, array in arrays.items()}
            played.append({"obs": obs, "actions": acted.actions, "logprobs": acted.logprobs, **allowed, **tensors})
            alive = alive & ~(terminated | truncated)
        worlds.finished.clear()  # `outcomes` tells of them, also of those that were cut
        columns = {name: torch.stack([step[name] for step in played], 1) for name in played[0]}
        group = torch.arange(first, first + starts, device=self.device).repeat_interleave(self.group)
        return Trajectories(**columns, group=group, memory=before)

    def state_dict(self) -> dict[str, Any]:
        """Return the worlds as they stand."""
        return self.worlds.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of other worlds.
        """
        self.worlds.load_state_dict(state)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def outcomes(traj: Trajectories) -> list[tuple[float, int]]:
    """Return (Σ r, length) of each row, whole episodes; without those that nobody could score, whose reward is NaN."""
    returns = torch.where(traj.mask, traj.rewards, 0.0).sum(1, dtype=torch.float64)
    known = ~returns.isnan()
    return list(zip(returns[known].tolist(), traj.lengths[known].tolist(), strict=True))


def steps_of(traj: Trajectories) -> int:
    """Return how many actions were chosen, over all processes."""
    return round(float(dist.mean(count(traj.mask, "token"))) * dist.world_size())
