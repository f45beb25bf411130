"""Models of transformers on disk, whole or their adapters alone, written and read by their own methods."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn


def adapted(net: nn.Module) -> bool:
    """Whether a model has adapters of peft."""
    return hasattr(net, "peft_config")


def base(net: Any) -> Any:
    """Return the model under adapters, or the model itself where there are none."""
    return net.get_base_model() if adapted(net) else net


def save(net: Any, folder: Path) -> None:
    """Write what transformers loads again, in one file of weights; of a model with adapters only these."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft looks for the base model where there is no network
        net.save_pretrained(folder, **({} if adapted(net) else {"max_shard_size": "1TB"}))


@torch.no_grad()
def restore(net: Any, folder: Path, dtype: torch.dtype) -> None:
    """Give a model the weights that `save` wrote.

    Raises:
        ValueError: they are another model's.
    """
    if adapted(net):
        import peft  # noqa: PLC0415 - takes a second, and few need it

        found: Any = peft.set_peft_model_state_dict(net, peft.load_peft_weights(str(folder), "cpu"))
        if found.unexpected_keys:
            raise ValueError(f"{folder} holds {found.unexpected_keys[0]}, which the model has not")
        return
    read = type(net).from_pretrained(folder, dtype=dtype).state_dict()
    for name, own in net.state_dict().items():
        if name not in read or read[name].shape != own.shape:
            raise ValueError(f"{name} is missing, or of another shape, in {folder}")
        own.copy_(read[name])
