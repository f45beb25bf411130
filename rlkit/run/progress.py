"""A progress bar for whatever takes longer than two seconds, on a terminal and nowhere else."""

import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

PATIENCE = 2.0  # seconds before the bar appears
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
        columns += [] if total is None else [TaskProgressColumn()]
        columns += [TimeElapsedColumn(), TextColumn("[dim]{task.fields[words]}")]
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(title, total=total, words="")
        self._timer = threading.Timer(patience, self._progress.start)
        self._timer.daemon = True
        self._shown = shown and sys.stderr.isatty()
        self._changed = -_PAUSE

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
            words = "  ".join(f"{name} {value:.3g}" for name, value in scalars.items())
            self._progress.update(self._task, completed=completed, words=words)
