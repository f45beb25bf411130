"""What an agent with a policy net does when it is asked for actions outside its training."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from rlkit.policies.heads import for_env
from rlkit.policies.protocol import Actor
from rlkit.policies.senses import Senses


class Acting:
    """Acts with a policy, remembers along an episode, heeds the mask of allowed actions; learning is left as it is.

    Args:
        policy: that acts.
        senses: of its observations.
        space: of one environment's actions.
        device: of the policy.
        seed: of its own random numbers.
    """

    def __init__(self, policy: Actor, senses: Senses, space: gym.Space[Any], device: torch.device, seed: int) -> None:
        self._policy, self._senses, self._space, self._device = policy, senses, space, device
        self._rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(4)[3])
        self._allowed: NDArray[np.bool_] | None = None
        self._memory: torch.Tensor | None = None

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of what comes with the next observation: info["action_mask"], and whether an episode begins."""
        mask = info.get("action_mask")
        self._allowed = None if mask is None else np.asarray(mask, np.bool_)
        if first:
            self._memory = None

    @torch.inference_mode()
    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the action for one observation, or the actions for a batch: the most probable, or with `explore` drawn ones.

        Raises:
            ValueError: the observation is none of the space.
        """
        packed = self._senses.check(self._senses.pack(obs))
        head, count = self._policy.head, len(packed)
        draws = None
        if explore:
            shape = (count, head.draws)
            draws = torch.from_numpy(
                self._rng.random(shape) if head.draw == "uniform" else self._rng.standard_normal(shape)
            )
            draws = draws.to(self._device)
        allowed = None
        if self._allowed is not None and isinstance(self._space, gym.spaces.Discrete | gym.spaces.MultiDiscrete):
            allowed = torch.from_numpy(np.broadcast_to(self._allowed, (count, head.size)).copy()).to(self._device)
        if self._memory is None or len(self._memory) != count:
            self._memory = self._policy.start(count)
        acted = self._policy.act(torch.from_numpy(packed).to(self._device), draws, allowed, self._memory)
        self._memory = acted.memory
        actions = for_env(self._space, acted.actions.cpu().numpy())
        return actions if self._senses.is_batch(obs) else actions[0]
