"""The rich table of one batch size: bias, deviation, direction and what theory says."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from benchmarks.estimators.rows import Row
from benchmarks.estimators.worlds import WORLDS

FAMILIES = ("REINFORCE", "exact q", "GAE", "A2C", "PPO", "RLOO", "GRPO")
SHOWN = {"PPO": (0, 1, 5, 10, 20), "RLOO": (2, 8, 64), "GRPO": (2, 8, 64)}  # of the details
COLUMNS = ("bias", "theory", "length", "direct.", "deviation", "cosine", "mse", "")
MARKS = {
    "unbiased": "[green]unbiased[/]",
    "as known": "[yellow]as theory[/]",
    "measured": "",
    "WRONG": "[red]WRONG[/]",
}


def show(rows: Iterable[Row], console: Console, episodes: int) -> None:
    """Print the rows of a batch size, world by world, family by family."""
    table = Table(
        title=f"Gradients from batches of {episodes} episodes, in units of the exact one's length", title_justify="left"
    )
    for heading in ("world", "estimator", "critic", "states"):
        table.add_column(heading, no_wrap=True)
    for heading in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    before = None
    for row in sorted(rows, key=_place):
        if row.episodes != episodes or (row.family in SHOWN and row.detail not in SHOWN[row.family]):
            continue
        place = row.world, row.family
        if before and place != before:
            table.add_section()
        table.add_row(row.world if not before or before[0] != row.world else "", *_cells(row))
        before = place
    console.print(table)
    console.print(
        "bias ‖E g - ∇J‖ ± its standard error (an unbiased one shows about that much); length ⟨E g, ∇J⟩ / ‖∇J‖²; direction: "
        "cosine of the mean;\ndeviation: root of the trace of the covariance; cosine: mean of a batch's; critic exact, learned "
        "from 32 other episodes, or own: fitted to the batch.\nstates: weighted by γ^t as ∇J is, by 1 as most code has it, or "
        "by the score of the whole episode, which is discounted by itself.",
        style="dim",
    )


def _place(row: Row) -> tuple[int, int, str]:
    return [w.name for w in WORLDS].index(row.world), FAMILIES.index(row.family), row.critic


def _cells(row: Row) -> list[str]:
    m = row.measured
    name = f"{row.family} {row.estimator}" + (f", G = {row.detail:g}" if row.family in {"GRPO", "RLOO"} else "")
    return [
        name,
        row.critic,
        row.factor,
        f"{m.bias:.3f} ± {m.bias_error:.3f}",
        "" if row.expected_bias is None else "0" if row.verdict == "unbiased" else f"{row.expected_bias:.3f}",
        f"{m.scale:.3f} ± {m.scale_error:.3f}",
        f"{m.direction:.3f}",
        f"{m.deviation:.3f} ± {m.deviation_error:.3f}",
        f"{m.cosine:.3f} ± {m.cosine_error:.3f}",
        f"{m.mse:.3g}",
        MARKS[row.verdict],
    ]
