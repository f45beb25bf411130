"""Agents in compiled code, whichever they are: when this engine applies, and an agent of one run or of several."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, get_args

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Report
from rlkit.compiled.mlp import RELU, TANH
from rlkit.compiled.places import refusal
from rlkit.sample.config import Deep, Engine
from rlkit.sample.scalars import every
from rlkit.team import Team

ACTIVATIONS = {"tanh": TANH, "relu": RELU}


class Run(Protocol):
    """One run of an algorithm."""

    def advance(self, step: int, until: int, team: Team) -> tuple[int, dict[str, float]]:
        """Go on from a step at least until another; return where that led, and what to report."""
        ...

    def act(self, obs: Any, *, explore: bool) -> Any:
        """Return actions."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what it needs to go on, but for the step."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


def applies(env: gym.Env[Any, Any], config: Any, reason: str = "", **plain: Any) -> bool:
    """Whether to take this engine, as `config.engine` says: "compiled", "torch", or "auto".

    Args:
        env: the environment.
        config: of an agent, with a field `engine`.
        reason: why the agent cannot be compiled, if something of its own is in the way.
        plain: fields, and the one value of each that is compiled.

    Raises:
        ValueError: compiled it is to be, and cannot; or the engine is none of these.
    """
    if config.engine not in get_args(Engine):
        raise ValueError(f"engine is {config.engine!r}; choose one of {', '.join(map(repr, get_args(Engine)))}")
    if config.engine == "torch":
        return False
    reason = reason or _why_not(env, config, plain)
    if reason and config.engine == "compiled":
        raise ValueError(f"engine is 'compiled', but {reason}; take 'torch', or 'auto'")
    return not reason


class Compiled:
    """One run or several that know nothing of each other; the first one acts.

    Args:
        config: of all; `threads` 0 lets `most` decide.
        runs: of them.
        most: threads that one run can use.
    """

    def __init__(self, config: Deep, runs: Sequence[Run], most: int = 2) -> None:
        self.config, self.runs, self.step = config, runs, 0
        processors = config.threads or os.cpu_count() or 1
        self._team = Team(min((config.threads and 2) or most, processors) if len(runs) == 1 else 1)
        self._pool = ThreadPoolExecutor(min(len(runs), processors))

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the greedy action for an observation or a batch of them, or one drawn as in training; the first run's."""
        return self.runs[0].act(obs, explore=explore)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps in every run."""
        end, chunk = self.step + steps, every(self.config, steps)
        due = self.step + chunk
        while self.step < end:
            until = min(due, end)
            if len(self.runs) == 1:
                found = [self.runs[0].advance(self.step, until, self._team)]
            else:
                found = list(self._pool.map(lambda run: run.advance(self.step, until, self._team), self.runs))  # noqa: B023 - done before the next
            self.step, due = found[0][0], found[0][0] + chunk
            yield self._report([scalars for _, scalars in found])

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on, as the twin does."""
        states = [{"step": self.step} | run.state_dict() for run in self.runs]
        if len(states) == 1:
            return states[0]
        return {"step": self.step, "runs": {str(i): state for i, state in enumerate(states)}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state, this engine's or the twin's.

        Raises:
            ValueError: it is of other nets, other worlds, or another number of runs.
        """
        states = list(state["runs"].values()) if "runs" in state else [state]
        if len(states) != len(self.runs):
            raise ValueError(f"the state holds {len(states)} runs; this agent has {len(self.runs)}")
        for run, one in zip(self.runs, states, strict=True):
            run.load_state_dict(one)
        self.step = int(state["step"])

    def _report(self, found: list[dict[str, float]]) -> Report:
        if len(found) == 1:
            return Report(self.step, found[0])
        each = {tag: [scalars[tag] for scalars in found] for tag in found[0]}
        return Report(self.step, {tag: _mean(values) for tag, values in each.items()}, each)


def episodes(finished: NDArray[np.float64]) -> dict[str, float]:
    """Return how many episodes have ended, their mean return and their mean length; NaN for none.

    Args:
        finished: (return, length) of each, [E, 2].
    """
    mean = finished.mean(axis=0) if len(finished) else (np.nan, np.nan)
    return {"episodes": float(len(finished)), "return": float(mean[0]), "length": float(mean[1])}


def _why_not(env: gym.Env[Any, Any], config: Any, plain: Mapping[str, Any]) -> str:
    """Why what a configuration asks for in an environment is not compiled; "" if it is."""
    for name, value in plain.items():
        if getattr(config, name) != value:
            return f"{name} is {getattr(config, name)}"
    if config.activation not in ACTIVATIONS:
        return f"activation is {config.activation!r}"
    if config.device not in ("cpu", "auto") or config.vector not in ("auto", "native"):
        return f"device is {config.device!r} and vector is {config.vector!r}"
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return "several processes learn together"
    return refusal(env)


def _mean(values: list[float]) -> float:
    known = np.array(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
