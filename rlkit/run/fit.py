"""Running an agent: drain its updates, show how far it is, keep it safe on disk."""

import sys
import time
from pathlib import Path

from rlkit.agent import Agent, Report, name_of
from rlkit.run.checkpoint import save
from rlkit.run.progress import Bar


def fit(
    agent: Agent,
    steps: int | None = None,
    *,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    every: float = 60.0,
) -> list[Report]:
    """Run an agent for `steps` steps, or until it stops by itself, and return what it reported.

    Args:
        agent: from `rlkit.make`.
        steps: as the agent counts them (a planner: rounds). None: until it stops, which a planner does when its plan is
            proven good enough.
        progress: show a bar on a terminal once two seconds have passed.
        checkpoint: file to write the agent to (`rlkit.load` reads it), every so often and at the end.
        every: seconds between two checkpoints.

    Raises:
        ValueError: naming the argument that makes no sense.
    """
    if steps is not None and steps < 1:
        raise ValueError(f"steps is {steps}; it must be at least 1, or None for as many as the agent wants")
    if every <= 0:
        raise ValueError(f"every is {every}; it is a number of seconds above 0")
    reports: list[Report] = []
    saved = time.monotonic()
    name = name_of(agent).replace("_", " ")
    with Bar(name, steps, shown=progress) as bar:
        for report in agent.updates(sys.maxsize if steps is None else steps):
            reports.append(report)
            bar.show(report.step - reports[0].step + 1, report.scalars)
            if checkpoint is not None and time.monotonic() - saved >= every:
                save(agent, checkpoint)
                saved = time.monotonic()
    if checkpoint is not None:
        save(agent, checkpoint)
    return reports
