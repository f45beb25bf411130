"""Random numbers of deep agents: drawn on the host, the same however many processes share the work.

Every process draws for all and takes what is its own: environments are dealt out to ranks in stretches, and so are rows.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from rlkit import dist
from rlkit.policies.heads import Head
from rlkit.policies.machine import upload
from rlkit.sample.streams import agent_generator, weight_generator

__all__ = ["agent_generator", "draw", "minibatches", "share", "weight_generator"]


def share(envs: int) -> int:
    """Return how many of `envs` environments are this process's.

    Raises:
        ValueError: they cannot be dealt out evenly.
    """
    if envs % dist.world_size():
        raise ValueError(f"envs is {envs}; {dist.world_size()} processes must have as many each")
    return envs // dist.world_size()


def draw(rng: np.random.Generator, head: Head, count: int) -> Tensor:
    """Return the draws [N, D] of this process's `count` environments for one step, float64."""
    return draw_ahead(rng, head, count, 1)[0]


def draw_ahead(rng: np.random.Generator, head: Head, count: int, steps: int) -> Tensor:
    """Return what `draw` would give in each of T steps, [T, N, D]."""
    everybody = (steps, dist.world_size() * count, head.draws)
    numbers = rng.random(everybody) if head.draw == "uniform" else rng.standard_normal(everybody)
    first = dist.rank() * count
    return torch.from_numpy(numbers[:, first : first + count])


def minibatches(rng: np.random.Generator, rows: int, size: int, device: torch.device) -> Iterator[Tensor | slice]:
    """Deal `rows` rows of each process into minibatches of `size` rows over all; yield those of this process, one by one.

    The order is that of as many uniform numbers; the last minibatch holds what remains. Where one holds everything there is no
    order, and nothing is drawn.
    """
    ranks, rank = dist.world_size(), dist.rank()
    if size >= ranks * rows:
        yield slice(None)
        return
    order = np.argsort(rng.random(ranks * rows), kind="stable")
    parts = [order[start : start + size] for start in range(0, ranks * rows, size)]
    if ranks > 1:
        parts = [part[part // rows == rank] - rank * rows for part in parts]
    yield from torch.split(upload(np.concatenate(parts), device), [len(part) for part in parts])
