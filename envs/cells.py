"""What a grid is made of: the kinds of cells and `Layout`, the arrays that every other module reads."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.settings import Settings

FLOOR: Final = 0
WALL: Final = 1
FORBIDDEN: Final = 2
TARGET: Final = 3
ICE: Final = 4
TELEPORT: Final = 5
_LETTERS: Final = np.array(list(".#XT~@"))


@dataclass(frozen=True, eq=False)
class Layout:
    """A grid, read-only. Rows count downwards, columns to the right; state index = row * cols + col.

    A cell has one kind, and besides it may be a start and may have wind.
    Make one with `parse` (from text), `random_layout`, or `Layout.of` (from arrays, with only what is needed).
    """

    kinds: NDArray[np.uint8]  # [rows, cols]  FLOOR, WALL, FORBIDDEN, TARGET, ICE or TELEPORT
    starts: NDArray[np.bool_]  # [rows, cols]  marked start cells
    target_reward: NDArray[np.float64]  # [rows, cols]  a target's own reward; NaN: settings.r_target
    wind: NDArray[np.int16]  # [rows, cols, 2]  displacement (rows down, columns right) on leaving the cell
    ice: NDArray[np.float64]  # [rows, cols]  an ice cell's slip probability; NaN off the ice
    partner: NDArray[np.int32]  # [rows, cols]  state index of a teleporter's twin; -1 elsewhere
    name: str = "map"
    settings: Settings = field(default_factory=Settings)  # what this layout uses unless told otherwise
    later: "Layout | None" = None  # what it turns into after settings.change_at steps

    def __post_init__(self) -> None:
        if self.kinds.ndim != 2 or self.kinds.size < 1:
            raise ValueError(f"kinds has shape {self.kinds.shape}; a grid is [rows, cols] with at least one cell")
        if self.kinds.max() > TELEPORT:
            raise ValueError(f"kinds holds {self.kinds.max()}; cell kinds are 0 .. {TELEPORT}")
        for name in ("starts", "target_reward", "ice", "partner"):
            if getattr(self, name).shape != self.shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}; the grid has {self.shape}")
        if self.wind.shape != (*self.shape, 2):
            raise ValueError(f"wind has shape {self.wind.shape}; the grid asks for {(*self.shape, 2)}")
        if not np.any(self.kinds == TARGET):
            raise ValueError("the grid has no target; mark at least one cell as a target")
        self._check(self.starts & (self.kinds == WALL), "is a start inside a wall; move the start")
        self._check(np.isinf(self.target_reward), "has an infinite reward; give a finite one")
        self._check(~(np.isnan(self.ice) | ((self.ice >= 0) & (self.ice <= 1))), "has ice outside 0 .. 1")
        self._check((self.kinds == ICE) & np.isnan(self.ice), "is ice without a slip probability; give one")
        self._check_teleports()
        if self.later is not None and self.later.shape != self.shape:
            raise ValueError(f"the later grid has shape {self.later.shape}, this one {self.shape}; keep the size")
        if self.later is not None and self.later.later is not None:
            raise ValueError("the later grid has a later grid itself; a layout changes once")
        for name in ("kinds", "starts", "target_reward", "wind", "ice", "partner"):
            getattr(self, name).flags.writeable = False

    @classmethod
    def of(
        cls,
        kinds: ArrayLike,
        *,
        starts: ArrayLike = False,
        target_reward: ArrayLike = np.nan,
        wind: ArrayLike = 0,
        ice: ArrayLike = np.nan,
        partner: ArrayLike = -1,
        name: str = "map",
        settings: Settings | None = None,
        later: "Layout | None" = None,
    ) -> Self:
        """Build a layout from arrays; what is left out, or given as one number, holds for every cell."""
        cells = _whole("kinds", kinds, np.uint8, 0, TELEPORT)
        shape = cells.shape
        return cls(
            kinds=cells,
            starts=np.broadcast_to(np.array(starts, np.bool_), shape),
            target_reward=np.broadcast_to(np.array(target_reward, np.float64), shape),
            wind=np.broadcast_to(_whole("wind", wind, np.int16), (*shape, 2)),
            ice=np.broadcast_to(np.array(ice, np.float64), shape),
            partner=np.broadcast_to(_whole("partner", partner, np.int32), shape),
            name=name,
            settings=settings or Settings(),
            later=later,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.kinds.shape[0], self.kinds.shape[1]

    @property
    def n_states(self) -> int:
        """Number of states: every cell is one, walls too."""
        return self.kinds.size

    def line(self, row: int) -> str:
        """Draw one row in the map alphabet, every target as T, every teleporter as @, and no wind."""
        marks = _LETTERS[self.kinds[row]]
        return "".join(np.where(self.starts[row] & (self.kinds[row] == FLOOR), "S", marks))

    def __str__(self) -> str:
        return "\n".join(self.line(row) for row in range(self.shape[0]))

    def point_at(self, row: int, col: int) -> str:
        """Draw a row with a caret under one of its cells, for error messages."""
        return pointer(self.line(row), col)

    def _check(self, bad: NDArray[np.bool_], complaint: str) -> None:
        if bad.any():
            row, col = (int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"cell ({row}, {col}) {complaint}\n{self.point_at(row, col)}")

    def _check_teleports(self) -> None:
        self._check(
            (self.kinds == TELEPORT) != (self.partner >= 0), "needs a partner if and only if it is a teleporter"
        )
        here = np.flatnonzero(self.partner >= 0)
        twin = self.partner.ravel()[here]
        valid = twin < self.n_states
        valid[valid] = self.partner.ravel()[twin[valid]] == here[valid]
        bad = np.zeros(self.n_states, np.bool_)
        bad[here[~valid | (twin == here)]] = True
        self._check(bad.reshape(self.shape), "is a teleporter whose partner does not lead back; pair them two by two")


def _whole(
    name: str, values: ArrayLike, dtype: type[np.integer], least: int | None = None, most: int | None = None
) -> NDArray[Any]:
    """Return a copy as integers, or refuse what would not be the same as one."""
    given = np.array(values)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {given.dtype}; it holds whole numbers")
    low, high = np.iinfo(dtype).min if least is None else least, np.iinfo(dtype).max if most is None else most
    bad = ~((given >= low) & (given <= high) & (given == np.floor(given)))
    if bad.any():
        raise ValueError(f"{name} holds {given[bad][0]}; it takes whole numbers from {low} to {high}")
    return given.astype(dtype)


def pointer(line: str, col: int) -> str:
    """Return a line of a map, indented, with a caret under its character number `col`."""
    return f"    {line}\n    {' ' * col}^"
