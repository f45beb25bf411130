"""Batches that the tests of rlkit.pg share: ragged rows with padding on both sides, gaps, and ends inside a row."""

import torch
from torch import Tensor

MASK = torch.tensor(
    [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    dtype=torch.bool,
)
SHAPE = MASK.shape


def normal(seed: int, *shape: int, dtype=torch.float64) -> Tensor:
    return torch.randn(shape or SHAPE, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def logprobs(seed: int, dtype=torch.float64) -> Tensor:
    return -normal(seed, dtype=dtype).abs() - 0.05


def flags() -> tuple[Tensor, Tensor]:
    """Terminated in the middle of a row and at an end, truncated in the middle of a row and before a gap."""
    terminated, truncated = torch.zeros(SHAPE, dtype=torch.bool), torch.zeros(SHAPE, dtype=torch.bool)
    terminated[0, 2] = terminated[1, 2] = True
    truncated[0, 4] = truncated[2, 3] = True
    return terminated, truncated


def spoil(x: Tensor, mask: Tensor = MASK) -> Tensor:
    """The same where the mask counts, NaN and infinities elsewhere."""
    bad = torch.tensor([float("nan"), float("inf"), -float("inf")], dtype=x.dtype).repeat(x.numel() // 3 + 1)[
        : x.numel()
    ]
    wide = mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim)).expand_as(x)
    return torch.where(wide, x, bad.view_as(x))
