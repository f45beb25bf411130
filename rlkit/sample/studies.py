"""What was written, to learn from, as lines of JSON: answers, pairs of a better and a worse one, and answers that were found good or bad."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

from rlkit.run.files import replacing

_ALSO = {
    "prompt": ("question",),
    "answer": ("completion", "response"),
    "desirable": ("label",),
}  # GSM8K's and TRL's names


class Prompt(NamedTuple):
    """What to answer."""

    prompt: str


class Answer(NamedTuple):
    """What to imitate."""

    prompt: str
    answer: str


class Pair(NamedTuple):
    """Two answers to a prompt, the first of which was preferred."""

    prompt: str
    chosen: str
    rejected: str
    margin: float = 0.0  # by how much, where somebody knows; the reward model asks for it


class Verdict(NamedTuple):
    """An answer, and whether it is one that is wanted."""

    prompt: str
    answer: str
    desirable: bool


Item = TypeVar("Item", Prompt, Answer, Pair, Verdict)


def read(path: str | Path, kind: type[Item]) -> tuple[list[Item], list[str]]:
    """Return what stands in a JSONL file, an object a line with the fields of `kind`, and where each stands; other fields are passed over.

    A prompt may be called question too, an answer completion or response, and what is desirable label.

    Raises:
        ValueError: naming the file, the line, and what is wrong there.
    """
    if not Path(path).is_file():
        raise ValueError(f"there is no file {str(path)!r} (looked in {Path.cwd()}); check the path")
    found, places = list[Item](), list[str]()
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                places.append(f"{path}, line {number}")
                found.append(_item(line, kind, places[-1]))
    if not found:
        raise ValueError(f"{path} holds no lines; each is to be an object with {', '.join(kind._fields)}")
    return found, places


def write(path: str | Path, items: Iterable[Prompt | Answer | Pair | Verdict]) -> int:
    """Write items as a JSONL file that `read` reads, and return how many."""
    lines = [json.dumps(item._asdict(), ensure_ascii=False) for item in items]
    with replacing(Path(path)) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def _item(line: bytes, kind: type[Item], place: str) -> Item:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:  # also bytes that are no text
        raise ValueError(f"{place} is no JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f"{place} is {type(row).__name__}, no object with {', '.join(kind._fields)}")
    hints: dict[str, Any] = get_type_hints(kind)
    given = {}
    for name in kind._fields:
        if not (name in kind._field_defaults and name not in row):
            given[name] = _value(row, name, hints[name], place)
    return kind(**given)


def _value(row: dict[str, Any], name: str, wanted: type, place: str) -> Any:
    known = [key for key in (name, *_ALSO.get(name, ())) if key in row]
    if not known:
        raise ValueError(f"{place} has no field {name!r} but {', '.join(map(str, row)) or 'none'}")
    found = row[known[0]]
    value = float(found) if wanted is float and type(found) is int else found
    if type(value) is not wanted:
        raise ValueError(f"{place}: {known[0]} is {found!r}; it must be {_WORDS[wanted]}")
    return value


_WORDS = {str: "text", float: "a number", bool: "true or false"}
