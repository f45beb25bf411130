"""Worlds: N copies of any environment, stepped together; what they give is checked, packed, and can be brought back exactly."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit import dist
from rlkit.policies.heads import for_env, head
from rlkit.policies.senses import Senses
from rlkit.sample.copies import Source, factory, name, seeds_of
from rlkit.sample.masks import Masks
from rlkit.sample.native import Native, native
from rlkit.sample.outcome import Copies
from rlkit.sample.shares import denumbered, joined, numbered, own
from rlkit.sample.stepping import Loop, Processes

Vector = Literal["auto", "native", "sync", "async"]


class Step(NamedTuple):
    """What one action in each of N worlds led to."""

    next_obs: NDArray[Any]  # [N, *shape]  the true successors, also where an episode is over
    rewards: NDArray[np.float64]  # [N]
    terminated: NDArray[np.bool_]  # [N]
    truncated: NDArray[np.bool_]  # [N]


class Worlds:
    """N copies of an environment; where an episode is over the next one begins in the same step.

    Several processes have N copies each, all different.

    Args:
        env: the id of an environment, an environment, or a function that makes one; wrappers are kept.
        count: N, of this process.
        seed: of the agent; the copies' seeds are drawn from it.
        vector: "native": a compiled batch; "sync": one after the other; "async": a process for each; "auto": native where
            there is such a batch and nothing is wrapped around the environment, else sync.

    Attributes:
        observation_space: of one copy.
        action_space: of one copy.
        senses: how observations become arrays.
        kind: which of the three it is.
        obs: [N, *shape], what to act on next.
        allowed: bool [N, A] from info["action_mask"], or None where the environment gives none.

    Raises:
        ValueError: naming what of the environment does not fit.
    """

    def __init__(self, env: Source, count: int, seed: int, vector: Vector = "auto") -> None:
        make = factory(env)
        single = env if isinstance(env, gym.Env) else make()
        self.name = name(single)
        self.observation_space, self.action_space = single.observation_space, single.action_space
        self.count = count
        self.senses = Senses(self.observation_space)
        head(self.action_space)
        seeds = seeds_of(seed, dist.rank() * count, count).tolist()
        batch = native(single) if vector in ("auto", "native") else ""
        if vector == "native" and isinstance(batch, str):
            raise ValueError(f"vector is 'native', but {batch}; take 'auto' or 'sync'")
        self.kind: Vector = vector
        self._copies: Copies
        if not isinstance(batch, str):
            self.kind, self._copies = "native", Native(batch(count), self.senses, seeds)
        elif vector == "async":
            self._copies = Processes(make, self.senses, seeds)
        else:
            self.kind, self._copies = "sync", Loop(make, self.senses, seeds)
        if single is not env:
            single.close()
        self._masks = Masks(self.action_space, self.name)
        self._steps = 0
        self._returns, self._lengths = np.zeros(count), np.zeros(count, np.int64)
        self._finished: list[tuple[float, int]] = []
        self.obs, self.allowed = self._seen(*self._copies.begin())

    def step(self, actions: NDArray[Any], resting: NDArray[np.bool_] | None = None) -> Step:
        """Take an action in each copy.

        Args:
            actions: [N, ...] as policies choose them: discrete ones counted from 0, continuous ones without bounds, which
                are held within those of the action space.
            resting: bool [N], copies that wait for `restart`: what they give means nothing, and is not counted.

        Raises:
            ValueError: a reward or an observation is not finite; names the copy and the step.
        """
        obs, next_obs, rewards, terminated, truncated, masks = self._copies.step(
            for_env(self.action_space, actions), resting
        )
        self._steps += 1
        if not np.isfinite(rewards).all():
            i = int(np.flatnonzero(~np.isfinite(rewards))[0])
            raise ValueError(f"{self.name} gave the reward {rewards[i]} in environment {i} at step {self._steps}")
        over = terminated | truncated
        self.obs, self.allowed = self._seen(obs, masks)
        if next_obs is not obs:
            self.senses.check(next_obs, self._when())
        self._tally(rewards, over, resting)
        return Step(next_obs, rewards, terminated, truncated)

    def restart(self, seeds: Sequence[int]) -> None:
        """Begin a new episode in each copy, with the seeds [N] given; episodes under way are dropped."""
        self.obs, self.allowed = self._seen(*self._copies.begin(seeds))
        self._returns[:], self._lengths[:] = 0.0, 0

    @property
    def finished(self) -> list[tuple[float, int]]:
        """The return and length of each episode that has ended since this was last asked for."""
        finished, self._finished = self._finished, []
        return finished

    def close(self) -> None:
        """Close the copies."""
        self._copies.close()

    def state_dict(self) -> dict[str, Any]:
        """Return where the copies of all processes stand, as one process would hold them; each process must ask.

        Of a native batch they are its arrays, else the seed of each copy's episode and the actions since.
        """
        rows = {
            "obs": self.obs,
            "returns": self._returns,
            "lengths": self._lengths,
            "finished": np.array(self._finished, np.float64).reshape(-1, 2),
        }
        whole = self.count * dist.world_size()
        copies = joined(self._copies.state()) if self.kind == "native" else numbered(self._copies.state())
        return {"kind": self.kind, "count": whole, "copies": copies, "steps": self._steps, **joined(rows)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Bring the copies back to where they stood; each of several processes takes its own.

        Raises:
            ValueError: the state is of other worlds, or a copy does not come back.
        """
        whole, native_ = self.count * dist.world_size(), self.kind == "native"
        if int(state["count"]) != whole or (state["kind"] == "native") != native_:
            raise ValueError(
                f"the state is of {state['count']} environments, {state['kind']}; these are {whole}, {self.kind}"
            )
        rows = own({name: state[name] for name in ("obs", "returns", "lengths")})
        copies = own(state["copies"]) if native_ else denumbered(state["copies"], self.count)
        obs, masks = self._copies.restore(copies)
        stray = [i for i in range(self.count) if not np.array_equal(obs[i], rows["obs"][i])]
        if stray:
            raise ValueError(
                f"environment {stray[0]} of {self.name} does not come back to where it was: something in it outlives an episode "
                "or is not drawn from np_random; a wrapper that normalises is replaced by normalise_obs, normalise_rewards"
            )
        self.obs, self.allowed = self._seen(obs, masks)
        self._steps = int(state["steps"])
        self._returns[:], self._lengths[:] = rows["returns"], rows["lengths"]
        first = dist.rank() == 0  # which tells of the episodes of all
        self._finished = [(float(total), int(length)) for total, length in state["finished"] if first]

    def _seen(self, obs: NDArray[Any], masks: list[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        return self.senses.check(obs, self._when()), self._masks.pack(masks, self._steps)

    def _when(self) -> str:
        return f"of {self.name} at step {self._steps}"

    def _tally(self, rewards: NDArray[np.float64], over: NDArray[np.bool_], resting: NDArray[np.bool_] | None) -> None:
        self._returns += rewards
        self._lengths += 1
        if over.any():
            ended = np.flatnonzero(over if resting is None else over & ~resting)
            self._finished += zip(self._returns[ended].tolist(), self._lengths[ended].tolist(), strict=True)
            self._returns[over], self._lengths[over] = 0.0, 0
