"""The one thing that flows from those who act to those who learn: B rows of T steps, whatever the world."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

FLAGS = ("terminated", "truncated", "mask")


@dataclass(frozen=True, eq=False)
class Trajectories:
    """B rows padded to T steps; the same type for CartPole, GridWorld and a language model.

    A row holds whole episodes, one or several, or a segment of one. Where `mask` is False the policy chose nothing:
    padding, a prompt, what a tool wrote; nothing there is read, so that it may hold anything.
    """

    obs: Tensor  # [B, T, ...]  token ids [B, T] for a language model
    next_obs: Tensor  # [B, T, ...]  the true successor, never the observation after a reset
    actions: Tensor  # [B, T, ...]
    logprobs: Tensor  # [B, T]  under the policy that acted
    rewards: Tensor  # [B, T]
    terminated: Tensor  # [B, T]  bool: do not bootstrap
    truncated: Tensor  # [B, T]  bool: bootstrap from next_obs, cut the trace
    mask: Tensor  # [B, T]  bool: the policy chose this action
    group: Tensor  # [B]  rows that share a start
    allowed: Tensor | None = None  # [B, T, A]  bool: the actions that may be chosen; None: all
    memory: Tensor | None = None  # [B, H]  a recurrent policy's state before the row's first step

    def __post_init__(self) -> None:
        if self.mask.ndim != 2:
            raise ValueError(f"mask has shape {list(self.mask.shape)}; it must be [B, T]")
        for name in ("obs", "next_obs", "actions"):
            found = getattr(self, name).shape
            if found[:2] != self.mask.shape:
                raise ValueError(f"{name} has shape {list(found)}; it must begin with {list(self.mask.shape)} as mask")
        for name in ("logprobs", "rewards", *FLAGS):
            found = getattr(self, name).shape
            if found != self.mask.shape:
                raise ValueError(f"{name} has shape {list(found)}; it must be {list(self.mask.shape)} as mask")
        if self.group.shape != self.mask.shape[:1]:
            raise ValueError(f"group has shape {list(self.group.shape)}; it must be {[self.mask.shape[0]]}, one a row")
        for name in FLAGS:
            if getattr(self, name).dtype != torch.bool:
                raise ValueError(f"{name} is {getattr(self, name).dtype}; it must be torch.bool")
        if self.allowed is not None and self.allowed.shape[:2] != self.mask.shape:
            raise ValueError(
                f"allowed has shape {list(self.allowed.shape)}; it must begin with {list(self.mask.shape)} as mask"
            )
        if self.memory is not None and self.memory.shape[:1] != self.mask.shape[:1]:
            raise ValueError(
                f"memory has shape {list(self.memory.shape)}; it must begin with {[self.mask.shape[0]]}, one a row"
            )

    @property
    def lengths(self) -> Tensor:
        """How many actions the policy chose in each row, [B]."""
        return self.mask.sum(1)

    def select(self, rows: Tensor | slice) -> "Trajectories":
        """Return the rows of these indices, in their order, or those where a bool [B] is True, or a stretch of them."""
        whole = isinstance(rows, slice) and rows == slice(None)
        return self if whole else _each(self, lambda field: field[rows])

    def to(self, device: torch.device) -> "Trajectories":
        """Return the same on another device; from pinned memory the copies do not wait."""
        return _each(self, lambda field: field.to(device, non_blocking=True))

    def flat(self) -> "Trajectories":
        """Return every step as a row of its own, [B T, 1], in the order of rows, then of time; memory is left out."""
        steps = self.mask.shape[1]
        return _each(
            replace(self, memory=None),
            lambda field: field.flatten(0, 1)[:, None] if field.ndim > 1 else field.repeat_interleave(steps),
        )


def _each(traj: Trajectories, change: Callable[[Tensor], Tensor]) -> Trajectories:
    found = {field.name: getattr(traj, field.name) for field in fields(traj)}
    return replace(traj, **{name: change(tensor) for name, tensor in found.items() if tensor is not None})
