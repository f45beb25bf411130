"""What the configurations of deep agents have in common, and the check of it at the door."""

import re
from dataclasses import dataclass, fields
from typing import Literal, Protocol, get_args

from rlkit.policies.activations import Activation
from rlkit.tabular.schedule import Rate, Schedule, bounded

Engine = Literal["auto", "compiled", "torch"]
Vector = Literal["auto", "native", "sync", "async"]
_SHORT = re.compile(r"(?P<kind>linear|cosine)\((?P<ends>[^,()]+,[^,()]+)\)")


class Timed(Protocol):
    """What schedules and reports ask of a configuration."""

    @property
    def horizon(self) -> int:
        """Steps over which a two-number schedule runs."""
        ...

    @property
    def report(self) -> int:
        """Steps between two reports."""
        ...


@dataclass(frozen=True)
class Studies:
    """Fields of every agent that learns from what was written; a base for configurations, not one itself. A step is an update."""

    data: str = ""  # a JSONL file to learn from; empty where the agent is made with a Corpus that holds it
    template: str = (
        "plain"  # makes prompts of what stands in the data: plain, question, chat, r1, or a text with {question}
    )
    batch: int = 16  # items of an update, over all processes
    micro: int = 0  # items that go through the model at a time, at most; 0: as many as are alike in length
    lr: Rate = 1e-5  # of Adam; a schedule counts updates
    max_grad_norm: float = 1.0  # gradients are scaled down to this global norm
    max_steps: int = 64  # tokens of an answer, at most, where the agent is asked to write one
    threads: int = 0  # of torch on the CPU; 0: by the size of the model
    report: int = 0  # updates between two reports; 0: a hundredth of what is asked for
    horizon: int = 0  # updates over which a two-number schedule runs; on the command line 0 is --steps


@dataclass(frozen=True)
class Deep:
    """Fields of every agent with a network; a base for configurations, not one itself.

    A rate such as `lr` is a number or a schedule over environment steps, "linear(3e-4, 0, 100000)"; "linear(3e-4, 0)" takes `horizon`
    steps to fall.
    """

    gamma: float = 0.99  # discount
    envs: int = 8  # copies of the environment, over all processes
    vector: Vector = "auto"  # how they are stepped: native batch where there is one, else sync; async: one process each
    seeds: int = 1  # independent runs in one call: seed, seed + 1, ...
    device: str = "cpu"  # or "cuda", "cuda:1", "mps"; "auto": a GPU where there is one
    threads: int = 0  # of torch on the CPU; 0: by the size of the net
    report: int = 0  # steps between two reports; 0: a hundredth of what is asked for
    horizon: int = 0  # steps over which a two-number schedule runs; on the command line 0 is --steps
    hidden: tuple[int, ...] = (64, 64)  # widths of the net's layers
    activation: Activation = "tanh"
    max_grad_norm: float = 0.5  # gradients are scaled down to this global norm
    lr: Rate = 1e-3  # of Adam


@dataclass(frozen=True)
class Stochastic(Deep):
    """Fields of agents that learn probabilities of any kind of action; a base for configurations, not one itself."""

    entropy: float = 0.0  # weight of the entropy bonus
    recurrent: int = 0  # units of a GRU; 0: none
    log_std: float = 0.0  # of continuous actions, at the start


@dataclass(frozen=True)
class OffPolicy(Deep):
    """Fields of agents that learn from a replay; a base for configurations, not one itself. Steps are counted over all copies."""

    envs: int = 1  # copies of the environment, over all processes
    hidden: tuple[int, ...] = (256, 256)  # widths of the net's layers
    activation: Activation = "relu"
    max_grad_norm: float = 10.0  # gradients are scaled down to this global norm
    capacity: int = 100_000  # transitions that are remembered
    batch: int = 64  # of them in a learning step
    warmup: int = 1_000  # steps with random actions before anything is learned
    train_every: int = 1  # steps between two times of learning
    gradient_steps: int = 1  # learning steps each time
    n_step: int = 1  # n, rewards in a target
    normalise_obs: bool = False  # standardise observations by what was seen


def rate(text: Rate, name: str, config: Timed, high: float = float("inf")) -> Schedule:
    """Read a schedule over environment steps, "linear(a, b)" and "cosine(a, b)" over `config.horizon`.

    Args:
        text: as the user wrote it.
        name: of the field.
        config: has the horizon.
        high: what no value may exceed.

    Raises:
        ValueError: naming the field and the value.
    """
    short = _SHORT.fullmatch(str(text).replace(" ", ""))
    if short:
        if config.horizon < 1:
            raise ValueError(
                f"{name} is {text!r}; say over how many steps: {name}='{short[0][:-1]},100000)', or horizon=100000"
            )
        text = f"{short['kind']}({short['ends']},{config.horizon})"
    found = bounded(text, name, 0.0, high)
    if found.per_visit:
        raise ValueError(f"{name} is {text!r}; a net has no visits to count: write k, the environment step")
    return found


def check(config: Deep, **at_least: float) -> None:
    """Refuse what no deep agent can run with.

    Args:
        config: the configuration.
        at_least: fields and the least value of each.

    Raises:
        ValueError: naming the field and its value.
    """
    if not 0.0 <= config.gamma <= 1.0:
        raise ValueError(f"gamma is {config.gamma}; it must lie between 0 and 1")
    for name, known in (("vector", Vector), ("activation", Activation)):
        if getattr(config, name) not in get_args(known):
            raise ValueError(
                f"{name} is {getattr(config, name)!r}; choose one of {', '.join(map(repr, get_args(known)))}"
            )
    least = {"envs": 1, "seeds": 1, "threads": 0, "report": 0, "horizon": 0, "max_grad_norm": 0.0, **at_least}
    for name, low in least.items():
        if not getattr(config, name) >= low:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {low:g}")
    if any(width < 1 for width in config.hidden):
        raise ValueError(f"hidden is {config.hidden}; a layer has at least 1 unit")
    for field in fields(config):
        value = getattr(config, field.name)
        if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN is the one number that differs from itself
            raise ValueError(f"{field.name} is NaN; it must be a number")
