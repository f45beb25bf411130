"""Segments: a policy plays T steps in each of N worlds, again and again; episodes go on from one segment to the next."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlkit import dist
from rlkit.data import Trajectories
from rlkit.policies.protocol import Actor
from rlkit.sample.draws import draw_ahead
from rlkit.sample.worlds import Worlds


class Segments:
    """Plays, and remembers what a recurrent policy remembers between two segments.

    Args:
        worlds: N of them.
        policy: that acts.
        device: of the policy.
    """

    def __init__(self, worlds: Worlds, policy: Actor, device: torch.device) -> None:
        self.worlds, self.policy, self.device = worlds, policy, device
        self.memory = policy.start(worlds.count)

    @torch.no_grad()
    def collect(self, steps: int, rng: np.random.Generator) -> Trajectories:
        """Return the next segment, [N, T], on the policy's device.

        Args:
            steps: T.
            rng: draws the actions.

        Raises:
            ValueError: the worlds give what is no finite number.
        """
        worlds, policy = self.worlds, self.policy
        draws = draw_ahead(rng, policy.head, worlds.count, steps).to(self.device)
        rows = np.arange(worlds.count)
        obs = np.empty((worlds.count, steps, *worlds.obs.shape[1:]), worlds.obs.dtype)
        next_obs = np.empty_like(obs)
        rewards = np.empty((worlds.count, steps), np.float32)
        terminated, truncated = np.empty((2, worlds.count, steps), np.bool_)
        acts, logprobs, masks = [], [], []
        before = None if self.memory is None else self.memory.clone()
        for t in range(steps):
            obs[:, t] = worlds.obs
            allowed = None if worlds.allowed is None else self._tensor(worlds.allowed)
            acted = policy.act(self._tensor(worlds.obs), draws[t], allowed, self.memory)
            step = worlds.step(acted.actions.cpu().numpy())
            next_obs[:, t], rewards[:, t] = step.next_obs, step.rewards
            terminated[:, t], truncated[:, t] = step.terminated, step.truncated
            acts.append(acted.actions)
            logprobs.append(acted.logprobs)
            if allowed is not None:
                masks.append(allowed)
            if acted.memory is not None:
                self.memory = acted.memory * self._tensor(~(step.terminated | step.truncated))[:, None]
        return Trajectories(
            obs=self._tensor(obs),
            next_obs=self._tensor(next_obs),
            actions=torch.stack(acts, 1),
            logprobs=torch.stack(logprobs, 1),
            rewards=self._tensor(rewards),
            terminated=self._tensor(terminated),
            truncated=self._tensor(truncated),
            mask=torch.ones(rewards.shape, dtype=torch.bool, device=self.device),
            group=self._tensor(rows),
            allowed=torch.stack(masks, 1) if masks else None,
            memory=before,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the worlds as they stand, and the memory, of all processes."""
        memory = None if self.memory is None else dist.joined(self.memory.cpu().numpy())
        return {"worlds": self.worlds.state_dict(), "memory": memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of other worlds.
        """
        self.worlds.load_state_dict(state["worlds"])
        if self.memory is not None:
            self.memory = self._tensor(np.array(dist.own(state["memory"])))

    def _tensor(self, array: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)
