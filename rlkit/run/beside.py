"""What of a state stands beside its checkpoint, in a folder of files that other programs read, and never fits another checkpoint.

A folder is drafted under a hidden name, the checkpoint names it by a mark, and then its files take the places of the old ones. Where a run
dies in between, whoever reads the checkpoint next finishes that: checkpoint and folder are always of one moment.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

_MARK = "mark"


class Beside(NamedTuple):
    """A part of a state with a folder of its own."""

    name: str  # of the folder
    write: Callable[[Path], None]  # its files into an empty folder


class Folder(Mapping[str, NDArray[Any]]):
    """The arrays of the *.safetensors in a folder, each read when it is asked for.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array."""
        file = self._files()[name]
        with self._open(file) as content:
            found: NDArray[Any] = content.get_tensor(name)
        return found

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._files())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._files())

    def _files(self) -> dict[str, Path]:
        found = dict[str, Path]()
        for file in sorted(self.path.glob("*.safetensors")):
            with self._open(file) as content:
                found |= dict.fromkeys(content.keys(), file)
        return found

    @staticmethod
    def _open(file: Path) -> Any:
        from safetensors import safe_open  # noqa: PLC0415 - of the extra `llm`

        return safe_open(str(file), "np")


def place(checkpoint: Path, name: str) -> Path:
    """Return the folder of a part: NAME beside checkpoint.npz, OTHER-NAME beside other.npz."""
    return checkpoint.with_name(name if checkpoint.stem == "checkpoint" else f"{checkpoint.stem}-{name}")


def draft(parts: Mapping[str, Beside], checkpoint: Path, mark: str) -> None:
    """Write folders that are to be those of the checkpoint with this mark."""
    for part in parts.values():
        folder = _draft(place(checkpoint, part.name))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        part.write(folder)
        (folder / _MARK).write_text(mark, encoding="ascii")
        for path in folder.iterdir():
            shutil.copymode(folder / _MARK, path)  # safetensors' files can be read by nobody else
            with path.open("rb") as file:
                os.fsync(file.fileno())


def settle(folder: Path, mark: str) -> None:
    """Put the files drafted for the checkpoint with this mark in their places, if that is still to be done."""
    drafted = _draft(folder)
    with contextlib.suppress(FileNotFoundError):  # there is none, or another process that reads was faster
        if (drafted / _MARK).read_text(encoding="ascii") != mark:
            return
        folder.mkdir(exist_ok=True)
        for path in sorted(drafted.iterdir()):
            if path.name != _MARK:
                path.replace(folder / path.name)
        shutil.rmtree(drafted)


def found(checkpoint: Path, name: str, mark: str) -> Folder:
    """Return the folder of a part, as it was when the checkpoint with this mark was written.

    Raises:
        ValueError: it is gone.
    """
    folder = place(checkpoint, name)
    settle(folder, mark)
    if not folder.is_dir():
        raise ValueError(f"{folder} is missing; it belongs to {checkpoint}, and holds its model")
    return Folder(folder)


def _draft(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.next")
