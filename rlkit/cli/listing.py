"""`rlkit list`: what can be solved, and by whom."""

from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym
import tyro
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rlkit.cli.planners import entries
from rlkit.cli.worlds import layouts

TOY_TEXT = {
    "FrozenLake-v1": "a slippery lake with holes; --arg map_name=8x8, --arg is_slippery=False",
    "FrozenLake8x8-v1": "the same, larger",
    "CliffWalking-v1": "the way along a cliff, at -1 a step; give it --gamma 1",
    "CliffWalkingSlippery-v1": "the same, with a slippery floor",
    "Taxi-v4": "fetch a passenger and bring him to where he wants to go",
}
ABOUT = {
    "book-2x2": "Zhao's smallest grid (chapter 2, section 4.1)",
    "book-3x3": "Zhao's grid of section 1.1",
    "book-5x5": "Zhao's grid (figures 2.7, 3.4, 4.4 and on)",
    "book-line": "Zhao's line of two cells (section 4.2)",
    "windy": "Sutton & Barto, example 6.5: wind blows upwards",
    "windy-kings": "Sutton & Barto, exercise 6.9: the same with king's moves",
    "windy-stochastic": "Sutton & Barto, exercise 6.10: and the wind is gusty",
    "cliff": "Sutton & Barto, example 6.6: the cliff sends back to the start",
    "dyna-maze": "Sutton & Barto, figure 8.2",
    "dyna-blocking": "Sutton & Barto, example 8.2: the gap closes, another opens",
    "dyna-shortcut": "Sutton & Barto, example 8.3: a shorter way opens",
    "four-rooms": "Sutton, Precup & Singh (1999): four rooms, moves that fail",
    "random": "random walls, always solvable; --arg rows=50 --arg cols=80 --arg forbidden_density=0.1",
}


@dataclass(frozen=True)
class List:
    """Name what can be solved (envs), by whom (agents), and show the grids that have a name (layouts).

    Examples:
      rlkit list
      rlkit list agents
      rlkit list layouts
    """

    what: tyro.conf.Positional[Literal["all", "envs", "agents", "layouts"]] = "all"

    def run(self) -> int:
        """Print the tables asked for."""
        console = Console()
        if self.what in {"all", "envs"}:
            console.print(_envs())
        if self.what in {"all", "agents"}:
            console.print(_agents())
        if self.what in {"all", "layouts"}:
            console.print(_layouts())
        return 0


def _envs() -> Table:
    table = _table("Environments", "id", "what it is")
    table.add_row("GridWorld-v0", "Zhao's 5x5 grid, or any map: --arg layout=NAME_OR_FILE")
    for layout, identity in layouts().items():
        table.add_row(identity, ABOUT.get(layout, f"the grid {layout}"))
    table.add_section()
    for identity, words in TOY_TEXT.items():
        if identity in gym.registry:
            table.add_row(identity, words)
    table.caption = "Any other Gymnasium environment with a model (P or transitions) can be solved too."
    return table


def _agents() -> Table:
    table = _table("Agents", "name", "what it is")
    for plans, deep in ((True, False), (False, False), (False, True)):
        for entry in entries():
            if (entry.plans, entry.deep) == (plans, deep):
                table.add_row(entry.name, Text(entry.summary))
        table.add_section()
    table.caption = (
        "The first plan with a model: rlkit solve ENV --planner NAME.\n"
        "The others learn from samples, the last of them with networks: rlkit train NAME --env ENV. With --help each tells its options.\n"
        "Language models learn a task, --task TASK --model MODEL, or from what was written, --data FILE --model MODEL."
    )
    return table


def _layouts() -> Columns:
    panels = []
    for layout, identity in layouts().items():
        base: Any = gym.make(identity).unwrapped
        rows, cols = base.shape
        title = f"{layout} {rows}x{cols}"
        panels.append(Panel(Text(str(base.layout), no_wrap=True), title=title, expand=False, border_style="dim"))
    return Columns(panels, padding=(0, 2))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left")
    table.add_column(columns[0], style="cyan", no_wrap=True)
    for name in columns[1:]:
        table.add_column(name)
    return table
