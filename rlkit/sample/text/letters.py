"""Tasks of letters: copy them, turn them round, count one of them. Small alphabets make token worlds that can be solved exactly."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, get_args

import numpy as np

from rlkit.sample.text.problem import Question, Turn, drawn, wanted
from rlkit.sample.text.templates import checked, fill
from rlkit.sample.verifiers import Verifier, Weighted, exact, score, shown, verifiers

Kind = Literal["copying", "reversing", "counting"]
_MOST = 20_000  # problems in a list of all


class _Asked(NamedTuple):
    plain: str
    words: str
    answer: str


def _copying(text: str, _letter: str) -> _Asked:
    return _Asked(f"{text}=", f"Repeat these letters: {text}", text)


def _reversing(text: str, _letter: str) -> _Asked:
    return _Asked(f"{text}=", f"Write these letters in reverse order: {text}", text[::-1])


def _counting(text: str, letter: str) -> _Asked:
    return _Asked(f"{letter}:{text}=", f"How many times does {letter} occur in {text}?", str(Counter(text)[letter]))


_ASK: dict[str, Callable[[str, str], _Asked]] = {"copying": _copying, "reversing": _reversing, "counting": _counting}


@dataclass(frozen=True)
class Spelled:
    """A problem that rewards each right letter when it is written: of L letters and the end of the answer, each 1 / (L + 1)."""

    prompt: str
    gold: str

    def answer(self, completion: str) -> Turn:
        """Reward the end of the answer, if all of it is right."""
        return Turn((completion == self.gold) / (len(self.gold) + 1))

    def progress(self, completion: str) -> float:
        """Return how many letters are right before the first wrong one, in units of L + 1."""
        pairs = zip(completion, self.gold, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)) / (len(self.gold) + 1)


class LetterTask:
    """Words of `shortest` to `longest` letters of an alphabet, all words alike likely.

    Args:
        kind: "copying", "reversing" or "counting".
        letters: the alphabet.
        shortest: letters of a word.
        longest: the same.
        dense: reward each letter when it is written.
        template: "plain" asks "ab=" (counting: "a:ab="), any other asks in words; see `rlkit.sample.text.templates`.
        reward: see `rlkit.sample.verifiers`; "" is "number" for counting, "exact" else.
        held_out: True poses the fifth of the problems that is kept for evaluation, False the others, None all.

    Raises:
        ValueError: naming an argument that makes no sense.
    """

    def __init__(
        self,
        kind: Kind = "copying",
        letters: str = "abc",
        shortest: int = 1,
        longest: int = 3,
        *,
        dense: bool = False,
        template: str = "plain",
        reward: str | Verifier | Weighted = "",
        held_out: bool | None = None,
    ) -> None:
        if kind not in get_args(Kind):
            raise ValueError(f"kind is {kind!r}; choose one of {', '.join(get_args(Kind))}")
        if not letters or len(set(letters)) < len(letters):
            raise ValueError(f"letters is {letters!r}; give each letter once")
        if not 1 <= shortest <= longest:
            raise ValueError(f"words have {shortest} to {longest} letters; 1 <= shortest <= longest must hold")
        self.kind, self.letters, self.shortest, self.longest = kind, letters, shortest, longest
        self.template, self.held_out, self.dense = checked(template), held_out, dense
        self.rewards = verifiers(reward or ("number" if kind == "counting" else "exact"))
        if dense and (kind == "counting" or self.rewards != [(exact, 1.0)]):
            raise ValueError("dense rewards are for copying and reversing, with the reward 'exact'")

    def start(self, rng: np.random.Generator) -> Question | Spelled:
        """Return a new problem."""
        return drawn(rng, self._draw, self.held_out)  # type: ignore[return-value]  # what `_draw` returns

    def problems(self) -> Sequence[Question | Spelled]:
        """Return all problems.

        Raises:
            ValueError: they are too many.
        """
        choices = len(self.letters) if self.kind == "counting" else 1
        number = choices * sum(len(self.letters) ** size for size in range(self.shortest, self.longest + 1))
        if number > _MOST:
            raise ValueError(f"there are {number:,} problems; at most {_MOST:,} can be listed: take fewer letters")
        found = [self._problem(text, letter) for text, letter in self._all() if wanted(letter + text, self.held_out)]
        if not found:
            raise ValueError("no problem is on this side of the task; it has too few to part them: held_out=None")
        return found

    def _all(self) -> Iterator[tuple[str, str]]:
        for size in range(self.shortest, self.longest + 1):
            for some in itertools.product(self.letters, repeat=size):
                for letter in self.letters if self.kind == "counting" else [""]:
                    yield "".join(some), letter

    def _draw(self, rng: np.random.Generator) -> tuple[str, Question | Spelled]:
        weights = np.array(
            [float(len(self.letters)) ** (n - self.longest) for n in range(self.shortest, self.longest + 1)]
        )
        size = self.shortest + int(np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(), side="right"))
        size = min(size, self.longest)
        text = "".join(self.letters[i] for i in rng.integers(len(self.letters), size=size))
        letter = self.letters[rng.integers(len(self.letters))] if self.kind == "counting" else ""
        return letter + text, self._problem(text, letter)

    def _problem(self, text: str, letter: str) -> Question | Spelled:
        asked = _ASK[self.kind](text, letter)
        prompt = fill(self.template, asked.plain if self.template == "plain" else asked.words)
        if self.dense:
            return Spelled(prompt, asked.answer)
        return Question(prompt, shown(self.rewards, asked.answer), score(self.rewards, asked.answer))


copying, reversing, counting = (partial(LetterTask, kind) for kind in get_args(Kind))
