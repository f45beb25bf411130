"""PPO in compiled code: the fast twin of `rlkit.agents.ppo`, the same configuration, numbers and checkpoint.

Two threads share one run, one taking the actor and one the critic; of several runs each thread takes its own.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Report
from rlkit.compiled.acting import Acting
from rlkit.compiled.losses import Weights
from rlkit.compiled.mlp import RELU, TANH
from rlkit.compiled.places import Place, refusal
from rlkit.compiled.run import Run, Shape
from rlkit.sample.config import rate
from rlkit.sample.scalars import checked, every
from rlkit.team import Team

_ACTIVATIONS = {"tanh": TANH, "relu": RELU}


def why_not(env: gym.Env[Any, Any], config: Any) -> str:
    """Return why compiled PPO cannot do what a configuration asks for in an environment; "" if it can."""
    plain = {"shared": False, "recurrent": 0, "normalise_obs": False, "normalise_rewards": False}
    for name, value in plain.items():
        if getattr(config, name) != value:
            return f"{name} is {getattr(config, name)}"
    if config.activation not in _ACTIVATIONS:
        return f"activation is {config.activation!r}"
    if config.device not in ("cpu", "auto") or config.vector not in ("auto", "native"):
        return f"device is {config.device!r} and vector is {config.vector!r}"
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return "several processes learn together"
    return refusal(env)


def applies(env: gym.Env[Any, Any], config: Any) -> bool:
    """Whether to take this engine, as `config.engine` says: "compiled", "torch", or "auto".

    Raises:
        ValueError: compiled it is to be, and cannot.
    """
    if config.engine == "torch":
        return False
    reason = why_not(env, config)
    if reason and config.engine == "compiled":
        raise ValueError(f"engine is 'compiled', but {reason}; take 'torch', or 'auto'")
    return not reason


class Compiled:
    """One run or several.

    Args:
        env: one environment.
        config: PPO's.
        seed: of the first run; the next has seed + 1.
        dtype: of all numbers.
    """

    def __init__(self, env: gym.Env[Any, Any], config: Any, seed: int, dtype: type = np.float32) -> None:
        self.config, self.step = config, 0
        self.space = env.action_space
        shape = Shape(
            config.segment,
            config.batch,
            config.epochs,
            config.gamma,
            config.lam,
            config.max_grad_norm,
            config.target_kl,
        )
        self.runs = []
        for one in range(seed, seed + config.seeds):
            place = Place(env, config.envs, config.segment, one)
            style = config.hidden, _ACTIVATIONS[config.activation], config.log_std
            self.runs.append(Run(place, *style, shape, one, dtype))
        self._lr, self._low = rate(config.lr, "lr", config), rate(config.clip, "clip", config)
        self._high = self._low if config.clip_high is None else rate(config.clip_high, "clip_high", config)
        threads = min(2, config.threads or os.cpu_count() or 1)
        self._team = Team(threads if config.seeds == 1 else 1)
        self._pool = ThreadPoolExecutor(min(config.seeds, config.threads or os.cpu_count() or 1))
        self._acting = Acting(self.runs[0], self.space, seed)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training; the first run's."""
        return self._acting.act(obs, explore=explore)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps in every run, in whole segments."""
        end, chunk = self.step + steps, every(self.config, steps)
        due = self.step + chunk
        while self.step < end:
            until = min(due, end)
            if len(self.runs) == 1:
                found = [self._advance(self.runs[0], until)]
            else:
                found = list(self._pool.map(lambda run: self._advance(run, until), self.runs))  # noqa: B023 - done before the next
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

    def _advance(self, run: Run, until: int) -> tuple[int, dict[str, float]]:
        step = self.step
        while step < until:
            run.update(self._team, self._lr(step + 1), self._weights(step + 1))
            step += self.config.envs * self.config.segment
        measured = run.measure(self._weights(step + 1)) | {"lr": self._lr(step + 1)}
        return step, _episodes(run.place.finished()) | checked(measured, step)

    def _weights(self, k: int) -> Weights:
        return Weights(self._low(k), self._high(k), self.config.entropy, self.config.value, self.config.value_clip)

    def _report(self, found: list[dict[str, float]]) -> Report:
        if len(found) == 1:
            return Report(self.step, found[0])
        each = {tag: [scalars[tag] for scalars in found] for tag in found[0]}
        return Report(self.step, {tag: _mean(values) for tag, values in each.items()}, each)


def _episodes(finished: NDArray[np.float64]) -> dict[str, float]:
    mean = finished.mean(axis=0) if len(finished) else (np.nan, np.nan)
    return {"episodes": float(len(finished)), "return": float(mean[0]), "length": float(mean[1])}


def _mean(values: list[float]) -> float:
    known = np.array(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
