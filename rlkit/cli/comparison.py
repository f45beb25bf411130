"""What `rlkit compare` found: who came how far, how surely and how soon; as table, picture and JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from rlkit.agent import Report
from rlkit.run.progress import short

_NEAR = 0.05  # of the optimum's size: a policy that lacks no more has reached 95 % of it


class Learned(NamedTuple):
    """What came of one agent."""

    reports: list[Report]
    seconds: float  # to learn, all runs together


class Row(NamedTuple):
    """One agent's line of the table."""

    agent: str
    final: float  # interquartile mean
    low: float
    high: float
    reached: int  # runs that have come to 95 % of the optimum; -1 where nobody knows it
    runs: int
    steps: float  # until then, of the median run; infinite where less than half have
    seconds: float


def rank(found: Mapping[str, Learned], key: str | None) -> tuple[list[Row], str]:
    """Return the agents from best to worst by a number that they report, and its name; None takes what says most.

    Raises:
        ValueError: an agent does not report it.
    """
    from rlkit.report.curves import curve, metric, optimum  # noqa: PLC0415 - matplotlib is loaded when it draws
    from rlkit.report.robust import band  # noqa: PLC0415 - the same

    key = key or metric(*(learned.reports for learned in found.values()))
    rows = []
    for name, learned in found.items():
        if key not in learned.reports[-1].scalars:
            known = ", ".join(learned.reports[-1].scalars)
            raise ValueError(f"{name} does not report {key!r} here; it reports {known}")
        line = curve(learned.reports, key)
        if not len(line.steps):
            raise ValueError(
                f"{name} has no {key} in {learned.reports[-1].step:,} steps: no episode ended; more --steps?"
            )
        middle, low, high = (float(x[0]) for x in band(line.each[-1:]))
        best = optimum(learned.reports)
        first = np.full(line.each.shape[1], np.inf)
        if best is not None:
            values = curve(learned.reports, "value")
            there = values.each >= best - _NEAR * abs(best) - 1e-9
            first = np.where(there.any(axis=0), values.steps[there.argmax(axis=0)], np.inf)
        typical = float(np.quantile(first, 0.5, method="higher"))
        reached = -1 if best is None else int(np.isfinite(first).sum())
        rows.append(Row(name, middle, low, high, reached, len(first), typical, learned.seconds))
    return sorted(rows, key=lambda row: row.final, reverse=key != "rmse"), key


def show(console: Console, rows: Sequence[Row], key: str, title: str) -> None:
    """Print the table."""
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left")
    table.add_column("agent", style="cyan", no_wrap=True)
    for name in (key, "95 % interval", "near optimum", "after", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        soon = short(row.steps) if np.isfinite(row.steps) else "–"
        interval = f"{row.low:.4g} .. {row.high:.4g}"
        reached = f"{row.reached} of {row.runs}" if row.reached >= 0 else ""
        table.add_row(row.agent, f"{row.final:.4g}", interval, reached, soon, f"{row.seconds:.3g}")
    table.caption = "interquartile mean at the end; runs within 5 % of the optimum, the median one after so many steps"
    console.print(table)


def write(
    folder: Path, rows: Sequence[Row], key: str, found: Mapping[str, Learned], title: str, asked: Mapping[str, Any]
) -> list[Path]:
    """Write the picture, and a JSON file with the table and the curves; return their paths."""
    from rlkit.report.curves import WORDS, curve, learning_curves, optimum  # noqa: PLC0415 - as above
    from rlkit.report.files import save_picture, save_result  # noqa: PLC0415 - as above
    from rlkit.report.robust import band  # noqa: PLC0415 - as above

    curves = {row.agent: curve(found[row.agent].reports, key) for row in rows}
    best = optimum(found[rows[0].agent].reports) if key == "value" else None
    lines = {name: {"steps": line.steps, **band(line.each)._asdict()} for name, line in curves.items()}
    result: dict[str, Any] = {
        "title": title,
        "group": "comparisons",
        "caption": f"{WORDS.get(key, key)}: interquartile mean over {rows[0].runs} runs, bands: 95 % bootstrap intervals",
        "table": [row._asdict() for row in rows],
        "scalars": {**asked, "metric": key, "optimum": best},
        "curves": lines,
    }
    pictures = []
    try:
        picture = learning_curves(curves, best, title=title, y=WORDS.get(key, key), log_y=key == "rmse")
        pictures = [save_picture(picture, folder / "comparison.png")]
    except ValueError:  # nothing finite to draw
        pass
    return [*pictures, save_result(result, folder / "comparison.json")]
