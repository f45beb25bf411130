"""What the configurations of learning agents have in common, and the check of it at the door."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from rlkit.tabular.explore import Explore
from rlkit.tabular.schedule import Rate, Schedule, bounded, schedule

Engine = Literal["auto", "compiled", "stepped"]
Exploring = Literal["epsilon-greedy", "softmax", "ucb"]
Policy = str | tuple[tuple[float, ...], ...] | tuple[int, ...]


@dataclass(frozen=True)
class Learning:
    """Fields of every agent that learns from samples; a base for configurations, not one itself."""

    gamma: float = 0.9  # discount
    seeds: int = 1  # independent runs in one call: seed, seed + 1, ...
    engine: Engine = "auto"  # compiled where the environment gives its model, stepped through env.step elsewhere
    report: int = 0  # steps between two reports; 0: a hundredth of what is asked for


@dataclass(frozen=True)
class Control(Learning):
    """Fields of agents that improve a policy."""

    alpha: Rate = "10/(n+9)"  # step size: a number, or "1/(k+10)", or with n for the visits of the pair
    epsilon: Rate = 0.1  # probability of a random action; a schedule too
    explore: Exploring = "epsilon-greedy"
    temperature: Rate = 1.0  # of softmax
    confidence: Rate = 2.0  # c of upper confidence bounds
    initial: float = 0.0  # action values at the start; above what can be earned, it is an optimistic start


@dataclass(frozen=True)
class Prediction(Learning):
    """Fields of agents that learn the value of a policy."""

    alpha: Rate = "10/(n+9)"  # step size: a number, or "1/(k+10)", or with n for the visits of the state
    policy: Policy = "uniform"  # "uniform", "optimal", a .npy file; in Python also [S] actions or [S, A] probabilities
    initial: float = 0.0  # values at the start


def step_sizes(config: Any) -> Schedule:
    """Read the step size, which lies in (0, 1].

    Raises:
        ValueError: naming the value.
    """
    return bounded(config.alpha, "alpha", 0.0, 1.0, open_below=True)


def exploration(config: Control) -> Explore:
    """Read the way to explore.

    Raises:
        ValueError: naming the field and the value.
    """
    kinds = get_args(Exploring)
    if config.explore not in kinds:
        raise ValueError(f"explore is {config.explore!r}; choose one of {', '.join(map(repr, kinds))}")
    if config.explore == "softmax":
        level = schedule(config.temperature, "temperature")
        if level.last < 0.0 or (level.last == 0.0 and level.kind == 0 and level.power == 0.0):
            raise ValueError(f"temperature is {config.temperature!r}; it must be above 0")
    elif config.explore == "ucb":
        level = schedule(config.confidence, "confidence")
    else:
        level = bounded(config.epsilon, "epsilon", 0.0, 1.0)
    return Explore(kinds.index(config.explore), level)


def check(config: Learning, **at_least: float) -> None:
    """Refuse what no learning agent can run with.

    Args:
        config: the configuration.
        at_least: fields and the least value of each.

    Raises:
        ValueError: naming the field and its value.
    """
    if not 0.0 <= config.gamma <= 1.0:
        raise ValueError(f"gamma is {config.gamma}; it must lie between 0 and 1")
    if config.engine not in get_args(Engine):
        raise ValueError(f"engine is {config.engine!r}; choose one of {', '.join(map(repr, get_args(Engine)))}")
    for name, least in {"seeds": 1, "report": 0, **at_least}.items():
        if not getattr(config, name) >= least:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")
    for field in fields(config):
        value = getattr(config, field.name)
        if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN is the one number that differs from itself
            raise ValueError(f"{field.name} is NaN; it must be a number")
