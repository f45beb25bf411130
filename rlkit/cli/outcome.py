"""What a training came to: as a table and a map in the terminal, and as a picture of the learning curve on disk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from rlkit.agent import Agent, Report
from rlkit.cli.board import Board, make_board
from rlkit.cli.worlds import World
from rlkit.learning.learner import Learner
from rlkit.learning.spaces import count
from rlkit.run.directory import CHECKPOINT, CONFIG, Run
from rlkit.run.log import REPORTS, Line
from rlkit.run.progress import Bar, short


def show(
    console: Console, agent: Agent, run: Run, lines: Sequence[Line], folder: Path, world: World, *, board: bool
) -> None:
    """Print the table, the map where there is one, and the files; draw the learning curve."""
    from rlkit.report.runs import draw_run  # noqa: PLC0415 - matplotlib is loaded when it draws

    console.print(_table(agent, run, lines))
    if board and (shown := learned(agent, world)) is not None and shown.policy(every=False).width <= console.width:
        console.print(_sheets(agent, shown, console.width))
    with Bar("drawing"):
        drawn = draw_run(folder)
    names = [CONFIG, CHECKPOINT, REPORTS, *(path.name for path in drawn)]
    names += ["model/"] if (folder / "model").is_dir() else []
    console.print(Text.assemble("written: ", (f"{folder}/", "cyan"), f" {' '.join(names)}"), soft_wrap=True)
    console.print(Text(f"curves:  tensorboard --logdir {folder}", "dim"), soft_wrap=True)


def learned(agent: Agent, world: World) -> Board | None:
    """Lay what an agent has learned on the grid of its world, the first run's of several; None where there is no grid."""
    if not isinstance(agent, Learner) or agent.setting.mdp is None:
        return None
    values = agent.values if agent.config.seeds == 1 else agent.values[0]
    n_states, n_actions = agent.setting.mdp.n_states, agent.setting.mdp.n_actions
    if values.shape == (n_states,):
        return make_board(world, values, np.ones((n_states, n_actions), np.bool_))
    if values.shape == (n_states, n_actions):
        return make_board(world, values.max(axis=1), np.eye(n_actions, dtype=np.bool_)[values.argmax(axis=1)])
    return None


def spread(report: Report, key: str) -> str:
    """Write a mean over runs, with its standard error where there are several; '' where all are NaN."""
    each = np.array(report.each.get(key, [report.scalars[key]]), np.float64)
    each = each[~np.isnan(each)]
    if len(each) < 2 or not np.isfinite(each).all():
        return f"{each.mean():.6g}" if len(each) else ""
    return f"{each.mean():.6g} ± {each.std(ddof=1) / np.sqrt(len(each)):.2g}"


def _table(agent: Agent, run: Run, lines: Sequence[Line]) -> Table:
    table = Table(show_header=False, title=f"{run.agent}, {run.env}", title_justify="left", title_style="bold")
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    last = lines[-1].report
    seeds = int(run.config.get("seeds", 1))
    for name, words in {**_where(agent, run), **_when(lines, seeds), **_what(last, seeds)}.items():
        table.add_row(name, words)
    return table


def _where(agent: Agent, run: Run) -> dict[str, str]:
    if run.model is not None:
        many = (
            f"{run.config['envs']} answers at a time"
            if "envs" in run.config
            else f"{run.config['batch']} items a batch"
        )
        return {"model": f"{run.model}, {many}"}
    if not isinstance(agent, Learner):
        widths = "-".join(map(str, run.config.get("hidden", ())))
        return {"net": f"{widths} on {run.config['device']}, {run.config['envs']} environments"} if widths else {}
    setting = agent.setting
    engine = "env.step, one by one" if setting.world is None else "compiled with its model"
    if setting.env is not None and count(setting.env.observation_space) is None:
        return {"actions": f"{setting.n_actions}, infinitely many states, {engine}"}
    return {"states x actions": f"{setting.n_states:,} x {setting.n_actions}, {engine}"}


def _when(lines: Sequence[Line], seeds: int) -> dict[str, str]:
    first, last = lines[0], lines[-1]
    steps, seconds = last.report.step - first.report.step, last.seconds - first.seconds
    speed = f"; {short(seeds * steps / seconds)} steps/s [dim]with the reports[/dim]" if seconds > 0.0 else ""
    runs = f"{seeds} runs of " if seeds > 1 else ""
    return {"steps": f"{runs}{last.report.step:,} in {last.seconds:.3g} s{speed}"}


def _what(last: Report, seeds: int) -> dict[str, str]:
    rows = {}
    if "return" in last.scalars:
        found = spread(last, "return")
        ended = "[dim]of the latest episodes, while exploring[/dim]"
        endless = "[dim]no episode has ended; --arg max_episode_steps=100 would cut them[/dim]"
        rows["return"] = f"{found} {ended}" if found else endless
    if "regret" in last.scalars:
        best = last.scalars["value"] + last.scalars["regret"]
        limit = f"the optimum is {best:.6g}" if np.isfinite(best) else "-inf: it goes in circles for ever"
        rows["value at the start"] = f"[bold]{spread(last, 'value')}[/bold] [dim]greedy and exact; {limit}[/dim]"
    if "optimal" in last.scalars:
        good = round(last.scalars["optimal"] * seeds)
        words = ("no", "yes")[good] if seeds == 1 else f"in {good} of {seeds} runs"
        rows["policy optimal"] = f"[bold]{words}[/bold] [dim]in every state that can be visited[/dim]"
    if "rmse" in last.scalars:
        rows["error"] = f"[bold]{spread(last, 'rmse')}[/bold] [dim]root mean square, against the exact values[/dim]"
    return rows or {name: f"{value:.6g}" for name, value in last.scalars.items()}


def _sheets(agent: Agent, board: Board, width: int) -> Group | Table:
    assert isinstance(agent, Learner)  # noqa: S101 - `learned` has seen to it
    values = board.values()
    prediction = agent.values.ndim - (agent.config.seeds > 1) == 1
    parts = [values] if prediction else [board.policy(every=False), values]
    if sum(part.width + 3 for part in parts) > width:
        return Group(*(part.text for part in parts if part.width <= width))
    table = Table.grid(padding=(0, 3))
    table.add_row(*(part.text for part in parts))
    return table
