"""Verifiers: what a completion is worth against the right answer. It is matched and parsed, never run as code.

A verifier is a function (completion, answer) -> float. By name, and added up with weights, as in "tagged + 0.5*format":

exact     1 if it is the answer, but for white space around it
number    1 if the last number in it equals the answer's
tagged    1 if there is one `<answer>` and in it one number, which equals the answer's
boxed     1 if the last boxed{} holds one number, which equals the answer's
math      1 if math-verify finds it equal to the answer (needs rlkit[tasks])
format    1 if it is `<think> ... </think> <answer> ... </answer>` and nothing else
language  the share of its words in Latin script
"""

import itertools
import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

from rlkit.sample.text.numbers import number, numbers

Verifier = Callable[[str, str], float | None]
Weighted = Sequence[tuple[Verifier, float]]

_FORMAT = re.compile(r"\s*<think>(?P<think>.*?)</think>\s*<answer>(?P<answer>.*?)</answer>\s*", re.DOTALL)
_TAGS = re.compile(r"</?(?:think|answer)>")
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_THINK = re.compile(r"<think>(.*?)(?:</think>|\Z)", re.DOTALL)
_TERM = re.compile(r"(?:(?P<weight>-?[0-9.]+)\s*\*\s*)?(?P<name>[a-z]+)")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI")  # scripts whose words no space parts: each letter is one
_READ = 2_000  # letters that math-verify sees, the last ones
_DEEPEST = 20  # brackets in brackets
_SECONDS = 5  # that it may take
_TOWER = re.compile(
    r"\^\s*\{?\s*-?[0-9]{3}|\^\s*(?:\{[^{}]*|\w+\s*)\^|(?:[)}\]]\s*\^.*){3}|\*\s*\*|!|\\(?:binom|prod|sum|int|lim)"
)


def exact(completion: str, answer: str) -> float:
    """Return 1 for the answer itself; white space around it does not count."""
    return float(completion.strip() == answer.strip())


def last_number(completion: str, answer: str) -> float:
    """Return 1 if the last number of the completion equals the answer: 5.0 = 5 = 10/2. Earlier ones do not count."""
    found = numbers(completion)
    return float(bool(found) and found[-1] is not None and found[-1] == _gold(answer))


def tagged_number(completion: str, answer: str) -> float:
    """Return 1 if there is exactly one `<answer>`, with exactly one number in it, which equals the answer."""
    if completion.count("<answer>") != 1:  # asked first: looking for the ends of many takes for ever
        return 0.0
    found = _ANSWER.search(completion)
    return 0.0 if found is None else _only_number(found[1], answer)


def boxed_number(completion: str, answer: str) -> float:
    r"""Return 1 if the last \boxed{} holds exactly one number, which equals the answer."""
    _, opened, rest = completion.rpartition(r"\boxed{")
    content, closed, _ = rest.partition("}")
    return _only_number(content, answer) if opened and closed else 0.0


def thinks_and_answers(completion: str, _answer: str = "") -> float:
    """Return 1 for `<think> ... </think> <answer> ... </answer>`, each tag once, nothing outside, an answer that is not empty."""
    if len(_TAGS.findall(completion)) != 4:  # asked first: many would be matched with each other
        return 0.0
    found = _FORMAT.fullmatch(completion)
    return float(found is not None and bool(found["answer"].strip()))


def language(completion: str, _answer: str = "", *, script: str = "LATIN") -> float:
    """Return the share of words in a script, DeepSeek-R1's reward for keeping to one language (arXiv:2501.12948 section 2.3.2).

    Args:
        completion: its `<think>` counts where there is one, else all of it.
        script: as the Unicode names of its letters begin: LATIN, CYRILLIC, CJK, ...

    A word is a run of letters of one script; in scripts without spaces, each letter. Without any word the share is 1.
    """
    thought = _THINK.search(completion)
    words: list[str] = []
    previous = ""
    for letter in thought[1] if thought else completion:
        found = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0] if letter.isalpha() else ""
        if found and (found != previous or found in _UNSPACED):
            words.append(found)
        previous = found
    return sum(word == script for word in words) / len(words) if words else 1.0


def math(completion: str, answer: str) -> float:
    """Return 1 if math-verify finds the completion equal to the answer, be they numbers, LaTeX, sets or intervals.

    It reads the last 2,000 letters; exponents of three digits, powers of powers, factorials, sums, and more than 20 brackets in each other, which may take for ever to
    work out, are wrong answers. On the main thread it may take 5 seconds for each step, elsewhere there is no clock.

    Raises:
        ValueError: math-verify is missing.
    """
    try:
        from math_verify import parse, verify  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ValueError("the reward 'math' needs math-verify: pip install 'rlkit[tasks]'") from error
    end = completion[-_READ:]
    if _TOWER.search(end) or _depth(end) > _DEEPEST:
        return 0.0
    seconds = _SECONDS if threading.current_thread() is threading.main_thread() else None
    gold = parse(answer if "$" in answer or "\\boxed" in answer else f"${answer}$", parsing_timeout=seconds)
    return float(verify(gold, parse(end, parsing_timeout=seconds), timeout_seconds=seconds))


NAMED: dict[str, Verifier] = {
    "exact": exact,
    "number": last_number,
    "tagged": tagged_number,
    "boxed": boxed_number,
    "math": math,
    "format": thinks_and_answers,
    "language": language,
}


def verifiers(words: "str | Verifier | Weighted") -> list[tuple[Verifier, float]]:
    """Return verifiers and their weights, from "tagged + 0.5*format", from a function or from pairs of them.

    Raises:
        ValueError: a word is no verifier.
    """
    if callable(words):
        return [(words, 1.0)]
    if not isinstance(words, str):
        return [(one, float(weight)) for one, weight in words]
    found = []
    for term in words.split("+"):
        match = _TERM.fullmatch(term.strip())
        if match is None or match["name"] not in NAMED:
            raise ValueError(
                f"the reward {words!r} has the part {term.strip()!r}; a part is a name or weight*name, of {', '.join(NAMED)}"
            )
        found.append((NAMED[match["name"]], float(match["weight"] or 1.0)))
    return found


def score(parts: Weighted, answer: str) -> Callable[[str], float | None]:
    """Return the function that a completion's weighted verdicts add up in; None where one of them says None."""
    return partial(_total, tuple(parts), answer)


def shown(parts: Weighted, answer: str, working: str = "") -> str:
    """Return a completion that gives the answer in the form that the verifiers look for."""
    asked = {verifier for verifier, _ in parts}
    inner = rf"\boxed{{{answer}}}" if boxed_number in asked else answer
    return (
        f"<think>{working}</think> <answer>{inner}</answer>" if asked & {tagged_number, thinks_and_answers} else inner
    )


def _total(parts: Weighted, answer: str, completion: str) -> float | None:
    total = 0.0
    for verifier, weight in parts:
        found = verifier(completion, answer)
        if found is None:
            return None
        total += weight * found
    return total


def _depth(text: str) -> int:
    """How many brackets are open at most."""
    steps = [(letter in "([{") - (letter in ")]}") for letter in text]
    return max(itertools.accumulate(steps), default=0)


def _only_number(text: str, answer: str) -> float:
    found = numbers(text)
    return float(len(found) == 1 and found[0] is not None and found[0] == _gold(answer))


def _gold(answer: str) -> Fraction:
    found = number(answer)
    if found is None:
        raise ValueError(f"the right answer {answer!r} is no number; take another reward than number, tagged or boxed")
    return found
