"""What a task in text is: it poses problems; a problem takes an answer and says what it is worth and what follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable
from zlib import crc32

import numpy as np

HELD_OUT = 5  # one problem in so many is kept for evaluation, where a task is asked to part them
_TRIES = 10_000


class Turn(NamedTuple):
    """What an answer came to."""

    reward: float | None  # None or NaN: nobody can say
    reply: str | None = None  # what the other side says next; None: the episode is over


class Problem(Protocol):
    """One problem, one episode."""

    @property
    def prompt(self) -> str:
        """What the model reads first."""
        ...

    @property
    def gold(self) -> str | None:
        """An answer that earns the most, for the present turn; None where nobody knows one."""
        ...

    def answer(self, completion: str) -> Turn:
        """Take what the model wrote in its turn."""
        ...


class TextTask(Protocol):
    """Anything that poses problems."""

    def start(self, rng: np.random.Generator) -> Problem:
        """Return a new problem; from the same random numbers the same one."""
        ...


@runtime_checkable
class Finite(Protocol):
    """A task with a list of all its problems, of a single turn each; `start` draws each with the same probability."""

    def problems(self) -> Sequence[Problem]:
        """Return all problems."""
        ...


@runtime_checkable
class Dense(Protocol):
    """A problem that rewards an answer while it is written."""

    def progress(self, completion: str) -> float:
        """Return Φ of what is written so far: a token that leads from x to y earns Φ(y) - Φ(x), beside what `answer` says."""
        ...


@dataclass(frozen=True)
class Question:
    """A problem of a single turn; it has no state."""

    prompt: str
    gold: str | None
    score: Callable[[str], float | None]

    def answer(self, completion: str) -> Turn:
        """Return the score; the episode is over."""
        return Turn(self.score(completion))


def is_held_out(key: str) -> bool:
    """Whether the problem of this key is kept for evaluation: the same on every machine, for ever."""
    return crc32(key.encode()) % HELD_OUT == 0


def wanted(key: str, held_out: bool | None) -> bool:
    """Whether a problem is on the side asked for; None: all are."""
    return held_out is None or is_held_out(key) == held_out


def drawn(
    rng: np.random.Generator, draw: Callable[[np.random.Generator], tuple[str, Problem]], held_out: bool | None
) -> Problem:
    """Draw problems until one is on the side asked for.

    Args:
        rng: gives the random numbers.
        draw: returns the key that says on which side a problem is, and the problem.
        held_out: the side; None: all.

    Raises:
        ValueError: there seems to be none.
    """
    for _ in range(_TRIES):
        key, problem = draw(rng)
        if wanted(key, held_out):
            return problem
    side = "held out" if held_out else "for training"
    raise ValueError(f"none of {_TRIES:,} problems drawn was {side}; the task has too few to part them: held_out=None")
