"""Questions from a JSONL file, one object a line, as of GSM8K: {"question": ..., "answer": "... #### 18"}."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from rlkit.sample.text.problem import Question, wanted
from rlkit.sample.text.templates import checked, fill
from rlkit.sample.verifiers import Verifier, Weighted, score, shown, verifiers

_MARK = "####"


class JsonLines:
    """The questions of a file, each alike likely.

    Args:
        path: of the file; empty lines are passed over.
        question: the field that holds the question.
        answer: the field that holds the answer: what follows the last "####", if there is one, else all of it.
        template: see `rlkit.sample.text.templates`.
        reward: see `rlkit.sample.verifiers`.
        held_out: True poses the fifth of the questions that is kept for evaluation, False the others, None all.

    Raises:
        ValueError: naming the file, the line, and what is wrong there; or an argument that makes no sense.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        question: str = "question",
        answer: str = "answer",
        template: str = "plain",
        reward: str | Verifier | Weighted = "number",
        held_out: bool | None = None,
    ) -> None:
        self.template, self.rewards = checked(template), verifiers(reward)
        pairs = [pair for pair in _read(Path(path), question, answer) if wanted(pair[0], held_out)]
        if not pairs:
            raise ValueError(f"{path} holds no questions" + ("" if held_out is None else " on the side asked for"))
        self._pairs = pairs

    def start(self, rng: np.random.Generator) -> Question:
        """Return a question."""
        return self._question(*self._pairs[int(rng.integers(len(self._pairs)))])

    def problems(self) -> list[Question]:
        """Return all questions, in the order of the file."""
        return [self._question(*pair) for pair in self._pairs]

    def _question(self, asked: str, full: str) -> Question:
        working, _, answer = full.rpartition(_MARK)
        gold = shown(self.rewards, answer.strip(), working.strip())
        return Question(fill(self.template, asked), gold, score(self.rewards, answer.strip()))


def _read(path: Path, question: str, answer: str) -> list[tuple[str, str]]:
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r} (looked in {Path.cwd()}); check the path")
    found = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                row = _parsed(line, f"{path}, line {number}")
                found.append((_field(row, question, path, number), _field(row, answer, path, number)))
    return found


def _parsed(line: bytes, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:  # also bytes that are no text
        raise ValueError(f"{place} is no JSON: {error}") from error


def _field(row: Any, name: str, path: Path, number: int) -> str:
    if not isinstance(row, dict) or name not in row:
        there = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise ValueError(
            f"{path}, line {number} has no field {name!r} but {there}; name the fields: question=, answer="
        )
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{path}, line {number}: {name} is {value!r}; it must be text or a number")
    return str(value)
