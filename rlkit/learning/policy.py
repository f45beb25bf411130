"""A policy to evaluate, as a user writes it: a name, a file, actions or probabilities."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Floats, Ints
from rlkit.learning.config import Policy
from rlkit.learning.setting import Setting
from rlkit.learning.truth import optimal


def read_policy(policy: Policy, setting: Setting, gamma: float, name: str = "policy") -> Floats:
    """Return the probabilities [S, A] of a policy.

    Args:
        policy: "uniform", "optimal" (the lowest optimal action), a .npy file, [S] actions or [S, A] probabilities.
        setting: where it acts.
        gamma: discount under which "optimal" is.
        name: what an error calls it.

    Raises:
        ValueError: it is none of these, or does not fit the setting.
    """
    shape = setting.n_states, setting.n_actions
    if isinstance(policy, str):
        if policy == "uniform":
            return np.full(shape, 1.0 / setting.n_actions)
        if policy == "optimal":
            if setting.mdp is None:
                raise ValueError(f'{name} is "optimal", but the environment states no model to find it with')
            return _of_actions(optimal(setting.mdp, gamma)[1].argmax(axis=1), setting.n_actions)
        if not policy.endswith(".npy") or not Path(policy).is_file():
            raise ValueError(f'{name} is {policy!r}; write "uniform", "optimal" or the path of a .npy file')
        given = np.load(policy, allow_pickle=False)
    else:
        given = _numbers(policy, name)
    if given.shape == shape[:1] and given.dtype.kind in "iu":
        if given.min() < 0 or given.max() >= setting.n_actions:
            raise ValueError(f"{name} has an action outside 0 .. {setting.n_actions - 1}")
        return _of_actions(given, setting.n_actions)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{name} has the type {given.dtype}; it must hold numbers")
    pi = np.ascontiguousarray(given, np.float64)
    if pi.shape != shape:
        raise ValueError(
            f"{name} has shape {given.shape}; it needs {shape} probabilities, or {shape[:1]} whole numbers"
        )
    off = ~(np.abs(pi.sum(axis=1) - 1.0) <= 1e-8) | ~(pi >= 0.0).all(axis=1)
    if off.any():
        s = int(np.argmax(off))
        raise ValueError(f"{name} of state {s} is {pi[s].tolist()}; it must be a distribution")
    return pi


def _numbers(policy: Policy, name: str) -> NDArray[Any]:
    try:
        return np.asarray(policy)
    except ValueError:
        raise ValueError(
            f"{name} has rows of different lengths; each state needs a probability for every action"
        ) from None


def _of_actions(actions: Ints, n_actions: int) -> Floats:
    return np.eye(n_actions)[actions]
