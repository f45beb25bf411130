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


def vectors(actor: Net, critic: Net) -> Arrays:
    """Return Adam's memory of both nets as `rlkit.policies.adam` lays it out: one vector each, log_std first."""
    return {
        "mean": _flat(actor, critic, actor.mean, critic.mean),
        "square": _flat(actor, critic, actor.square, critic.square),
    }


def restore_vectors(actor: Net, critic: Net, state: Mapping[str, Any]) -> None:
    """Write what `vectors` returned back.

    Raises:
        ValueError: it is of nets of another size.
    """
    for key, own, other in (("mean", actor.mean, critic.mean), ("square", actor.square, critic.square)):
        given, size = np.array(state[key]), _flat(actor, critic, own, other).size
        if given.shape != (size,):
            raise ValueError(f"the optimizer of the state has {given.size} parameters; this one has {size}")
        spare = _spare(actor)
        own[own.size - spare :] = given[:spare]
        at = spare
        for net, vector in ((actor, own), (critic, other)):
            parts = {}
            for name, array in named(net, "", vector).items():
                parts[name] = given[at : at + array.size].reshape(array.shape)
                at += array.size
            put(net, "", vector, parts)


def _flat(actor: Net, critic: Net, own: Numbers, other: Numbers) -> Numbers:
    parts = [*named(actor, "", own).values(), *named(critic, "", other).values()]
    return np.concatenate([own[own.size - _spare(actor) :], *(part.ravel() for part in parts)])


def _spare(net: Net) -> int:
    last = net.plan[-1]
    return int(net.weights.size - last[6] - (last[0] + 1) * last[1])
