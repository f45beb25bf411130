"""A progress bar for whatever takes longer than two seconds, on a terminal and nowhere else."""

import math
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from rlkit.run import ranks

PATIENCE = 2.0  # seconds before the bar appears
_FIRST = ("return", "value", "rmse", "loss", "bound")  # what is told of many numbers, where there is one of these
_PAUSE = 0.1  # seconds between two changes of what it says


class Bar:
    """A bar on standard error that appears after `patience` seconds, and vanishes at the end of its `with` block.

    Args:
        title: what is going on.
        total: how many steps there are; None where nobody knows.
        shown: False for no bar at all.
        patience: seconds to wait.
    """

    def __init__(self, title: str, total: int | None = None, *, shown: bool = True, patience: float = PATIENCE) -> None:
        columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20)]
        columns += [TimeElapsedColumn()] if total is None else [TaskProgressColumn(), TimeRemainingColumn(compact=True)]
        columns += [TextColumn("[dim]{task.fields[words]}", table_column=Column(ratio=1, no_wrap=True))]
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True, expand=True)
        self._task = self._progress.add_task(title, total=total, words="")
        self._timer = threading.Timer(patience, self._progress.start)
        self._timer.daemon = True
        self._shown = shown and ranks.writes() and sys.stderr.isatty()
        self._changed = -_PAUSE
        self._began = time.monotonic()
        self._counted = total is not None

    def __enter__(self) -> Self:
        if self._shown:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._timer.cancel()
            self._timer.join()
            self._progress.stop()

    def say(self, title: str) -> None:
        """Say what is going on now."""
        self._progress.update(self._task, description=title)

    def show(self, completed: int, scalars: Mapping[str, float]) -> None:
        """Say how far it is and what the numbers are."""
        now = time.monotonic()
        if self._shown and now - self._changed >= _PAUSE:
            self._changed = now
            speed = [f"{short(completed / (now - self._began))}/s"] if self._counted and now > self._began else []
            told = [name for name in _FIRST if name in scalars] or scalars
            known = [f"{name} {scalars[name]:.3g}" for name in told if not math.isnan(scalars[name])]
            words = "  ".join(speed + known)
            self._progress.update(self._task, completed=completed, words=words)


def short(number: float) -> str:
    """Write a speed in four letters or so: 950, 12k, 3.4M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"
