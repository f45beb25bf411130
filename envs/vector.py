"""GridWorldVectorEnv: many copies of one grid world, stepped together in compiled code as `SyncVectorEnv` would step them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import ArrayLike, NDArray

from envs import kernels
from envs.batch import arrays_of, forms_of, new_batch, reseed
from envs.checks import as_action_rows, as_actions, checked_mask, checked_seeds, repaired, whole
from envs.dynamics import make_rules
from envs.gridworld import GridWorld
from envs.modes import DISABLED, MODES, NO_LIMIT, SAME_STEP
from envs.native import describe, final_infos
from envs.pcg64 import to_generator
from envs.rollout import Rollout, buffers, run
from envs.snapshot import Arrays, put_back, taken
from envs.tables import table

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_FRAMES = 16  # how many of the first sub-environments are drawn
_INT64 = np.dtype(np.int64)


class GridWorldVectorEnv(VectorEnv[Ints, Ints, NDArray[Any]]):
    """num_envs grid worlds in one compiled batch.

    Observations, rewards, flags and infos are those of `SyncVectorEnv` over `GridWorld`s with the same seeds, in each of
    Gymnasium's autoreset modes; every sub-environment has a PCG64 of its own, seeded as a single environment's.

    Args:
        num_envs: how many.
        max_episode_steps: truncate episodes after so many steps; None: never.
        autoreset_mode: an `AutoresetMode` or its value, "NextStep", "SameStep" or "Disabled".
        copy: True: `step` returns new arrays. False: it returns the same four arrays each time, overwritten by the
            next step or reset, and allocates nothing.
        render_mode: "rgb_array", "ansi" or None; `render` draws the first 16 sub-environments.
        world: the arguments of GridWorld.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        render_mode: str | None = None,
        **world: Any,
    ) -> None:
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.max_episode_steps = None if max_episode_steps is None else whole("max_episode_steps", max_episode_steps, 1)
        self.copy = copy
        self._world = GridWorld(render_mode=render_mode, **world)
        describe(self, self._world, num_envs, self.autoreset_mode)
        start, settings = self._world.initial_state_distrib, self._world.settings
        self._forms = forms_of(self._world)
        rules = [self._world.rules, *(make_rules(form, settings, start) for form in self._forms[1:])]
        self._table = table(rules, self._world.n_actions, start)
        self._batch = new_batch(num_envs, self._forms, settings.change_at)
        self._seeds: list[int] = [-1] * num_envs
        self._mode = MODES[self.autoreset_mode]
        self._limit = self.max_episode_steps or NO_LIMIT
        self._final = np.zeros(num_envs, np.int64)
        self._buffers = self._new_buffers()
        self._fixed = (self._mode, self._limit, self._final, *self._batch, *self._table)
        self._shape = (num_envs,)
        self._started = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Ints, dict[str, Any]]:
        """Begin new episodes.

        Args:
            seed: s seeds sub-environment i with s + i; a sequence gives each its own, None leaving its generator as it
                stands. The actions of `rollout_random` are seeded along with it.
            options: "reset_mask" (bool [num_envs]): which sub-environments to reset, the others go on; "state": where
                their episodes begin.

        Returns:
            The present observation of every sub-environment, reset or not, and no infos.
        """
        options = dict(options or {})
        mask = checked_mask(options.pop("reset_mask", None), self.num_envs, self._started)
        start = self._chosen_start(options, mask) if options else -1
        for i, s in enumerate(checked_seeds(seed, self.num_envs)):
            if s is not None and mask[i]:
                reseed(self._batch, i, s)
                self._seeds[i] = s
        obs = self._outputs()[0]
        kernels.reset(mask, start, self._batch, self._table, obs)
        self._started = True
        return obs, {}

    def step(self, actions: ArrayLike) -> tuple[Ints, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Take one action in each sub-environment; in the mode NEXT_STEP those whose episode is over are reset instead."""
        a = actions
        if not (type(a) is np.ndarray and a.dtype is _INT64 and a.flags.carray and a.shape == self._shape):
            a = as_actions(actions, self.num_envs)
        if not self._started:
            raise ResetNeeded("step was called before reset; call reset first")
        obs, reward, terminated, truncated = self._outputs()
        ended = kernels.step(*self._fixed, a, obs, reward, terminated, truncated)
        if ended < 0:
            return self.step(repaired(a, ended, self._mode, self._batch, self._table))
        infos = final_infos(self._final, terminated | truncated) if ended and self._mode == SAME_STEP else {}
        return obs, reward, terminated, truncated, infos

    def rollout(self, actions: ArrayLike, *, out: Rollout | None = None) -> Rollout:
        """Take actions [T, N] one after the other without leaving compiled code; every number is what `step` gives.

        Row t holds the observations before action t, the actions, rewards and flags, and the true successors. In the mode
        NEXT_STEP the row after an end is the reset: its action does nothing, its reward is 0, its successor the new start.

        Args:
            actions: whole numbers [T, N].
            out: buffers to write into and return; None: new ones.
        """
        a = as_action_rows(actions, self.num_envs, self._table.n_actions)
        out = buffers(out, len(a), self.num_envs)
        out.actions[:] = a
        return self._rolled(out, chosen=True)

    def rollout_random(self, steps: int, *, out: Rollout | None = None) -> Rollout:
        """`rollout` of T = steps with uniform random actions, drawn in compiled code.

        Sub-environment i draws from its own SplitMix64 stream z, seeded by reset(seed=...) with split_mix(seed mod 2⁶⁴) and
        carried from call to call: z ← z + 0x9E3779B97F4A7C15 (mod 2⁶⁴), action = (split_mix(z) >> 32) · A >> 32.
        """
        return self._rolled(buffers(out, whole("steps", steps, 0), self.num_envs), chosen=False)

    def state(self) -> Arrays:
        """Everything that the batch's future depends on, its generators too, as copies: [N, ...] by name."""
        return taken(arrays_of(self._batch))

    def restore(self, state: Mapping[str, Any]) -> Ints:
        """Go on from a state of a batch of the same world and size; the present observation of every sub-environment.

        `np_random_seed` is -1 from here on.

        Raises:
            ValueError: the state is of another batch; nothing has changed.
        """
        n_states, forms = self._table.n_states, np.asarray(state.get("form", 0))
        for name, values, end in (
            ("state", np.asarray(state.get("state", 0)), 2 * n_states),
            ("form", forms, len(self._forms)),
        ):
            if not ((values >= 0) & (values < end)).all():
                raise ValueError(f"{name} is {values} in the state; this world has 0 .. {end - 1}")
        put_back(arrays_of(self._batch), state)
        self._seeds = [-1] * self.num_envs
        self._started = True
        obs = self._outputs()[0]
        obs[:] = self._batch.state % n_states
        return obs

    def render(self) -> tuple[Any, ...] | None:
        """Draw the first sub-environments, at most 16, each as GridWorld draws itself."""
        if self.render_mode is None:
            return None
        from envs.render import Renderer  # noqa: PLC0415 - pictures are loaded when one is asked for

        states, forms = self._batch.state % self._table.n_states, self._form_of_each()
        frames: list[Any] = [None] * min(_FRAMES, self.num_envs)
        for form in np.unique(forms[:_FRAMES]):
            renderer = Renderer(self._forms[form], self.render_mode, self.metadata["render_fps"])
            for i in np.flatnonzero(forms[:_FRAMES] == form):
                frames[i] = renderer.render(int(states[i]))
        return tuple(frames)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]  # one for each, as SyncVectorEnv has it
        """The seed of each sub-environment; -1 where none was given."""
        return tuple(self._seeds)

    @property  # type: ignore[misc]  # read-only, and one for each, as SyncVectorEnv has it
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]  # as above
        """Copies of the generators of the sub-environments, as they stand."""
        return tuple(to_generator(row) for row in self._batch.rng)

    def _new_buffers(self) -> tuple[Ints, NDArray[np.float64], Flags, Flags]:
        n = self.num_envs
        return np.empty(n, np.int64), np.empty(n), np.empty(n, np.bool_), np.empty(n, np.bool_)

    def _outputs(self) -> tuple[Ints, NDArray[np.float64], Flags, Flags]:
        return self._new_buffers() if self.copy else self._buffers

    def _rolled(self, out: Rollout, *, chosen: bool) -> Rollout:
        if self._mode == DISABLED:
            raise ValueError(
                "a rollout resets by itself; make the environment with autoreset_mode NextStep or SameStep"
            )
        if not self._started:
            raise ResetNeeded("a rollout was asked before reset; call reset first")
        run(self._mode, chosen, self._batch, self._limit, self._table, out)
        return out

    def _form_of_each(self) -> NDArray[np.int32]:
        change = self._batch.change
        return np.zeros(self.num_envs, np.int32) if change is None else change.form

    def _chosen_start(self, options: dict[str, Any], mask: Flags) -> int:
        """The start state that GridWorld understands from the options, whatever form the world has come to."""
        start = -1
        for form in np.unique(self._form_of_each()[mask]):
            self._world.layout = self._forms[form]
            start = self._world.reset(options=options)[0]
        return start
