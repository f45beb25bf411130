"""Random numbers in kernels: NumPy's PCG64, the same numbers bit for bit, its state an array that is saved like any other."""

import numpy as np
from numpy.typing import NDArray

from envs.pcg64 import from_generator, seeded, to_generator
from envs.pcg64 import random as _random
from rlkit.tabular.jit import kernel

__all__ = ["Stream", "agent_stream", "env_seed", "env_stream", "seeded", "to_generator", "uniform"]

Stream = NDArray[np.uint64]  # [1, 4]


def agent_stream(seed: int) -> Stream:
    """Return the stream of an agent's own draws, independent of `env_seed(seed)` and of every other seed."""
    return np.array([from_generator(np.random.PCG64(np.random.SeedSequence(seed).spawn(2)[0]))], np.uint64)


def env_seed(seed: int) -> int:
    """Return what `env.reset(seed=...)` gets for an agent's seed."""
    return int(np.random.SeedSequence(seed).spawn(2)[1].generate_state(1)[0])


def env_stream(seed: int) -> Stream:
    """Return the stream that `env.reset(seed=seed)` would make, Gymnasium's `np_random`."""
    return seeded([seed])


@kernel
def uniform(stream: Stream) -> float:
    """Draw the next number in [0, 1)."""
    u: float = _random(stream, 0)
    return u
