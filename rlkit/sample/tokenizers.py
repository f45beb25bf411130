"""Tokenizers: text to ids and back. What the toolkit asks of one, and one that takes letters one by one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

_FILE = "letters.json"


class Tokenizer(Protocol):
    """Anything that turns text into ids."""

    @property
    def eos(self) -> int:
        """The id that ends an answer."""
        ...

    @property
    def size(self) -> int:
        """How many ids there are, from 0."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without one that ends it."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids."""
        ...


class Letters:
    """One id a letter, in the order given, and one more that ends an answer and has no letter.

    Args:
        letters: all that a text may hold, each once.

    Raises:
        ValueError: a letter stands there twice, or there is none.
    """

    def __init__(self, letters: str) -> None:
        twice = sorted({letter for letter in letters if letters.count(letter) > 1})
        if twice or not letters:
            raise ValueError(
                f"letters is {letters!r}; " + (f"{twice[0]!r} stands there twice" if twice else "give some")
            )
        self.letters = letters
        self.eos, self.size = len(letters), len(letters) + 1
        self._ids = {letter: i for i, letter in enumerate(letters)}

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text.

        Raises:
            ValueError: naming a letter that it does not have.
        """
        for letter in text:
            if letter not in self._ids:
                raise ValueError(f"{text!r} holds {letter!r}; the letters are {self.letters!r}")
        return [self._ids[letter] for letter in text]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; the end of an answer is no letter.

        Raises:
            ValueError: naming an id that it does not have.
        """
        for i in ids:
            if not 0 <= i < self.size:
                raise ValueError(f"there is no letter of the id {i}; ids are 0 .. {self.size - 1}")
        return "".join(self.letters[i] for i in ids if i != self.eos)

    @property
    def special(self) -> dict[str, int]:
        """What a model's config.json says of tokens."""
        return {"eos_token_id": self.eos}

    def save(self, folder: Path) -> None:
        """Write the letters beside a model."""
        (folder / _FILE).write_text(json.dumps(self.letters), encoding="utf-8")


def read_letters(folder: Path) -> Letters | None:
    """Return the letters that stand beside a model, or None where it has another tokenizer."""
    path = folder / _FILE
    return Letters(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
