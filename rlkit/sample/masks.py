"""Masks of allowed actions, from what environments give in info["action_mask"] to bool [N, A]."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray


class Masks:
    """Packs and checks the masks of one kind of environment. Whether it gives any is seen when its first episodes begin.

    Args:
        space: of the actions of one environment.
        name: of the environment.
    """

    def __init__(self, space: gym.Space[Any], name: str) -> None:
        self._name = name
        self._given: bool | None = None
        self._parts: tuple[int, ...] = ()
        if isinstance(space, gym.spaces.Discrete):
            self._parts = (int(space.n),)
        elif isinstance(space, gym.spaces.MultiDiscrete):
            self._parts = tuple(space.nvec.ravel().tolist())

    def pack(self, masks: Sequence[Any], step: int) -> NDArray[np.bool_] | None:
        """Return bool [N, A], all actions allowed where a mask is None; None where the environment gives no masks.

        Args:
            masks: [N]; each is an array [A], a tuple of arrays, one for each choice of a MultiDiscrete space, or None.
            step: for the error.

        Raises:
            ValueError: a mask has another length, or allows nothing.
        """
        given = any(mask is not None for mask in masks)
        if not given and not self._given:
            self._given = False
            return None
        if self._given is False:
            raise ValueError(f"{self._name} gave an action_mask at step {step}, but none when the first episodes began")
        self._given = True
        width = sum(self._parts)
        allowed = np.ones((len(masks), width), np.bool_)
        for i, mask in enumerate(masks):
            if mask is None:
                continue
            row = np.concatenate([np.ravel(part) for part in mask]) if isinstance(mask, tuple) else np.ravel(mask)
            if len(row) != width:
                raise ValueError(
                    f"the action_mask of environment {i} of {self._name} at step {step} has {len(row)} entries; it needs {width}, "
                    "one for each discrete action"
                )
            allowed[i] = row
        low = 0
        for part in self._parts:
            nothing = ~allowed[:, low : low + part].any(axis=1)
            if nothing.any():
                i = int(nothing.argmax())
                raise ValueError(f"the action_mask of environment {i} of {self._name} at step {step} allows no action")
            low += part
        return allowed
