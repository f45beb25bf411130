"""Where compiled agents learn: native batches of worlds, moved and brought back; the state is that of `rlkit.sample.worlds`."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.classic.vector import ClassicVectorEnv
from envs.modes import NO_LIMIT
from envs.vector import GridWorldVectorEnv
from rlkit.compiled.mlp import Net
from rlkit.compiled.play import new_scratch, new_tally, play_classic, play_grid
from rlkit.compiled.segment import Segment
from rlkit.compiled.worlds import Classic, Grid
from rlkit.policies.senses import Senses
from rlkit.sample.copies import seeds_of
from rlkit.sample.native import native

MOST = 512  # observations that are seen one-hot: a larger net is better off with torch


class Place:
    """N copies of an environment in one compiled batch.

    Args:
        env: one of them.
        count: N.
        steps: T, of a segment.
        seed: of the agent.

    Raises:
        ValueError: `refusal` says why there is no such place.
    """

    def __init__(self, env: gym.Env[Any, Any], count: int, steps: int, seed: int) -> None:
        make = native(env)
        reason = refusal(env)
        if isinstance(make, str) or reason:
            raise ValueError(reason)
        self.batch: Any = make(count)
        self.senses = Senses(env.observation_space)
        self.normal = isinstance(env.action_space, spaces.Box)
        self.actions = 1 if self.normal else int(env.action_space.n)  # type: ignore[attr-defined]  # Discrete has it
        self.width = _width(env)
        self.tally = new_tally(count, count * steps)
        self.obs = self.senses.pack(self.batch.reset(seed=seeds_of(seed, 0, count).tolist())[0])
        self._steps, self._finished = 0, np.zeros((0, 2))
        low, high = (
            (env.action_space.low[0], env.action_space.high[0]) if isinstance(env.action_space, spaces.Box) else (0, 0)
        )
        self._bounds = float(low), float(high)
        self._scratch = new_scratch(count)

    def play(self, actor: Net, draws: NDArray[np.float64], segment: Segment) -> None:
        """Play the next segment."""
        world = self.world
        if isinstance(world, Classic):
            bounds = self._bounds
            play_classic(*world, *bounds, actor, self.actions, self.normal, draws, segment, self.tally, self.obs)
        else:
            play_grid(*world, actor, self.actions, draws, segment, self.tally, self.obs, self._scratch)
        self.count(len(draws))

    @property
    def world(self) -> Classic | Grid:
        """The batch as kernels move it."""
        if isinstance(self.batch, ClassicVectorEnv):
            return Classic(self.batch.world, self.batch.batch, self.batch.max_episode_steps or NO_LIMIT)
        return Grid(self.batch._batch, self.batch._table, self.batch._limit)  # noqa: SLF001 - the arrays of our own batch

    def count(self, steps: int) -> None:
        """Count steps of all copies, and keep what the tally says of episodes that ended in them."""
        self._steps += steps
        self._finished = np.concatenate([self._finished, self.tally.finished[: self.tally.ended[0]]])

    def finished(self) -> NDArray[np.float64]:
        """Return (return, length) [E, 2] of each episode that has ended since this was last asked for."""
        finished, self._finished = self._finished, np.zeros((0, 2))
        return finished

    def state_dict(self) -> dict[str, Any]:
        """Return where all copies stand."""
        return {
            "kind": "native",
            "count": len(self.obs),
            "copies": dict(self.batch.state()),
            "obs": self.obs.copy(),
            "steps": self._steps,
            "returns": self.tally.returns.copy(),
            "lengths": self.tally.lengths.copy(),
            "finished": self._finished.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Bring all copies back to where they stood.

        Raises:
            ValueError: the state is of other worlds.
        """
        if int(state["count"]) != len(self.obs) or state["kind"] != "native":
            raise ValueError(
                f"the state is of {state['count']} environments, {state['kind']}; these are {len(self.obs)}, native"
            )
        self.obs = self.senses.pack(self.batch.restore(state["copies"]))
        self._steps, self._finished = int(state["steps"]), np.array(state["finished"], np.float64).reshape(-1, 2)
        self.tally.returns[:], self.tally.lengths[:] = state["returns"], state["lengths"]


def refusal(env: gym.Env[Any, Any]) -> str:
    """Return why compiled agents cannot learn in an environment; "" if they can."""
    if not isinstance(env, gym.Env):
        return "it is no single environment"
    make = native(env)
    if isinstance(make, str):
        return make
    batch: Any = make(1)
    discrete = isinstance(env.action_space, spaces.Discrete)
    if isinstance(batch, ClassicVectorEnv):
        return ""
    if (
        not isinstance(batch, GridWorldVectorEnv)
        or not isinstance(env.observation_space, spaces.Discrete)
        or not discrete
    ):
        return f"its observations are {env.observation_space}"
    states = int(env.observation_space.n)
    return "" if states <= MOST else f"it has {states} states; one-hot, compiled agents take at most {MOST}"


def _width(env: gym.Env[Any, Any]) -> int:
    space = env.observation_space
    return int(space.n) if isinstance(space, spaces.Discrete) else int(np.prod(space.shape or ()))
