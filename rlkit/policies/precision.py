"""The type of numbers that a model computes in: asked for, or the faster one by a measurement of a hundredth of a second."""

import time
from typing import Literal, get_args

import torch

Precision = Literal["float32", "bfloat16", "auto"]
_GAIN = 1.3  # how much faster bfloat16 must be to be worth its three digits


def precision(name: Precision, device: torch.device | None = None) -> torch.dtype:
    """Return the type of a name; "auto" is bfloat16 where it is clearly faster on the device, float32 elsewhere.

    Raises:
        ValueError: naming an unknown one.
    """
    if name not in get_args(Precision):
        raise ValueError(f"dtype is {name!r}; choose one of {', '.join(map(repr, get_args(Precision)))}")
    if name == "auto":
        return torch.bfloat16 if gain(device or torch.device("cpu")) > _GAIN else torch.float32
    return torch.float32 if name == "float32" else torch.bfloat16


def gain(device: torch.device) -> float:
    """Return how many times faster than in float32 a step of writing is in bfloat16: a few rows times a matrix."""
    return _seconds(torch.float32, device) / _seconds(torch.bfloat16, device)


@torch.no_grad()
def _seconds(dtype: torch.dtype, device: torch.device) -> float:
    rows, weights = (torch.ones(n, 1024, dtype=dtype, device=device) for n in (16, 1024))
    taken = []
    for _ in range(4):  # the first one makes ready
        begin = time.perf_counter()
        product = torch.nn.functional.linear(rows, weights)
        float(product[0, 0])  # waits for the device
        taken.append(time.perf_counter() - begin)
    return min(taken[1:])
