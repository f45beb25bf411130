"""Countdown: reach a number by joining given ones with + - * /; each must be used once, as in TinyZero."""

from fractions import Fraction

import numpy as np

from rlkit.sample.text.expressions import work_out
from rlkit.sample.text.problem import Question, drawn
from rlkit.sample.text.templates import checked, fill
from rlkit.sample.verifiers import Verifier, Weighted, score, verifiers


class Countdown:
    """Numbers and a target that can be reached by them.

    Args:
        terms: how many numbers, 2 to 8.
        low: the least of them.
        high: the largest.
        target: the largest target; the least is 1.
        use_all: whether all numbers must be used, or each at most once.
        template: "plain" asks "2,3,4->10:", any other asks in words; see `rlkit.sample.text.templates`.
        reward: more verifiers, such as "0.1*format"; they see the answer "target". The solution itself earns 1.
        held_out: True poses the fifth of the problems that is kept for evaluation, False the others, None all.

    The solution is looked for in `<answer>` if there is exactly one, else in the last line; "1+2=3" is taken for 1+2 if that is so.

    Raises:
        ValueError: naming an argument that makes no sense.
    """

    def __init__(
        self,
        terms: int = 3,
        low: int = 1,
        high: int = 9,
        target: int = 100,
        *,
        use_all: bool = True,
        template: str = "plain",
        reward: str | Verifier | Weighted = (),
        held_out: bool | None = None,
    ) -> None:
        if not 2 <= terms <= 8:
            raise ValueError(f"terms is {terms}; 2 to 8 numbers can be had")
        if not (1 <= low <= high and target >= 1):
            raise ValueError(f"numbers go from {low} to {high}, targets to {target}; 1 <= low <= high and 1 <= target")
        self.terms, self.low, self.high, self.target, self.use_all = terms, low, high, target, use_all
        self.template, self.held_out = checked(template), held_out
        self.extra = verifiers(reward) if reward else []

    def start(self, rng: np.random.Generator) -> Question:
        """Return a new problem."""
        return drawn(rng, self._draw, self.held_out)  # type: ignore[return-value]  # what `_draw` returns

    def _draw(self, rng: np.random.Generator) -> tuple[str, Question]:
        while True:
            given = [int(x) for x in rng.integers(self.low, self.high + 1, size=self.terms)]
            solution = _joined(given, rng)
            found = work_out(solution)
            if found is not None and found.value.denominator == 1 and 1 <= found.value <= self.target:
                break
        target, shuffled = int(found.value), [given[i] for i in rng.permutation(self.terms)]
        plain = f"{','.join(map(str, shuffled))}->{target}:"
        words = (
            f"Using the numbers {shuffled}, create an equation that equals {target}. You can use basic arithmetic operations "
            f"(+, -, *, /) and each number {'must be used exactly once' if self.use_all else 'can be used at most once'}."
        )
        gold = f"<think></think> <answer>{solution}</answer>" if self.extra else solution
        prompt = fill(self.template, plain if self.template == "plain" else words)
        parts = [(lambda completion, _: reaches(completion, shuffled, target, use_all=self.use_all), 1.0), *self.extra]
        return f"{sorted(given)}{target}", Question(prompt, gold, score(parts, str(target)))


def reaches(completion: str, given: list[int], target: int, *, use_all: bool = True) -> float:
    """Return 1 if a completion is a solution, else 0.

    Args:
        completion: what the model wrote.
        given: the numbers.
        target: to be reached.
        use_all: whether all of them must be used, or each at most once.
    """
    if completion.count("<answer>") == 1 and completion.count("</answer>") == 1:
        text = completion.partition("<answer>")[2].partition("</answer>")[0]
    else:
        text = next((line for line in reversed(completion.splitlines()) if line.strip()), "")
    expression, equals, claim = text.partition("=")
    found = work_out(expression)
    if found is None or found.value != target:
        return 0.0
    if equals and ((said := work_out(claim)) is None or said.value != target):
        return 0.0
    left = list(given)
    for value in found.used:
        if value not in left:
            return 0.0
        left.remove(value)
    return float(not left or not use_all)


def _joined(values: list[int], rng: np.random.Generator) -> str:
    """Numbers joined two by two, at random; divided only where that comes out whole."""
    parts = [(str(value), Fraction(value)) for value in values]
    while len(parts) > 1:
        (a, x), (b, y) = (parts.pop(int(rng.integers(len(parts)))) for _ in range(2))
        ways = [("+", x + y), ("-", x - y), ("*", x * y)]
        if y and (x / y).denominator == 1:
            ways.append(("/", x / y))
        sign, value = ways[int(rng.integers(len(ways)))]
        parts.append((f"({a}{sign}{b})", value))
    return parts[0][0][1:-1]
