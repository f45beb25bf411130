"""Nets of this room as the mappings of arrays that `rlkit.policies.state` makes of torch's: one checkpoint for both."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlkit.compiled.mlp import Net, Numbers, flip, matrices
from rlkit.policies.weights import GAIN, orthogonal

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


def vectors(*nets: Net) -> Arrays:
    """Return Adam's memory of nets as `rlkit.policies.adam` lays it out: one vector each, a net's spare parameters first."""
    return {
        "mean": np.concatenate([part for net in nets for part in _flat(net, net.mean)]),
        "square": np.concatenate([part for net in nets for part in _flat(net, net.square)]),
    }


def restore_vectors(state: Mapping[str, Any], *nets: Net) -> None:
    """Write what `vectors` returned back.

    Raises:
        ValueError: it is of nets of another size.
    """
    own = vectors(*nets)
    for key in ("mean", "square"):
        given, size = np.array(state[key]), own[key].size
        if given.shape != (size,):
            raise ValueError(f"the optimizer of the state has {given.size} parameters; this one has {size}")
        at = 0
        for net in nets:
            vector, spare = getattr(net, key), _spare(net)
            vector[vector.size - spare :] = given[at : at + spare]
            at += spare
            parts = {}
            for name, array in named(net, "", vector).items():
                parts[name] = given[at : at + array.size].reshape(array.shape)
                at += array.size
            put(net, "", vector, parts)


def first_weights(net: Net, name: str, last_gain: float, rng: np.random.Generator) -> Arrays:
    """Return a net's first weights, as `rlkit.policies.networks` draws them."""
    found: Arrays = {}
    weights = {key: array for key, array in named(net, name, net.weights).items() if key.endswith("weight")}
    for i, (key, array) in enumerate(weights.items()):
        found[key] = orthogonal(array.shape, last_gain if i == len(weights) - 1 else GAIN, rng)
        found[key.replace("weight", "bias")] = np.zeros(len(array), np.float32)
    return found


def _flat(net: Net, vector: Numbers) -> list[Numbers]:
    return [vector[vector.size - _spare(net) :], *(part.ravel() for part in named(net, "", vector).values())]


def _spare(net: Net) -> int:
    last = net.plan[-1]
    return int(net.weights.size - last[6] - (last[0] + 1) * last[1])
