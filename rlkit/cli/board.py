"""A grid world in the terminal: where one is, which way to go, what it is worth; GridWorld and toy-text maps alike."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from rlkit.mdp import MDP, from_env
from rlkit.report.style import RAMP
from rlkit.report.toy_text import decided, moves

WIDEST = 40  # columns beyond which a map is no longer read but looked at, for which there is the picture
_ARROWS = {
    (-1, 0): "↑",
    (0, 1): "→",
    (1, 0): "↓",
    (0, -1): "←",
    (-1, 1): "↗",
    (1, 1): "↘",
    (1, -1): "↙",
    (-1, -1): "↖",
}
_STAY = "○"
_MOVES = ("up", "right", "down", "left", "up-right", "down-right", "down-left", "up-left")
_STYLES = {"T": "bold blue", "X": "dark_orange", "#": "bright_black", "S": "magenta", "~": "cyan", "@": "magenta"}
_NOWHERE = "#"  # nobody stands here


class Sheet(NamedTuple):
    """A map as text."""

    text: Text
    width: int


class Board(NamedTuple):
    """What a map in the terminal needs."""

    marks: NDArray[np.str_]  # [rows, cols]  letters of the map language
    arrows: tuple[str, ...]  # of the A actions
    v: NDArray[np.float64]  # [rows, cols]
    optimal: NDArray[np.bool_]  # [rows, cols, A]; nothing where nothing is decided

    def policy(self, *, every: bool) -> Sheet:
        """Draw every optimal action, or only the first one."""
        cells = [["".join(self.arrows[a] for a in np.flatnonzero(best)) for best in row] for row in self.optimal]
        width = max(len(cell) for row in cells for cell in row) if every else 1
        text = [[cell[:width].ljust(width) for cell in row] for row in cells]
        return _sheet("policy", self.marks, text, np.full(self.v.shape, "bold"))

    def values(self) -> Sheet:
        """Write the values."""
        live = np.asarray(self.optimal.any(axis=2))
        known = self.v[live]
        largest = np.abs(known).max(initial=0.0)
        whole = bool(np.all(np.abs(known - np.rint(known)) < 1e-6))
        digits = 0 if whole or largest >= 100 else 1 if largest >= 2 else 2
        rows: list[list[float]] = self.v.tolist()
        told: list[list[bool]] = live.tolist()
        cells = [
            [f"{round(x, digits) + 0.0:.{digits}f}" if shown else "" for x, shown in zip(xs, row, strict=True)]
            for xs, row in zip(rows, told, strict=True)
        ]
        width = max(len(cell) for row in cells for cell in row)
        text = [[cell.rjust(width) for cell in row] for row in cells]
        return _sheet("value", self.marks, text, _heat(self.v, live))


def make_board(world: gym.Env[Any, Any], v: NDArray[np.float64], optimal: NDArray[np.bool_]) -> Board | None:
    """Lay a solution out on the grid of its world; None where there is no grid, or one of more than `WIDEST` columns."""
    base: Any = world.unwrapped
    desc = getattr(base, "desc", None)
    shape = getattr(base, "shape", None) or (None if desc is None else np.shape(desc))
    if shape is None or len(shape) != 2 or shape[0] * shape[1] != len(v) or shape[1] > WIDEST:
        return None
    mdp = from_env(world)
    if mdp is None:
        return None
    live = decided(mdp)
    layout = getattr(base, "layout", None)
    if layout is not None:
        marks = np.array([list(layout.line(row)) for row in range(shape[0])])
        arrows = _named_arrows(base.settings.action_names)
        live = ~_absorbing(mdp) & (live | (marks.ravel() != "X"))  # floor that nobody enters is shown all the same
    else:
        marks = _toy_marks(mdp, live).reshape(shape)
        arrows = tuple(_STAY if move is None else _ARROWS[move] for move in moves(mdp, (shape[0], shape[1])))
    return Board(marks, arrows, v.reshape(shape), (optimal & live[:, None]).reshape(*shape, -1))


def _sheet(title: str, marks: NDArray[np.str_], cells: Sequence[Sequence[str]], styles: NDArray[np.str_]) -> Sheet:
    """Frame the cells, each in its style and with its mark before it."""
    wide = len(cells[0][0]) + 1
    rule = "─" * (marks.shape[1] * (wide + 1) + 1)
    text = Text(f" {title}\n", no_wrap=True)
    text.append(f"┌{rule}┐\n", "dim")
    for row, line, looks in zip(marks, cells, styles, strict=True):
        text.append("│", "dim")
        for mark, cell, look in zip(row, line, looks, strict=True):
            if mark == _NOWHERE:
                text.append(" " + "█" * wide, _STYLES[mark])
            else:
                text.append(f" {mark if mark != '.' else ' '}", _STYLES.get(str(mark), ""))
                text.append(cell, str(look))
        text.append(" │\n", "dim")
    text.append(f"└{rule}┘", "dim")
    return Sheet(text, len(rule) + 2)


def _heat(v: NDArray[np.float64], live: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Colour the values as the pictures do, from pale to deep, with letters that can be read on it."""
    low, high = (v[live].min(), v[live].max()) if live.any() else (0.0, 1.0)
    share = np.clip((v - low) / (high - low if high > low else 1.0), 0.0, 1.0)
    step = np.rint(share * (len(RAMP) - 1)).astype(int)
    papers = np.array(
        [f"{'black' if k < len(RAMP) // 2 + 1 else 'bright_white'} on {RAMP[k]}" for k in range(len(RAMP))]
    )
    return np.where(live, papers[step], "")


def _absorbing(mdp: MDP) -> NDArray[np.bool_]:
    """Mark the states in which every action stays and ends the episode: walls, and targets that are reached."""
    source = np.repeat(np.arange(mdp.n_states), np.diff(mdp.indptr[:: mdp.n_actions]))
    over = np.ones(mdp.n_states, np.bool_)
    over[source[~(mdp.terminated & (mdp.next_state == source))]] = False
    return over


def _toy_marks(mdp: MDP, live: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Tell by the model where episodes begin (S), end well (T), and what else nobody stands on (X)."""
    source = np.repeat(np.arange(mdp.n_states), np.diff(mdp.indptr[:: mdp.n_actions]))
    ends = mdp.terminated & (mdp.next_state != source) & (mdp.prob > 0)
    gain = np.full(mdp.n_states, -np.inf)
    np.maximum.at(gain, mdp.next_state[ends], mdp.reward[ends])
    marks = np.where(live, ".", "X")
    marks[np.isfinite(gain) & (gain == gain.max())] = "T"
    start = np.diff(mdp.start_cdf, prepend=0.0) > 0
    if start.sum() == 1:
        marks[start] = "S"
    return marks


def _named_arrows(names: Sequence[str]) -> tuple[str, ...]:
    arrows = dict(zip(_MOVES, _ARROWS.values(), strict=True))
    return tuple(arrows.get(name, _STAY) for name in names)
