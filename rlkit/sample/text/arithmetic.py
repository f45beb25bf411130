"""Arithmetic: numbers of given digits joined by given operations, "3+4=" or "What is 3 + 4?"."""

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from rlkit.sample.text.expressions import work_out
from rlkit.sample.text.problem import Question, drawn, wanted
from rlkit.sample.text.templates import checked, fill
from rlkit.sample.verifiers import Verifier, Weighted, score, shown, verifiers

_MOST = 20_000  # problems in a list of all
_TRIES = 10_000
_LONGEST = 20 * 51  # letters of a problem
_SIGNS = "+-*/"


class Arithmetic:
    """Whole numbers from `low` to `high`, joined by operations that are drawn alike; results are whole numbers.

    Args:
        operations: some of + - * /.
        digits: of each number; 1 means 0 to 9, 2 means 10 to 99. `low` and `high` say otherwise.
        terms: how many numbers.
        low: the least number.
        high: the largest.
        template: "plain" asks "3+4=", any other asks in words; see `rlkit.sample.text.templates`.
        reward: verifiers by name, a function, or pairs of function and weight; see `rlkit.sample.verifiers`.
        held_out: True poses the fifth of the problems that is kept for evaluation, False the others, None all.

    Raises:
        ValueError: naming an argument that makes no sense.
    """

    def __init__(
        self,
        operations: str = "+",
        digits: int = 1,
        terms: int = 2,
        *,
        low: int | None = None,
        high: int | None = None,
        template: str = "plain",
        reward: str | Verifier | Weighted = "number",
        held_out: bool | None = None,
    ) -> None:
        if not operations or set(operations) - set(_SIGNS):
            raise ValueError(f"operations is {operations!r}; give some of {' '.join(_SIGNS)}")
        if not (1 <= digits <= 50 and 2 <= terms <= 20):
            raise ValueError(f"digits is {digits} and terms {terms}; 1 to 50 digits and 2 to 20 terms can be had")
        self.operations, self.terms = operations, terms
        self.low = (0 if digits == 1 else 10 ** (digits - 1)) if low is None else low
        self.high = 10**digits - 1 if high is None else high
        if not 0 <= self.low <= self.high < 10**50:
            raise ValueError(f"numbers go from {self.low} to {self.high}; low must be at least 0 and at most high")
        self.template, self.rewards, self.held_out = checked(template), verifiers(reward), held_out

    def start(self, rng: np.random.Generator) -> Question:
        """Return a new problem."""

        def draw(rng: np.random.Generator) -> tuple[str, Question]:
            for _ in range(_TRIES):
                values = [self.low + _below(rng, self.high - self.low + 1) for _ in range(self.terms)]
                signs = [self.operations[_below(rng, len(self.operations))] for _ in range(self.terms - 1)]
                if (result := _result(values, signs)) is not None:
                    return _joined(values, signs), self._question(values, signs, result)
            raise ValueError(f"none of {_TRIES:,} problems drawn has a whole result; take other numbers or operations")

        return drawn(rng, draw, self.held_out)  # type: ignore[return-value]  # what `draw` returns

    def problems(self) -> Sequence[Question]:
        """Return all problems.

        Raises:
            ValueError: they are too many.
        """
        number = (self.high - self.low + 1) ** self.terms * len(self.operations) ** (self.terms - 1)
        if number > _MOST:
            raise ValueError(
                f"there are {number:,} problems; at most {_MOST:,} can be listed: take fewer digits or terms"
            )
        found = [self._question(*one) for one in self._all() if wanted(_joined(one[0], one[1]), self.held_out)]
        if not found:
            raise ValueError("no problem is on this side of the task; it has too few to part them: held_out=None")
        return found

    def _all(self) -> Iterator[tuple[list[int], list[str], int]]:
        values = itertools.product(range(self.low, self.high + 1), repeat=self.terms)
        for some, signs in itertools.product(values, itertools.product(self.operations, repeat=self.terms - 1)):
            if (result := _result(some, signs)) is not None:
                yield list(some), list(signs), result

    def _question(self, values: Sequence[int], signs: Sequence[str], result: int) -> Question:
        plain = _joined(values, signs)
        asked = f"{plain}=" if self.template == "plain" else f"What is {_joined(values, signs, ' ')}?"
        gold = shown(self.rewards, str(result), f"{plain}={result}")
        return Question(fill(self.template, asked), gold, score(self.rewards, str(result)))


def _below(rng: np.random.Generator, bound: int) -> int:
    """A whole number in 0 .. bound - 1, however large the bound; exact up to 2^53, and nearly uniform above."""
    return int(rng.integers(bound)) if bound < 2**63 else math.floor(Fraction(float(rng.random())) * bound)


def _joined(values: Sequence[int], signs: Sequence[str], space: str = "") -> str:
    words = [str(values[0])]
    for sign, value in zip(signs, values[1:], strict=True):
        words += [sign, str(value)]
    return space.join(words)


def _result(values: Sequence[int], signs: Sequence[str]) -> int | None:
    found = work_out(_joined(values, signs), _LONGEST)
    return int(found.value) if found is not None and found.value.denominator == 1 else None
