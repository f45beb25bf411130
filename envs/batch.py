"""The state of a batch of grid worlds: how it is made and seeded."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from envs.cells import WALL, Layout
from envs.gridworld import GridWorld
from envs.kernels import Batch, Change
from envs.pcg64 import seeded, unseeded
from envs.rollout import split_mix
from envs.snapshot import Arrays


def forms_of(world: GridWorld) -> list[Layout]:
    """The layouts that a world takes in the course of its life: one, or two if it changes."""
    later = world.layout.later
    return [world.layout] if later is None else [world.layout, replace(later, settings=world.settings)]


def new_batch(num_envs: int, forms: Sequence[Layout], change_at: int | None) -> Batch:
    """Sub-environments at the beginning of their lives, their generators filled from the system's entropy."""
    change = None
    if change_at is not None and len(forms) > 1:
        walls = np.array([form.kinds.ravel() == WALL for form in forms])
        change = Change(np.zeros(num_envs, np.int32), np.zeros(num_envs, np.int64), walls, change_at)
    state, elapsed = np.zeros((2, num_envs), np.int32)
    stream = unseeded(num_envs)[:, 0].copy()
    return Batch(state, elapsed, unseeded(num_envs), stream, np.zeros(num_envs, np.bool_), change)


def reseed(batch: Batch, i: int, seed: int) -> None:
    """Give sub-environment i the generator of a single environment with this seed, and the stream split_mix(seed mod 2⁶⁴)."""
    batch.rng[i] = seeded([seed])[0]
    batch.stream[i] = split_mix(np.array([seed % 2**64], np.uint64))[0]


def arrays_of(batch: Batch) -> Arrays:
    """The live arrays of a batch that its future depends on, by name."""
    arrays: Arrays = {name: getattr(batch, name) for name in ("state", "elapsed", "rng", "stream")}
    change = batch.change
    return arrays if change is None else {**arrays, "form": change.form, "lived": change.lived}
