"""Tasks in text, by name: `make("addition", digits=2)`. The protocol of a task is TextTask; anything that has it can be trained on.

addition, subtraction, multiplication, division, arithmetic   of given digits, terms and operations
countdown                                                     reach a number by given ones
copying, reversing, counting                                  of letters
reasoning_gym:NAME                                            every task of reasoning-gym (rlkit[tasks])
jsonl:PATH                                                    questions of a file, as GSM8K's
env:ID                                                        a Gymnasium environment played in words
"""

import difflib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from rlkit.sample.text.arithmetic import Arithmetic
from rlkit.sample.text.countdown import Countdown
from rlkit.sample.text.jsonl import JsonLines
from rlkit.sample.text.letters import LetterTask
from rlkit.sample.text.playing import EnvTask
from rlkit.sample.text.problem import Dense, Finite, Problem, Question, TextTask, Turn
from rlkit.sample.text.reasoning import ReasoningGym

__all__ = ["Dense", "EnvTask", "Finite", "Problem", "Question", "TextTask", "Turn", "make", "names"]

_NAMED: dict[str, Callable[..., TextTask]] = {
    "addition": partial(Arithmetic, "+"),
    "subtraction": partial(Arithmetic, "-"),
    "multiplication": partial(Arithmetic, "*"),
    "division": partial(Arithmetic, "/"),
    "arithmetic": partial(Arithmetic, "+-*/"),
    "countdown": Countdown,
    "copying": partial(LetterTask, "copying"),
    "reversing": partial(LetterTask, "reversing"),
    "counting": partial(LetterTask, "counting"),
}
_FAMILIES: dict[str, Callable[..., TextTask]] = {"reasoning_gym": ReasoningGym, "jsonl": JsonLines, "env": EnvTask}


def names() -> list[str]:
    """Return the names of tasks, and of families of them, which end in a colon."""
    return [*_NAMED, *(f"{family}:" for family in _FAMILIES)]


def make(name: str, **arguments: Any) -> TextTask:
    """Build a task.

    Args:
        name: one of `names()`; of a family, with what follows its colon.
        arguments: of the task's class.

    Raises:
        ValueError: there is no such task, or it has no such argument.
    """
    family, colon, rest = name.partition(":")
    build = partial(_FAMILIES[family], rest) if colon and rest and family in _FAMILIES else _NAMED.get(name)
    if build is None:
        close = difflib.get_close_matches(name, _NAMED, n=2)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise ValueError(
            f"there is no task {name!r}; {hint}the tasks are {', '.join(names())} with a name behind the colon"
        )
    try:
        inspect.signature(build).bind(**arguments)
    except TypeError as error:
        known = [p.name for p in inspect.signature(build).parameters.values() if p.kind is not p.VAR_KEYWORD]
        raise ValueError(
            f"the task {name} does not take these arguments: {error}; it takes {', '.join(known)}"
        ) from error
    return build(**arguments)
