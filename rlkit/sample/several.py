"""Several independent runs as one agent: what `seeds` above 1 makes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from rlkit.agent import Agent, Attentive, Report
from rlkit.sample.config import Deep


class Several:
    """Runs that know nothing of each other, taken forward in turn; the first one acts.

    Args:
        config: of all; `seeds` is how many there are.
        seed: of the first, the next has seed + 1.
        build: makes the agent of one run, given its configuration and seed.
    """

    def __init__(self, config: Deep, seed: int, build: Callable[[Any, int], Agent]) -> None:
        self.config = config
        self.runs = [build(replace(config, seeds=1), seed + i) for i in range(config.seeds)]

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return what the first run does."""
        return self.runs[0].act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Have the first run take note."""
        if isinstance(self.runs[0], Attentive):
            self.runs[0].attend(info, first=first)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps in every run, reporting their means and each."""
        reports: list[Report] = []
        for news in zip_longest(*(run.updates(steps) for run in self.runs)):  # whole episodes end at different steps
            reports = [new or last for new, last in zip_longest(news, reports)]
            each = {tag: [report.scalars[tag] for report in reports] for tag in reports[0].scalars}
            yield Report(reports[0].step, {tag: _mean(values) for tag, values in each.items()}, each)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every run."""
        states = {str(i): run.state_dict() for i, run in enumerate(self.runs)}
        return {"step": states["0"]["step"], "beyond": states["0"].get("beyond", 0), "runs": states}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another number of runs.
        """
        if len(state.get("runs", {})) != len(self.runs):
            raise ValueError(f"the state holds {len(state.get('runs', {})) or 1} runs; this agent has {len(self.runs)}")
        for i, run in enumerate(self.runs):
            run.load_state_dict(state["runs"][str(i)])


def one_or_several(config: Deep, seed: int, build: Callable[[Any, int], Agent]) -> Agent:
    """Return the agent of one run, or `config.seeds` of them as one; see `Several`."""
    return build(config, seed) if config.seeds == 1 else Several(config, seed, build)


def _mean(values: list[float]) -> float:
    known = np.array(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
