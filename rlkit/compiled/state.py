"""Nets of this room as the mappings of arrays that `rlkit.policies.state` makes of torch's: one checkpoint for both."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlkit.compiled.mlp import Net, Numbers, flip, matrices

Arrays = dict[str, Numbers]


def named(net: Net, name: str, vector: Numbers) -> Arrays:
    """Return copies of the layers' parts of a vector [P] such as `net.weights`: "actor.0.weight" and so on."""
    outs = [int(real) for real in net.plan[:, -1]]
    ins = [int(net.plan[0, 0]), *outs[:-1]]
    found = {}
    for i, (weight, bias) in enumerate(matrices(net, vector)):
        found[f"{name}.{2 * i}.weight"] = weight[: outs[i], : ins[i]].copy()
        found[f"{name}.{2 * i}.bias"] = bias[: outs[i]].copy()
    return found


def put(net: Net, name: str, vector: Numbers, state: Mapping[str, Any]) -> None:
    """Write what `named` returned into a vector.

    Raises:
        ValueError: naming what is missing or of another shape.
    """
    own = named(net, name, vector)
    for key, array in own.items():
        if key not in state:
            raise ValueError(f"the state lacks {key}")
        if np.shape(state[key]) != array.shape:
            raise ValueError(
                f"{key} has shape {list(np.shape(state[key]))} in the state, and {list(array.shape)} in the network"
            )
    for i, (weight, bias) in enumerate(matrices(net, vector)):
        given, given_bias = state[f"{name}.{2 * i}.weight"], state[f"{name}.{2 * i}.bias"]
        weight[: given.shape[0], : given.shape[1]] = given
        bias[: given.shape[0]] = given_bias
    if vector is net.weights:
        flip(net)
