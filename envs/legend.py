"""What the characters of a map mean: the alphabet, and the legend lines that add to it."""

import string
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.cells import FLOOR, FORBIDDEN, ICE, TARGET, WALL, pointer
from envs.settings import MOVES

KINDS: Final = {"floor": FLOOR, "wall": WALL, "forbidden": FORBIDDEN, "target": TARGET, "ice": ICE}
ICE_SLIP: Final = 2 / 3  # FrozenLake's


@dataclass(frozen=True)
class Cell:
    """What one character of a map stands for."""

    kind: int = FLOOR
    start: bool = False
    reward: float = float("nan")
    slip: float = float("nan")
    wind: tuple[int, int] = (0, 0)


ALPHABET: Final[dict[str, Cell]] = {
    ".": Cell(),
    "#": Cell(WALL),
    "X": Cell(FORBIDDEN),
    "S": Cell(start=True),
    "T": Cell(TARGET),
    "G": Cell(TARGET),
    "~": Cell(ICE, slip=ICE_SLIP),
    **{digit: Cell(TARGET, reward=float(digit)) for digit in "123456789"},
    **{arrow: Cell(wind=MOVES[way]) for arrow, way in zip("^>v<", MOVES, strict=False)},
}
TELEPORTERS: Final = frozenset(string.ascii_uppercase) - frozenset(ALPHABET)


def read_legend(
    legend: list[tuple[int, str]], shape: tuple[int, int]
) -> tuple[dict[str, Cell], list[NDArray[np.int16]]]:
    """Read numbered legend lines: the alphabet with their additions, and winds [rows, cols, 2] to add up."""
    meaning, breezes = dict(ALPHABET), []
    for number, line in legend:
        key, colon, value = line.partition(":")
        words = value.split()
        if not colon or not words or (len(key.strip()) != 1 and key.strip() not in {"columns", "rows"}):
            raise _legend_error(number, line, 0, "write CHARACTER: MEANING, columns: DIRECTION n n n ..., or rows: ...")
        key = key.strip()
        if key in {"columns", "rows"}:
            breezes.append(_breeze(number, line, key, words, shape))
        else:
            meaning[key] = _read_cell(number, line, value)
    return meaning, breezes


def _read_cell(number: int, line: str, value: str) -> Cell:
    cell = Cell()
    for words in (part.split() for part in value.split(",")):
        match words:
            case ["start"]:
                cell = replace(cell, start=True)
            case ["floor" | "wall" | "forbidden" | "target" as kind]:
                cell = replace(cell, kind=KINDS[kind])
            case ["ice"]:
                cell = replace(cell, kind=ICE, slip=ICE_SLIP)
            case ["ice", slip] if 0 <= _number(number, line, slip) <= 1:
                cell = replace(cell, kind=ICE, slip=float(slip))
            case ["target", reward]:
                cell = replace(cell, kind=TARGET, reward=_number(number, line, reward))
            case ["wind", way, *strength] if way in MOVES and len(strength) < 2:
                down, right = MOVES[way]
                force = _whole(number, line, *strength) if strength else 1
                cell = replace(cell, wind=(down * force, right * force))
            case _:
                first = line.find(words[0]) if words else len(line)
                remedy = (
                    "a cell is floor, wall, forbidden, target [REWARD], ice [PROBABILITY], start, wind DIRECTION [n]"
                )
                raise _legend_error(number, line, first, f"{remedy}, or several of these joined by commas")
    return cell


def _breeze(number: int, line: str, key: str, words: list[str], shape: tuple[int, int]) -> NDArray[np.int16]:
    way, *strengths = words
    if way not in MOVES:
        raise _legend_error(number, line, line.find(way), f"the direction is one of {', '.join(MOVES)}")
    needed = shape[1] if key == "columns" else shape[0]
    if len(strengths) != needed:
        raise _legend_error(number, line, len(line), f"{len(strengths)} numbers for {needed} {key}; give one for each")
    force = np.array([_whole(number, line, word) for word in strengths], np.int16)
    along = force[None, :, None] if key == "columns" else force[:, None, None]
    return np.broadcast_to(along, (*shape, 1)) * np.array(MOVES[way], np.int16)


def _number(number: int, line: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise _legend_error(number, line, line.rfind(word), f"{word!r} is not a finite number")
    return value


def _whole(number: int, line: str, word: str) -> int:
    value = _number(number, line, word)
    if value != int(value) or not 0 <= value <= 1000:
        raise _legend_error(number, line, line.rfind(word), f"a wind's strength is a whole number, not {word!r}")
    return int(value)


def _legend_error(number: int, line: str, col: int, remedy: str) -> ValueError:
    return ValueError(f"map line {number} (legend):\n{pointer(line, col)}\n{remedy}")
