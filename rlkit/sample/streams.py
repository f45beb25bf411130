"""Generators of a deep agent, made from its seed, each independent of the others and of every other seed's."""

import numpy as np


def agent_generator(seed: int) -> np.random.Generator:
    """Return the generator of an agent's own draws; its numbers are those of `rlkit.tabular.random.agent_stream(seed)`."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed).spawn(2)[0]))


def weight_generator(seed: int) -> np.random.Generator:
    """Return the generator of an agent's first weights."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed).spawn(3)[2]))
