"""Scene: what a deep agent finds before it has a net: its worlds, the device, and the numbers of its first weights."""

from typing import Any

import gymnasium as gym

from rlkit import dist
from rlkit.policies.activations import Activation
from rlkit.policies.machine import device
from rlkit.policies.protocol import Actor
from rlkit.policies.senses import Senses
from rlkit.sample.acting import Acting
from rlkit.sample.config import Deep
from rlkit.sample.draws import share, weight_generator
from rlkit.sample.worlds import Worlds


class Scene:
    """This process's share of `config.envs` worlds, and the device.

    Args:
        env: the environment, copied.
        config: the agent's.
        seed: of weights, worlds and what acts outside training, each independent of the others.

    Attributes:
        worlds: the copies.
        device: of the nets.
        weights: draws the first weights.
        net: what every small net begins with: senses, the space of actions, `config.hidden`, `config.activation`.
    """

    def __init__(self, env: gym.Env[Any, Any], config: Deep, seed: int) -> None:
        self.device = dist.setup(device(config.device))
        self.worlds = Worlds(env, share(config.envs), seed, config.vector)
        self.weights = weight_generator(seed)
        self.net: tuple[Senses, gym.Space[Any], tuple[int, ...], Activation]
        self.net = (self.worlds.senses, self.worlds.action_space, config.hidden, config.activation)
        self._seed = seed

    def acting(self, policy: Actor) -> Acting:
        """Return what acts with a policy outside training."""
        return Acting(policy, self.worlds.senses, self.worlds.action_space, self.device, self._seed)

    def choices(self, agent: str) -> int:
        """Return how many actions there are.

        Raises:
            ValueError: they are not Discrete, which this agent needs.
        """
        space = self.worlds.action_space
        if not isinstance(space, gym.spaces.Discrete):
            raise ValueError(f"{self.worlds.name} has actions {space}; {agent} chooses among Discrete ones: take ppo")
        return int(space.n)
