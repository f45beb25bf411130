"""What a student is taught: examples, a loss of what its net says of them, and what a net must be able to say."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter

from rlkit.data import Trajectories
from rlkit.pg.reduce import masked_sum
from rlkit.sample.corpus import Example

Numbers = NDArray[np.int64]
Renew = Callable[[Numbers, Numbers, np.random.Generator], list[tuple[Example, ...]]]
# a batch's items, the places in it that are this process's, and random numbers that all processes have -> the examples at those places


class Said(NamedTuple):
    """What the net says of n items of R examples each."""

    steps: Tensor  # [n R, T]  log-probabilities of tokens, or rewards, 0 where nothing is counted
    mask: Tensor  # [n R, T]
    items: Tensor  # [n]  which items they are
    reference: Tensor  # [n, R]  Σ over an example of what the net at the start said; zeros where nobody asks
    point: Tensor  # scalar; the mean of Σ - reference over the batch's contrasting examples, 0 without such

    @property
    def sums(self) -> Tensor:
        """Σ over each example, [n, R]."""
        return masked_sum(self.steps, self.mask, (1,)).reshape(len(self.items), -1)

    @property
    def means(self) -> Tensor:
        """The mean over each example, [n, R]."""
        return self.sums / self.mask.sum(1).reshape(len(self.items), -1)


class Found(NamedTuple):
    """What a loss comes to, summed over items (or tokens); the student divides by how many the whole batch has."""

    loss: Tensor  # scalar
    measures: dict[str, Tensor]  # scalars for the report, without gradient


class Lesson(NamedTuple):
    """What an algorithm teaches."""

    table: Sequence[tuple[Example, ...]]  # the examples of each item, R each
    loss: Callable[[Said], Found]
    per: Literal["item", "token"] = "item"  # what the loss is a mean over
    reference: bool = False  # whether the loss asks what the net at the start says
    renew: Renew | None = None  # writes a batch's examples anew; None: they are those of the table
    contrast: Sequence[Example] = ()  # a further example of each item that only `Said.point` is made of


class Net(Protocol):
    """What learns."""

    @property
    def place(self) -> torch.device:
        """Where its weights are."""
        ...

    def say(self, traj: Trajectories) -> Tensor:
        """Return a number for each chosen token, [B, T], 0 elsewhere, with gradient."""
        ...

    def parameters(self) -> Iterator[Parameter]:
        """Return its weights."""
        ...
