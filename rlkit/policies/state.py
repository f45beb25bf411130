"""Networks and optimizers as mappings of arrays, which is what a checkpoint holds; nothing here needs torch to be read."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

Arrays = dict[str, NDArray[Any]]


class Module(Protocol):
    """What has weights and buffers, as torch's modules have."""

    def state_dict(self) -> dict[str, Any]:
        """Return them by name; writing into them changes the module."""
        ...


def module_state(module: Module) -> Arrays:
    """Return copies of a module's weights and buffers by name; bfloat16 as float32, which holds it exactly."""
    return {name: array(tensor) for name, tensor in module.state_dict().items()}


def load_module(module: Module, state: Mapping[str, Any]) -> None:
    """Give a module the weights and buffers of a state.

    Raises:
        ValueError: naming what is missing, too much, or of another shape.
    """
    own = module.state_dict()
    _same(own, state, "the network")
    for name, tensor in own.items():
        found = np.asarray(state[name])
        if found.shape != tuple(tensor.shape):
            raise ValueError(
                f"{name} has shape {list(found.shape)} in the state, and {list(tensor.shape)} in the network"
            )
        tensor.copy_(torch.from_numpy(np.array(found)))


class Weights:
    """A net as a part of an agent's state.

    Args:
        net: with weights and buffers.
    """

    def __init__(self, net: Module) -> None:
        self._net = net

    def state_dict(self) -> Arrays:
        """Return what `module_state` returns."""
        return module_state(self._net)

    def views(self) -> Arrays:
        """Return the net's own arrays, where they are on the CPU."""
        return {name: array(tensor, copy=False) for name, tensor in self._net.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do as `load_module`."""
        load_module(self._net, state)


def optimizer_state(optimizer: Optimizer) -> dict[str, Arrays]:
    """Return what an optimizer remembers of each parameter, by the parameter's number; learning rates are the agent's."""
    kept = optimizer.state_dict()["state"]
    return {
        str(number): {key: array(torch.as_tensor(value)) for key, value in memory.items()}
        for number, memory in kept.items()
    }


def load_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Give an optimizer the memory of a state.

    Raises:
        ValueError: it belongs to a network with other parameters.
    """
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    if state and len(state) != count:
        raise ValueError(f"the optimizer of the state remembers {len(state)} parameters; this one has {count}")
    memory = {
        int(number): {key: torch.from_numpy(np.array(value)) for key, value in one.items()}
        for number, one in state.items()
    }
    optimizer.load_state_dict({"state": memory, "param_groups": optimizer.state_dict()["param_groups"]})


def array(tensor: Tensor, *, copy: bool = True) -> NDArray[Any]:
    """Return a tensor as NumPy has it; without `copy` the tensor's own numbers, where that is possible."""
    dtype = torch.float32 if tensor.dtype == torch.bfloat16 else tensor.dtype
    found: NDArray[Any] = tensor.detach().to("cpu", dtype, copy=copy).numpy()
    return found


def _same(own: Mapping[str, Any], state: Mapping[str, Any], what: str) -> None:
    missing, other = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or other:
        lacks = f"lacks {', '.join(missing)}" if missing else ""
        holds = f"holds {', '.join(other)}, which {what} has not" if other else ""
        raise ValueError(f"the state {' and '.join(filter(None, (lacks, holds)))}")
