"""What every part of the demo does: read a model, run a planner to its end, or watch it sweep by sweep."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rlkit.agents import make
from rlkit.demo.cards import World
from rlkit.mdp import MDP, from_env
from rlkit.run.fit import fit
from rlkit.tabular.planner import Planner


def model(world: World) -> MDP:
    """Return the model of a world that has one."""
    found = from_env(world)
    if found is None:
        raise ValueError(f"{world} has no model to plan with; the demo shows worlds that have one")
    return found


def planner(name: str, world: World | MDP, **config: Any) -> Planner:
    """Build a planner."""
    return cast("Planner", make(name, world, **config))


def solve(name: str, world: World | MDP, **config: Any) -> Planner:
    """Build a planner and run it until its plan is proven good enough."""
    made = planner(name, world, **config)
    fit(made, progress=False)
    return made


def rounds(made: Planner, steps: int) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Run a planner and yield its work in sweeps and a copy of its values [S], before the first round and after each."""
    yield 0.0, made.v.copy()
    for report in made.updates(steps):
        yield report.scalars.get("sweeps", float(report.step)), made.v.copy()
