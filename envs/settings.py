"""The numbers and choices of a grid world: rewards, noise, what targets and forbidden cells do, and the action set."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Final, Literal, TypeGuard, get_args

SlipModel = Literal["perpendicular", "uniform"]
Target = Literal["continuing", "terminal"]
Forbidden = Literal["penalty", "wall", "restart", "terminal"]

MOVES: Final[dict[str, tuple[int, int]]] = {  # (rows down, columns right)
    "up": (-1, 0),
    "right": (0, 1),
    "down": (1, 0),
    "left": (0, -1),
    "up-right": (-1, 1),
    "down-right": (1, 1),
    "down-left": (1, -1),
    "up-left": (-1, -1),
    "stay": (0, 0),
}
_NAMES = tuple(MOVES)
ACTION_SETS: Final[dict[int, tuple[str, ...]]] = {
    4: _NAMES[:4],
    5: (*_NAMES[:4], "stay"),
    8: _NAMES[:8],
    9: _NAMES,
}


@dataclass(frozen=True)
class Settings:
    """How a layout behaves; the defaults are the book's (Zhao, section 1.5 and figure 3.4a).

    Attributes:
        r_boundary: paid for an attempt to leave the grid or to enter a wall, whatever cell the agent stands on.
        r_forbidden: paid when the next cell is forbidden.
        r_target: paid when the next cell is a target without a reward of its own.
        r_step: paid otherwise.
        slip: probability that the move made is not the one chosen (ice cells have their own).
        slip_model: "perpendicular": one of the two moves at right angles, each with slip / 2 (staying never slips);
            "uniform": one of the other actions of the action set, each with slip / (n_actions - 1).
        gust: probability that the wind in a windy cell is off by one, half of it stronger and half weaker.
        target: "continuing": the agent may stay and collect again; "terminal": the episode ends.
        forbidden: "penalty": enterable; "wall": not enterable; "restart": the agent is sent to the only start;
            "terminal": the episode ends.
        actions: 4 (up, right, down, left), 5 (and stay), 8 (and up-right, down-right, down-left, up-left),
            9 (8 and stay), or a sequence of such names.
        change_at: environment steps after which a layout with a later form changes into it; None: never.
    """

    r_boundary: float = -1.0
    r_forbidden: float = -1.0
    r_target: float = 1.0
    r_step: float = 0.0
    slip: float = 0.0
    slip_model: SlipModel = "perpendicular"
    gust: float = 0.0
    target: Target = "continuing"
    forbidden: Forbidden = "penalty"
    actions: int | tuple[str, ...] = 5
    change_at: int | None = None

    def __post_init__(self) -> None:
        for name in ("r_boundary", "r_forbidden", "r_target", "r_step"):
            value = getattr(self, name)
            if not _is_number(value):
                raise ValueError(f"{name} is {value!r}; a reward is a finite number")
        for name in ("slip", "gust"):
            value = getattr(self, name)
            if not _is_number(value) or not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} is {value!r}; it is a probability between 0 and 1")
        for name, choices in (
            ("slip_model", get_args(SlipModel)),
            ("target", get_args(Target)),
            ("forbidden", get_args(Forbidden)),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name} is {value!r}; choose one of {', '.join(map(repr, choices))}")
        if self.change_at is not None and (not is_whole(self.change_at) or self.change_at < 1):
            raise ValueError(f"change_at is {self.change_at!r}; it is a number of steps, 1 or more")
        object.__setattr__(self, "actions", _checked_actions(self.actions))
        if self.slip > 0 and self.slip_model == "uniform" and len(self.action_names) < 2:
            raise ValueError("slip_model 'uniform' needs at least 2 actions, there is 1; use 'perpendicular'")

    @property
    def action_names(self) -> tuple[str, ...]:
        """The names of the actions in their order; `MOVES` gives each its displacement."""
        return ACTION_SETS[self.actions] if isinstance(self.actions, int) else self.actions


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value is a whole number, Python's or numpy's, and no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _checked_actions(actions: object) -> int | tuple[str, ...]:
    remedy = f"use {', '.join(map(str, ACTION_SETS))} or a sequence of names among {', '.join(MOVES)}"
    if isinstance(actions, Integral) and not isinstance(actions, bool) and int(actions) in ACTION_SETS:
        return int(actions)
    if not isinstance(actions, list | tuple) or not actions:
        raise ValueError(f"actions is {actions!r}; {remedy}")
    for name in actions:
        if name not in MOVES:
            raise ValueError(f"actions holds {name!r}; {remedy}")
    if len(set(actions)) < len(actions):
        raise ValueError(f"actions is {actions!r} and names a move twice; name each once")
    return tuple(actions)
