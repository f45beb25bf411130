"""ClassicVectorEnv: many copies of a classic control task, stepped together as `SyncVectorEnv` would step Gymnasium's own."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import ArrayLike, NDArray

from envs.checks import as_actions, as_forces, checked_mask, checked_seeds, needs_reset, whole
from envs.classic import kernels
from envs.classic.kernels import new_batch
from envs.modes import MODES, NEEDS_RESET, NEXT_STEP, NO_LIMIT, SAME_STEP
from envs.native import describe, final_infos
from envs.pcg64 import seeded, to_generator
from envs.snapshot import Arrays, put_back, taken

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Outputs = tuple[Floats, NDArray[np.float64], Flags, Flags]
_FRAMES = 16  # how many of the first sub-environments are drawn


class ClassicVectorEnv(VectorEnv[Floats, Any, NDArray[Any]]):
    """num_envs copies of one classic control task in one compiled batch.

    Observations, rewards, flags and infos are those of `SyncVectorEnv` over Gymnasium's environments with the same seeds,
    bit for bit (but see Acrobot), in each of Gymnasium's autoreset modes; every sub-environment has a PCG64 of its own, seeded as a single
    environment's. Actions of a continuous task are float32, as its action space says.

    Args:
        single: Gymnasium's environment; it has the spaces, and draws.
        world: the same task for the kernels.
        num_envs: how many.
        max_episode_steps: truncate episodes after so many steps; None: never.
        autoreset_mode: an `AutoresetMode` or its value, "NextStep", "SameStep" or "Disabled".
        copy: True: `step` returns new arrays. False: it returns the same four arrays each time, overwritten by the
            next step or reset, and allocates nothing.
    """

    def __init__(
        self,
        single: gym.Env[Any, Any],
        world: NamedTuple,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
    ) -> None:
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.max_episode_steps = None if max_episode_steps is None else whole("max_episode_steps", max_episode_steps, 1)
        self.copy = copy
        self.world = world
        self._single = single
        describe(self, single, num_envs, self.autoreset_mode)
        self.batch = new_batch(num_envs)
        self._seeds = [-1] * num_envs
        self._mode = MODES[self.autoreset_mode]
        space = single.action_space
        self._discrete = isinstance(space, Discrete)
        self._bounds = (0.0, int(space.n) - 1.0) if isinstance(space, Discrete) else (-np.inf, np.inf)
        self._shape = self.observation_space.shape or ()
        self._buffers = self._new_buffers()
        self._final = np.zeros_like(self._buffers[0])
        limit = self.max_episode_steps or NO_LIMIT
        self._fixed = (self._mode, limit, *self._bounds, self._final, world, *self.batch)
        self._started = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Begin new episodes.

        Args:
            seed: s seeds sub-environment i with s + i; a sequence gives each its own, None leaving its generator as it
                stands.
            options: "reset_mask" (bool [num_envs]): which sub-environments to reset, the others go on; and what
                Gymnasium's own environment takes, the bounds "low" and "high" of the first state, or Pendulum's "x_init"
                and "y_init". They hold for the episodes that begin here.

        Returns:
            The present observation of every sub-environment, reset or not, and no infos.
        """
        options = dict(options or {})
        mask = checked_mask(options.pop("reset_mask", None), self.num_envs, self._started)
        world = _with_bounds(self.world, options)
        for i, s in enumerate(checked_seeds(seed, self.num_envs)):
            if s is not None and mask[i]:
                self.batch.rng[i] = seeded([s])[0]
                self._seeds[i] = s
        obs = self._outputs()[0]
        kernels.reset(world, self.batch, mask, obs)
        self._started = True
        return obs, {}

    def step(self, actions: ArrayLike) -> tuple[Floats, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Take one action in each sub-environment; in the mode NEXT_STEP those whose episode is over are reset instead."""
        a = (as_actions if self._discrete else as_forces)(actions, self.num_envs)
        if not self._started:
            raise ResetNeeded("step was called before reset; call reset first")
        obs, reward, terminated, truncated = self._outputs()
        ended = kernels.step(*self._fixed, a, obs, reward, terminated, truncated)
        if ended < 0:
            self._refuse(a, ended)
        infos = final_infos(self._final, terminated | truncated) if ended and self._mode == SAME_STEP else {}
        return obs, reward, terminated, truncated, infos

    def state(self) -> Arrays:
        """Everything that the batch's future depends on, its generators too, as copies: [N, ...] by name."""
        return taken(self.batch._asdict())

    def restore(self, state: Mapping[str, Any]) -> Floats:
        """Go on from a state of a batch of the same task and size; the present observation of every sub-environment.

        `np_random_seed` is -1 from here on.

        Raises:
            ValueError: the state is of another batch; nothing has changed.
        """
        put_back(self.batch._asdict(), state)
        self._seeds = [-1] * self.num_envs
        self._started = True
        obs = self._outputs()[0]
        kernels.reset(self.world, self.batch, np.zeros(self.num_envs, np.bool_), obs)
        return obs

    def render(self) -> tuple[Any, ...] | None:
        """Draw the first sub-environments, at most 16, each as Gymnasium's environment draws itself."""
        if self.render_mode is None:
            return None
        frames, single = [], self._single.unwrapped
        single.reset()  # it draws nothing before
        for state in self.batch.state[:_FRAMES]:
            single.state = state  # type: ignore[attr-defined]  # all of Gymnasium's classic tasks have it
            frames.append(single.render())
        return tuple(frames)

    def close_extras(self, **kwargs: Any) -> None:  # noqa: ARG002 - Gymnasium's signature
        """Close what draws."""
        self._single.close()

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]  # one for each, as SyncVectorEnv has it
        """The seed of each sub-environment; -1 where none was given."""
        return tuple(self._seeds)

    @property  # type: ignore[misc]  # read-only, and one for each, as SyncVectorEnv has it
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]  # as above
        """Copies of the generators of the sub-environments, as they stand."""
        return tuple(to_generator(row) for row in self.batch.rng)

    def _new_buffers(self) -> Outputs:
        n = self.num_envs
        return (
            np.empty(self._shape, np.float32),
            np.empty(n),
            np.empty(n, np.bool_),
            np.empty(n, np.bool_),
        )

    def _outputs(self) -> Outputs:
        return self._new_buffers() if self.copy else self._buffers

    def _refuse(self, actions: NDArray[Any], reason: int) -> None:
        over = self.batch.over
        if reason == NEEDS_RESET:
            raise needs_reset(over)
        low, high = self._bounds
        blamed = ~((low <= actions) & (actions <= high)) & ~(over if self._mode == NEXT_STEP else False)
        first = int(np.flatnonzero(blamed)[0])
        legal = f"actions are 0 .. {high:.0f}" if self._discrete else "actions are numbers"
        raise ValueError(f"the action of sub-environment {first} is {actions[first]}; {legal}")


def _with_bounds(world: NamedTuple, options: dict[str, Any]) -> NamedTuple:
    """The world with the bounds of first states that a reset's options give."""
    names = world._fields[-2:]
    for name, value in options.items():
        if name not in names:
            raise ValueError(f"options have {name!r}; a reset knows reset_mask, {', '.join(names)}")
        if not isinstance(value, int | float | np.number) or not np.isfinite(value):
            raise ValueError(f"options[{name!r}] is {value!r}; a finite number is needed")
    world = world._replace(**{name: float(value) for name, value in options.items()})
    first, second = world[-2:]
    if names == ("low", "high") and first > second:
        raise ValueError(f"options['low'] is {first}, above options['high'], {second}")
    if names != ("low", "high") and min(first, second) < 0:
        raise ValueError(f"options are {options}; the bounds hold on both sides of 0 and cannot be negative")
    return world
