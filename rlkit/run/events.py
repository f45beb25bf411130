"""Scalars as TensorBoard reads them: an event file, written in step with the training and without any framework."""

import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from rlkit.agent import Report


class Events:
    """An event file in a folder; TensorBoard drops what earlier files there say from `first` on.

    Args:
        folder: where the file is made.
        first: the first step that this file tells of.
    """

    def __init__(self, folder: Path, first: int = 0) -> None:
        name = f"events.out.tfevents.{time.time_ns() // 1000}.{socket.gethostname()}.{os.getpid()}"
        self._file = (folder / name).open("wb")
        self._records = RecordWriter(self._file)
        self._write(Event(file_version="brain.Event:2"))
        self._write(Event(step=first, session_log=SessionLog(status=SessionLog.START)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, report: Report) -> None:
        """Add a report's scalars, but for those that are no number."""
        known = [Summary.Value(tag=tag, simple_value=x) for tag, x in report.scalars.items() if x == x]  # noqa: PLR0124 - NaN
        self._write(Event(step=report.step, summary=Summary(value=known)))

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
        self._file.flush()
