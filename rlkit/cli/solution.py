"""What `rlkit solve` found: as a table and a map in the terminal, as a picture and a JSON file on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from rlkit.choose import Choice
from rlkit.cli.board import Board, make_board
from rlkit.cli.shares import shares

_LISTED = 10_000  # states up to which the JSON file holds every value and action


class Planning(Protocol):
    """What a planner has beyond being an agent."""

    @property
    def v(self) -> NDArray[np.float64]: ...  # values [S]
    @property
    def policy(self) -> NDArray[np.int64]: ...  # actions [S]
    @property
    def bound(self) -> float: ...  # proven max |v - v*|
    @property
    def converged(self) -> bool: ...  # whether the bound has reached the tolerance
    def optimal_actions(self) -> NDArray[np.bool_]:
        """Mark the actions [S, A] that cannot be told from the best ones."""
        ...


@dataclass(frozen=True)
class Solution:
    """A solved world."""

    name: str
    world: gym.Env[Any, Any]
    agent: Planning
    choice: Choice
    sweeps: float
    seconds: tuple[float, float]  # to build the model, and to solve it

    def scalars(self) -> dict[str, Any]:
        """Return what the table and the JSON file say."""
        v = self.agent.v
        start = getattr(self.world.unwrapped, "initial_state_distrib", None)
        weight = np.full(len(v), 1.0 / len(v)) if start is None else np.asarray(start, np.float64)
        return {
            "environment": self.name,
            "states": len(v),
            "actions": int(self.world.action_space.n),  # type: ignore[attr-defined] # a planner has checked that it is Discrete
            "planner": self.choice.planner,
            "why": self.choice.reason,
            "gamma": self.choice.options["gamma"],
            "sweeps": self.sweeps,
            "seconds to build": self.seconds[0],
            "seconds to solve": self.seconds[1],
            "bound": self.agent.bound,
            "start value": float(weight @ v),
            "mean value": float(v.mean()),
        }

    def print(self, console: Console, *, grid: bool) -> None:
        """Print the table and, where it fits, the policy and the values."""
        console.print(self._table())
        if not self.agent.converged:
            console.print("[yellow]the bound is above the tolerance: the planner stopped before the proof")
        if grid:
            mask = self.agent.optimal_actions()
            board = make_board(self.world, self.agent.v, mask)
            shown = None if board is None else _fitting(board, console.width)
            console.print(shown or shares(mask, self.agent.v, self.agent.policy))

    def write(self, folder: Path) -> list[Path]:
        """Write a picture and a JSON file, and return their paths."""
        from rlkit.report.figures import value_and_policy  # noqa: PLC0415 - matplotlib is loaded when it draws
        from rlkit.report.files import save_picture, save_result  # noqa: PLC0415 - the same

        numbers = self.scalars()
        title = f"{self.name}, gamma {numbers['gamma']:g}"
        mask = self.agent.optimal_actions()
        picture = value_and_policy(self.world, self.agent.v, mask, title=title)
        result: dict[str, Any] = {"title": title, "group": self.name, "scalars": numbers}
        if len(self.agent.v) <= _LISTED:
            result |= {"value": self.agent.v, "policy": self.agent.policy, "optimal": mask.astype(int)}
        stem = self.choice.planner
        return [
            save_picture(picture, folder / f"{stem}.png"),
            save_result(result, folder / f"{stem}.json"),
        ]

    def _table(self) -> Table:
        numbers = self.scalars()
        table = Table(show_header=False, title=self.name, title_justify="left", title_style="bold")
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        rows = {
            "states x actions": f"{numbers['states']:,} x {numbers['actions']}",
            "planner": f"[bold]{numbers['planner']}[/bold]: {numbers['why']}",
            "discount": f"{numbers['gamma']:g}",
            "sweeps": f"{numbers['sweeps']:,.4g}",
            "time": f"{_duration(self.seconds[0])} to build the model, {_duration(self.seconds[1])} to solve it",
            "error": f"at most {numbers['bound']:.2g}, proven",
            "value at the start": f"[bold]{numbers['start value']:.6g}[/bold]",
            "mean value": f"{numbers['mean value']:.6g}",
        }
        for name, words in rows.items():
            table.add_row(name, words)
        return table


def _fitting(board: Board, width: int) -> Table | None:
    """Put the policy and the values side by side, or below each other; None where even the policy is too wide."""
    for every in (True, False):
        policy = board.policy(every=every)
        if policy.width > width:
            continue
        parts = [policy, *([board.values()] if board.values().width <= width else [])]
        table = Table.grid(padding=(0, 3))
        if sum(part.width + 3 for part in parts) <= width:
            table.add_row(*(part.text for part in parts))
        else:
            for part in parts:
                table.add_row(part.text)
        return table
    return None


def _duration(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
