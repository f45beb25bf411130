"""Action values as nets: Q(s, ·) of discrete actions, plain, dueling, with memory, each a number or a distribution of K numbers."""

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlkit.pg.q_targets import greedy
from rlkit.policies.activations import Activation
from rlkit.policies.encoders import Eyes
from rlkit.policies.heads import Categorical
from rlkit.policies.networks import Memory, mlp
from rlkit.policies.protocol import Acted
from rlkit.policies.senses import Senses


class QNetwork(nn.Module):
    """Q(s, ·), and the ε-greedy policy of it.

    Args:
        senses: what comes in.
        space: Discrete actions.
        hidden: widths of the layers.
        activation: after each of them.
        generator: draws the weights.
        normalise: standardise observations; see `Eyes`.
        dueling: Q = V + A - mean_a A, each with a last layer of its own; Wang et al., arXiv:1511.06581 eq. 9.
        atoms: K, numbers for each action, whose mean is Q.
        support: [K] where the K numbers are logits of these values, and Q is their mean (C51).
        recurrent: H of a gated recurrent unit before the last layer; 0 for none.

    Raises:
        ValueError: actions are not Discrete.
    """

    support: Tensor | None

    def __init__(
        self,
        senses: Senses,
        space: gym.Space[Any],
        hidden: tuple[int, ...],
        activation: Activation,
        *,
        generator: np.random.Generator,
        dueling: bool = False,
        atoms: int = 1,
        support: Tensor | None = None,
        recurrent: int = 0,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(space, gym.spaces.Discrete):
            raise ValueError(f"actions are {space}; Q-learning chooses among Discrete actions: take sac or td3, or ppo")
        self.head = Categorical(int(space.n))
        self.epsilon = 0.0  # of `act` with draws
        self.atoms, self.recurrent = atoms, recurrent
        self.register_buffer("support", support, persistent=False)
        self.eyes = Eyes(senses, generator, normalise=normalise)
        own: tuple[int, ...] = (self.eyes.width, *hidden)
        self.body = nn.Sequential()
        if recurrent:
            self.body = mlp(own, activation, generator)
            self.memory = Memory(own[-1], recurrent, generator)
            own = (recurrent,)
        elif dueling and len(hidden) > 1:
            self.body, own = mlp(own[:-1], activation, generator), own[-2:]
        self.advantage = mlp((*own, self.head.size * atoms), activation, generator, 1.0)
        self.value = mlp((*own, atoms), activation, generator, 1.0) if dueling else None

    def along(self, obs: Tensor, ends: Tensor) -> Tensor:
        """Return Q(s_t, ·) along rows that begin with an empty memory, [B, T, A, K].

        Args:
            obs: [B, T, *shape].
            ends: bool [B, T], where an episode is over after step t.
        """
        outputs = self._outputs(self._features(obs, ends))
        return outputs.view(*ends.shape, *outputs.shape[1:])

    def after(self, obs: Tensor, next_obs: Tensor, ends: Tensor) -> Tensor:
        """Return Q(s_{t+1}, ·) of the true successors, [B, T, A, K]; what is remembered comes from obs."""
        features = self.body(self.eyes(next_obs.flatten(0, 1)))
        if self.recurrent:
            features = self.memory.cell(features, self._features(obs, ends))
        outputs = self._outputs(features)
        return outputs.view(*ends.shape, *outputs.shape[1:])

    def start(self, count: int) -> Tensor | None:
        """Return the memory of `count` environments at the beginning, [N, H]; None for a net without."""
        return self.eyes.unit.new_zeros(count, self.recurrent) if self.recurrent else None

    def act(
        self, obs: Tensor, draws: Tensor | None, allowed: Tensor | None = None, memory: Tensor | None = None
    ) -> Acted:
        """Choose the greedy action in each of N environments, or with draws u [N, 1] a random one where u < ε.

        What is below ε is as good as a draw of its own: u / ε says which action. `logprobs` are 0.
        """
        features = self.body(self.eyes(obs))
        if self.recurrent:
            features = memory = self.memory.cell(features, memory)
        actions = greedy(self.means(self._outputs(features)), allowed)
        if draws is not None and bool((at_random := draws[:, 0] < self.epsilon).any()):
            actions = torch.where(at_random, self.wander(draws / self.epsilon, allowed), actions)
        return Acted(actions, features.new_zeros(len(actions)), memory)

    def wander(self, draws: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return actions drawn evenly from the allowed ones, int64 [N], by u in [0, 1), [N, 1]."""
        u = draws.clamp(0.0, 1.0 - 1e-9)
        if allowed is None:
            return (u[:, 0] * self.head.size).long()
        place = allowed.cumsum(-1)  # 1, 2, ... at the allowed ones
        return (place > (u * place[:, -1:]).floor()).to(torch.uint8).argmax(-1)

    def means(self, outputs: Tensor) -> Tensor:
        """Return Q from outputs [..., A, K], [..., A]."""
        if self.support is not None:
            return torch.softmax(outputs, -1) @ self.support
        return outputs[..., 0] if self.atoms == 1 else outputs.mean(-1)

    def _features(self, obs: Tensor, ends: Tensor) -> Tensor:
        features: Tensor = self.body(self.eyes(obs.flatten(0, 1)))  # two axes make fewer operations than three
        if self.recurrent:
            rows = features.view(*ends.shape, -1)
            features = self.memory(rows, self.start(len(rows)), ends).flatten(0, 1)
        return features

    def _outputs(self, features: Tensor) -> Tensor:
        shape = (*features.shape[:-1], self.head.size, self.atoms)
        advantage: Tensor = self.advantage(features).view(shape)
        if self.value is None:
            return advantage
        value: Tensor = self.value(features)
        return value[..., None, :] + advantage - advantage.mean(-2, keepdim=True)
