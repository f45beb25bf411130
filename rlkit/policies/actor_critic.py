"""ActorCritic: a policy π(a|s) and a value V(s) as nets, for any observation and action space, with or without memory."""

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlkit.data import Trajectories
from rlkit.policies.activations import Activation
from rlkit.policies.encoders import Eyes
from rlkit.policies.heads import Gaussian, head
from rlkit.policies.networks import Memory, mlp, pair
from rlkit.policies.protocol import Acted, Evaluation
from rlkit.policies.senses import Senses

_ACTOR_GAIN = 0.01  # of the last layer: all actions nearly equal at first
_NARROW = 128  # widths up to which actor and critic are evaluated as a pair; copying wider layers costs what it saves


class ActorCritic(nn.Module):
    """Two separate nets, or two heads on one body.

    Args:
        senses: what comes in.
        action_space: what goes out.
        hidden: widths of the layers.
        activation: after each of them.
        generator: draws the weights.
        shared: one body for actor and critic. The eyes for images are always one.
        recurrent: H of a gated recurrent unit on top of a shared body; 0 for none.
        critic: False leaves the value out: a policy alone.
        normalise: standardise observations; see `Eyes`.
        log_std: the logarithm of the standard deviations of continuous actions at the start.
    """

    def __init__(
        self,
        senses: Senses,
        action_space: gym.Space[Any],
        hidden: tuple[int, ...] = (64, 64),
        activation: Activation = "tanh",
        *,
        generator: np.random.Generator,
        shared: bool = False,
        recurrent: int = 0,
        critic: bool = True,
        normalise: bool = False,
        log_std: float = 0.0,
    ) -> None:
        super().__init__()
        self.head = head(action_space)
        self.eyes = Eyes(senses, generator, normalise=normalise)
        self.recurrent = recurrent
        outputs = self.head.size
        if isinstance(self.head, Gaussian):
            outputs = self.head.draws
            self.log_std = nn.Parameter(torch.full((outputs,), log_std))
        self.body, own = nn.Sequential(), (self.eyes.width, *hidden)
        if shared or recurrent:
            self.body, own = mlp(own, activation, generator), own[-1:]
        if recurrent:
            self.memory = Memory(own[0], recurrent, generator)
            own = (recurrent,)
        self.actor = mlp((*own, outputs), activation, generator, _ACTOR_GAIN)
        self.paired = critic and len(own) > 1 and max(own) <= _NARROW
        if critic:
            self.critic = mlp((*own, 1), activation, generator, 1.0)

    def start(self, count: int) -> Tensor | None:
        """Return the memory of `count` environments at the beginning, [N, H]; None for a policy without."""
        return self.eyes.unit.new_zeros(count, self.recurrent) if self.recurrent else None

    def act(
        self, obs: Tensor, draws: Tensor | None, allowed: Tensor | None = None, memory: Tensor | None = None
    ) -> Acted:
        """Choose an action in each of N environments.

        Args:
            obs: [N, *shape] packed.
            draws: [N, D] random numbers of the head's kind; None for the most probable action.
            allowed: bool [N, A]; None: all actions.
            memory: [N, H], None for a policy without.
        """
        features = self.body(self.eyes(obs))
        if self.recurrent:
            features = memory = self.memory.cell(features, memory)
        outputs = self._outputs(features, allowed)
        actions = self.head.mode(outputs) if draws is None else self.head.sample(outputs, draws)
        return Acted(actions, self.head.log_prob(outputs, actions), memory)

    def forward(self, traj: Trajectories) -> tuple[Tensor, Tensor]:
        """Return what the head reads, [B, T, K], and V(s_t), [B, T], with one pass through what they share."""
        features = self._features(traj)
        if not self.paired:
            return self._outputs_of(features, traj), self._values(features, traj)
        outputs, values = pair(self.actor, self.critic, features)
        return self._heeding(outputs, traj), values.view(traj.mask.shape)

    def outputs(self, obs: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return what the head reads, [..., K], for observations [..., *shape]; of a policy without memory."""
        return self._outputs(self.body(self.eyes(obs)), allowed)

    def evaluate(self, traj: Trajectories) -> Evaluation:
        """Return log π(a|s) and entropy, [B, T], with gradient."""
        outputs = self._outputs_of(self._features(traj), traj)
        return Evaluation(self.head.log_prob(outputs, traj.actions), self.head.entropy(outputs))

    def values(self, traj: Trajectories) -> Tensor:
        """Return V(s_t), [B, T], with gradient."""
        return self._values(self._features(traj), traj)

    def both(self, traj: Trajectories) -> tuple[Evaluation, Tensor]:
        """Return `evaluate` and `values` with one pass through what they share."""
        outputs, values = self.forward(traj)
        return Evaluation(self.head.log_prob(outputs, traj.actions), self.head.entropy(outputs)), values

    def next_values(self, traj: Trajectories) -> Tensor:
        """Return V(s_{t+1}) of the true successors, [B, T], with gradient."""
        features = self.body(self.eyes(traj.next_obs.flatten(0, 1)))
        if self.recurrent:
            features = self.memory.cell(features, self._features(traj))
        return self._values(features, traj)

    def value(self, obs: Tensor) -> Tensor:
        """Return V(s) of observations [N, *shape], [N]; of a recurrent policy, at the beginning of an episode."""
        features = self.body(self.eyes(obs))
        if self.recurrent:
            features = self.memory.cell(features)
        values: Tensor = self.critic(features)[..., 0]
        return values

    def _features(self, traj: Trajectories) -> Tensor:
        """What actor and critic build on, [B T, W]: two axes make fewer operations than three."""
        features: Tensor = self.body(self.eyes(traj.obs.flatten(0, 1)))
        if not self.recurrent:
            return features
        rows = features.view(*traj.mask.shape, features.shape[-1])
        memory = self.start(len(rows)) if traj.memory is None else traj.memory
        remembered: Tensor = self.memory(rows, memory, traj.terminated | traj.truncated)
        return remembered.flatten(0, 1)

    def _values(self, features: Tensor, traj: Trajectories) -> Tensor:
        values: Tensor = self.critic(features).view(traj.mask.shape)
        return values

    def _outputs_of(self, features: Tensor, traj: Trajectories) -> Tensor:
        return self._heeding(self.actor(features), traj)

    def _heeding(self, outputs: Tensor, traj: Trajectories) -> Tensor:
        outputs = self._complete(outputs, None if traj.allowed is None else traj.allowed.flatten(0, 1))
        return outputs.view(*traj.mask.shape, outputs.shape[-1])  # not -1: a rank's part of a minibatch can be empty

    def _outputs(self, features: Tensor, allowed: Tensor | None) -> Tensor:
        return self._complete(self.actor(features), allowed)

    def _complete(self, outputs: Tensor, allowed: Tensor | None) -> Tensor:
        """What the head reads, [N, K]; a forbidden action has the lowest finite logit, so that its probability is exactly 0."""
        if isinstance(self.head, Gaussian):
            return torch.cat([outputs, self.log_std.expand_as(outputs)], -1)
        return outputs if allowed is None else outputs.masked_fill(~allowed, torch.finfo(outputs.dtype).min / 4.0)
