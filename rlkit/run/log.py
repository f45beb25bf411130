"""What an agent reported, on disk as it says it: one line of JSON for each report, and the same for TensorBoard."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from rlkit.agent import Report
from rlkit.run.files import replacing

REPORTS = "reports.jsonl"


class Line(NamedTuple):
    """A report and the seconds of training before it, those before an interruption included."""

    report: Report
    seconds: float


class Log:
    """The reports of a run, written and flushed one by one; what came after `step` is taken back first.

    Args:
        folder: of the run.
        step: where the agent is.
        speed: name under which TensorBoard hears of steps per second too; "": it does not.
    """

    def __init__(self, folder: Path, step: int = 0, speed: str = "") -> None:
        from rlkit.run.events import Events  # noqa: PLC0415 - TensorBoard is loaded when there is something to write

        path = folder / REPORTS
        self._before = _cut(path, step) if path.exists() else 0.0
        self._clock = time.perf_counter()
        self._latest, self._speed = (step, self._before), speed
        self._file = path.open("a", encoding="utf-8")
        self._events = Events(folder, step + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._events.__exit__(kind, error, trace)

    def write(self, report: Report) -> None:
        """Add a report; a number that is none or infinite stands as Python's json writes it."""
        seconds = self._before + time.perf_counter() - self._clock
        words = {"step": report.step, "seconds": round(seconds, 4), "scalars": report.scalars}
        if report.each:
            words["each"] = report.each
        self._file.write(json.dumps(words) + "\n")
        self._file.flush()
        step, then = self._latest
        self._latest = report.step, seconds
        speed = {self._speed: (report.step - step) / (seconds - then)} if self._speed and seconds > then else {}
        self._events.write(report._replace(scalars={**report.scalars, **speed}))


def read_log(folder: str | Path) -> list[Line]:
    """Read the reports of a run; a last line that was cut short is left out.

    Raises:
        ValueError: another line is no report.
    """
    path = Path(folder) / REPORTS
    return [line for line, _ in _lines(path)] if path.exists() else []


def _lines(path: Path) -> Iterator[tuple[Line, str]]:
    texts = path.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(texts, 1):
        try:
            words = json.loads(text)
            report = Report(int(words["step"]), dict(words["scalars"]), dict(words.get("each", {})))
            line = Line(report, float(words["seconds"]))
        except (ValueError, KeyError, TypeError) as error:
            if number == len(texts):
                return
            raise ValueError(f"line {number} of {path} is no report ({error}); remove it to go on") from error
        yield line, text


def _cut(path: Path, step: int) -> float:
    """Take back what was reported after a step; return the seconds of training up to it."""
    kept = [(line, text) for line, text in _lines(path) if line.report.step <= step]
    with replacing(path) as file:
        file.writelines(f"{text}\n".encode() for _, text in kept)
    return kept[-1][0].seconds if kept else 0.0
