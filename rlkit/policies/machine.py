"""The machine: which device computes, and with how many threads."""

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

_ENOUGH = 20_000_000  # multiply-adds of a batch from which a second thread gains more than it costs


def device(name: str) -> torch.device:
    """Return the device of a name: "cpu", "cuda", "cuda:1", "mps"; "auto" is a GPU where there is one.

    Raises:
        ValueError: there is no such device here.
    """
    gpus = torch.cuda.device_count()
    if name == "auto":
        return torch.device("cuda" if gpus else "cpu")
    try:
        found = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device is {name!r}; write 'auto', 'cpu', 'cuda' or 'cuda:1'") from None
    if found.type == "cuda" and (found.index or 0) >= gpus:
        raise ValueError(f"device is {name!r}; torch {torch.__version__} sees {gpus or 'no'} GPUs here: take 'cpu'")
    if found.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device is {name!r}, which is not to be had here; take 'cpu'")
    return found


def use_threads(asked: int, parameters: int, batch: int) -> int:
    """Set and return the number of torch's threads on the CPU: as asked, or where that is 0, by the size of the work.

    Small nets are slowed by a second thread: handing work over costs some 10 µs at each of many small operations.

    Args:
        asked: 0 to let the rule decide.
        parameters: of the net.
        batch: rows of a minibatch.
    """
    threads = asked or (1 if parameters * batch < _ENOUGH else os.cpu_count() or 1)
    if threads != torch.get_num_threads():
        torch.set_num_threads(threads)
    return threads


def upload(array: NDArray[Any], to: torch.device) -> torch.Tensor:
    """Return an array as a tensor on a device; to a GPU it goes from pinned memory, so that the host does not wait for the copy."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.pin_memory().to(to, non_blocking=True) if to.type == "cuda" else tensor.to(to)
