"""Several processes as one learner, started by torchrun; in a single process every function here does nothing.

Each rank divides its loss by the *mean* count over ranks, and gradients are averaged over ranks:
(1/W) Σ_w ∇ S_w / ((1/W) Σ_w N_w) = ∇ Σ_w S_w / Σ_w N_w, the gradient of one process with the joint batch.
"""

import os
from collections.abc import Iterable
from functools import reduce
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter


def setup(device: torch.device) -> torch.device:
    """Join the other processes where torchrun started several, and return this one's device.

    NCCL for a GPU, and then each process takes the one of its LOCAL_RANK; gloo otherwise.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    on_gpu = device.type == "cuda"
    if on_gpu:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if on_gpu else "gloo")
    return device


def leave() -> None:
    """Leave the group that `setup` joined, if any; the last thing that a process does."""
    if _together():
        dist.destroy_process_group()


def rank() -> int:
    """Return this process's number, from 0; rank 0 writes files and logs."""
    return dist.get_rank() if _together() else 0


def world_size() -> int:
    """Return how many processes learn together."""
    return dist.get_world_size() if _together() else 1


def mean(x: Tensor) -> Tensor:
    """Return the mean of a tensor over ranks, a new tensor without gradient; every rank must call it."""
    total = x.detach().clone()
    if _together():
        dist.all_reduce(total)
        total = total / world_size()
    return total


def mean_(x: Tensor) -> Tensor:
    """Do as `mean`, in place: for what is large."""
    if _together():
        dist.all_reduce(x)
        x /= world_size()
    return x


def everyone(x: Any) -> list[Any]:
    """Return what each rank has, in their order; every rank must call it. For small things: they are pickled."""
    if not _together():
        return [x]
    found: list[Any] = [None] * world_size()
    dist.all_gather_object(found, x)
    return found


def joined(rows: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of all ranks, in their order, as one process would hold them; every rank must call it."""
    return rows if not _together() else np.concatenate(everyone(rows))


def own(rows: NDArray[Any]) -> NDArray[Any]:
    """Return this rank's stretch of what `joined` gave, be it then or in another run with other processes.

    Raises:
        ValueError: they cannot be dealt out evenly.
    """
    if len(rows) % world_size():
        raise ValueError(f"the state has {len(rows)} rows; {world_size()} processes must have as many each")
    share = len(rows) // world_size()
    return rows[rank() * share :][:share]


def average_gradients(parameters: Iterable[Parameter]) -> None:
    """Replace every gradient by its mean over ranks, in one all-reduce of one flat tensor.

    A gradient that is missing here counts as 0, and stays missing where it is missing on all ranks, so that the
    optimizer does what it would do in one process.
    """
    if not _together():
        return
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    if not learning:
        return
    dtype = reduce(torch.promote_types, (parameter.dtype for parameter in learning))
    missing = [parameter.grad is None for parameter in learning]
    given = torch.ones(len(learning), dtype=dtype, device=learning[0].device)
    for i in (i for i, lacking in enumerate(missing) if lacking):
        given[i] = 0.0
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
    flat = torch.cat([grad.reshape(-1).to(dtype) for grad in grads] + [given])
    dist.all_reduce(flat)
    flat /= world_size()
    *averages, given = torch.split(flat, [grad.numel() for grad in grads] + [len(grads)])
    for i, (parameter, grad, average) in enumerate(zip(learning, grads, averages, strict=True)):
        grad.copy_(average.view_as(grad))
        if missing[i] and given[i] > 0.0:  # read on the host only where a gradient is missing
            parameter.grad = grad


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()
