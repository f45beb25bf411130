"""Running an agent: drain its updates, show how far it is, keep it safe on disk."""

import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rlkit.agent import Agent, Report, name_of
from rlkit.run import directory, ranks
from rlkit.run.checkpoint import save
from rlkit.run.interrupt import Interrupt
from rlkit.run.log import Log
from rlkit.run.progress import Bar

_SHARE = 0.01  # of the time goes into checkpoints, at most
_LOST = 0.02  # of a run's time is lost when it breaks, at most, where checkpoints are cheap enough


def fit(
    agent: Agent,
    steps: int | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    origin: Mapping[str, Any] | None = None,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    every: float = 60.0,
) -> list[Report]:
    """Run an agent for `steps` steps, or until it stops by itself, and return what it reported.

    Args:
        agent: from `rlkit.make`.
        steps: as the agent counts them (a planner: rounds). None: until it stops, which a planner does when its plan is
            proven good enough.
        out: the directory of the run, a new one: what runs, checkpoints, reports as lines of JSON and for TensorBoard.
        resume: `out` holds a run; the agent takes over its last checkpoint and goes on from there.
        origin: the `env`, `arg` and `seed` that config.json in `out` shall state; see `rlkit.run.directory`.
        progress: show a bar on a terminal once two seconds have passed.
        checkpoint: file to write the agent to (`rlkit.load` reads it), every so often and at the end; in `out` when
            left out.
        every: seconds between two checkpoints, at most; fewer at the beginning of a run. Ctrl-C waits for a report, so
            that nothing is lost; a second one does not.

    Raises:
        ValueError: naming the argument that makes no sense.
    """
    if steps is not None and steps < 1:
        raise ValueError(f"steps is {steps}; it must be at least 1, or None for as many as the agent wants")
    if every <= 0:
        raise ValueError(f"every is {every}; it is a number of seconds above 0")
    if out is None:
        if resume:
            raise ValueError("resume needs out, the directory of the run")
    elif resume:
        directory.resume(out, agent)
    else:
        directory.begin(out, agent, steps, origin)
    return drain(agent, steps, out, progress=progress, checkpoint=checkpoint, every=every)


def drain(
    agent: Agent,
    steps: int | None,
    out: str | Path | None = None,
    *,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    every: float = 60.0,
    speed: str = "",
) -> list[Report]:
    """Do what `fit` does, where `out` is the directory of a run that the agent has entered; `speed`: see `Log`."""
    path = Path(out) / directory.CHECKPOINT if out is not None and checkpoint is None else checkpoint
    start = int(agent.state_dict()["step"])
    saver = _Saver(agent, path, every)
    reports: list[Report] = []
    stopped = False
    with (
        nullcontext() if out is None or not ranks.writes() else Log(Path(out), start, speed) as log,
        Interrupt(deferred=path is not None) as interrupt,
        Bar(name_of(agent).replace("_", " "), steps, shown=progress) as bar,
    ):
        for report in agent.updates(sys.maxsize if steps is None else steps):
            reports.append(report)
            bar.show(report.step - start, report.scalars)
            if log is not None:
                log.write(report)
            saver.tick()
            stopped = ranks.anywhere(interrupt.asked)
            if stopped:
                break
        saver.save()
    if stopped:
        raise KeyboardInterrupt
    return reports


class _Saver:
    """Writes an agent to a file, but only as often as it is worth its while."""

    def __init__(self, agent: Agent, path: str | Path | None, every: float) -> None:
        self._agent, self._path, self._every = agent, path, every
        self._began = self._saved = time.monotonic()
        self._cost = 0.0

    def tick(self) -> None:
        now = time.monotonic()
        due = now - self._saved >= min(self._every, max(self._cost / _SHARE, _LOST * (now - self._began)))
        if ranks.anywhere(due):
            self.save()
            self._saved = time.monotonic()
            self._cost = self._saved - now

    def save(self) -> None:
        if self._path is not None:
            save(self._agent, self._path)
