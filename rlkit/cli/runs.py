"""Agents for the command line: the options of the one that the words name, and the one that a run directory holds."""

import dataclasses
import difflib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import tyro
from rich.console import Console
from rich.text import Text

from rlkit.agent import Agent
from rlkit.agents import load, make, names
from rlkit.cli.languages import open_language, open_studies
from rlkit.cli.planners import planners
from rlkit.cli.worlds import open_world
from rlkit.run.directory import Run, read_run, resume
from rlkit.run.presets import Preset, preset
from rlkit.sample.config import Studies

DEFAULT = "GridWorld-v0"

Agents = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="AGENT", help="who learns", help_behavior_hint="")]
Env = Annotated[
    str | None,
    tyro.conf.arg(
        metavar="ENV",
        help="a Gymnasium id, the name of a grid, or a file that holds an ASCII map",
        help_behavior_hint=f"(default: {DEFAULT})",
    ),
]
Pairs = Annotated[
    tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE", help="argument for gym.make")
]
Out = Annotated[
    Path | None,
    tyro.conf.arg(metavar="DIR", help="where to write, a new folder", help_behavior_hint="(default: one in runs)"),
]
Seed = Annotated[int, tyro.conf.arg(help="of everything random; of several runs, the first has it, the next seed + 1")]


def check_learner(name: str) -> None:
    """Refuse what is not the name of an agent that learns.

    Raises:
        ValueError: saying what to take.
    """
    planning = planners()
    if name in planning:
        raise ValueError(f"{name} plans with the model of a world; use `rlkit solve ENV --planner {name}`")
    if name not in names():
        learners = [known for known in names() if known not in planning]
        close = difflib.get_close_matches(name, learners, n=2)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise ValueError(f"there is no agent {name!r}; {hint}the agents that learn are {', '.join(learners)}")


def with_options(base: type, name: str, **defaults: Any) -> type:
    """Return a command's dataclass with the configuration of an agent as its field `options`, and some defaults changed."""
    config = load(name).Config
    plain: Any = Annotated[config, tyro.conf.arg(name="")]
    field = ("options", plain, dataclasses.field(default_factory=partial(config, **defaults)))
    made = dataclasses.make_dataclass(base.__name__, [field], bases=(base,), frozen=True)
    made.__doc__ = base.__doc__
    return made


def named(words: Sequence[str]) -> str:
    """Return the first word after the command that is an agent's name, or else the first that is no flag; '' without any."""
    known = set(names())
    free = [word for word in words[1:] if not word.startswith("-")]
    first = words[1] if len(words) > 1 and not words[1].startswith("-") else ""
    return next((word for word in free if word in known), first)


def spelled_out(words: Sequence[str]) -> list[str]:
    """Return the words of a command, with the environment's name after a `--preset` that names none."""
    found = list(words)
    for i, word in enumerate(words):
        if word == "--preset" and (i + 1 == len(words) or words[i + 1].startswith("-")):
            found[i] = f"--preset={value_of(words, '--env') or DEFAULT}"
    return found


def preset_of(name: str, words: Sequence[str]) -> Preset:
    """Return the preset that the words ask for, an empty one where they ask for none.

    Raises:
        ValueError: there is no such preset.
    """
    asked = value_of(words, "--preset")
    return preset(name, asked, [field.name for field in dataclasses.fields(load(name).Config)]) if asked else Preset({})


def build(run: Run, env: str | None = None, arg: Sequence[str] = ()) -> tuple[Any, Agent, list[str]]:
    """Make the environment and the agent of a run anew, and return Gymnasium's warnings too.

    Args:
        run: what config.json says.
        env: another environment than the run's.
        arg: arguments of that environment.

    Raises:
        ValueError: naming what is missing or does not fit.
    """
    name = env or run.env
    if name is None:
        raise ValueError("the run was begun in Python and does not say in which environment; name it with --env")
    words = arg if env else [*run.arg, *arg]
    check_learner(run.agent)
    world: Any = None
    notes: list[str] = []
    if run.model is None:
        world, notes = open_world(name, words)
    elif issubclass(load(run.agent).Config, Studies):
        world = open_studies(run.model, str(run.config["data"]), env, arg, run.seed)
    else:
        world = open_language(name, words, run.model, run.seed)
    config = {key: _tuples(value) for key, value in run.config.items()}
    return world, make(run.agent, world, seed=run.seed, **config), notes


def restore(folder: Path, env: str | None = None, arg: Sequence[str] = ()) -> tuple[Run, Any, Agent, list[str]]:
    """Build the agent of a run directory, as it was at its last checkpoint.

    Raises:
        ValueError: there is no run, or it does not fit the environment.
    """
    run = read_run(folder)
    world, agent, notes = build(run, env, arg)
    try:
        resume(folder, agent)
    except ValueError as error:
        raise ValueError(f"the run in {folder} does not fit {env or run.env}: {error}") from error
    return run, world, agent, notes


def note(notes: Sequence[str]) -> None:
    """Print Gymnasium's warnings on standard error."""
    for words in notes:
        Console(stderr=True).print(Text.assemble(("note: ", "yellow"), words))


def _tuples(value: Any) -> Any:
    return tuple(cast("Any", _tuples(item)) for item in value) if isinstance(value, list) else value


def value_of(words: Sequence[str], flag: str) -> str:
    """Return what stands behind a flag, the last time that it is given; '' where it is not."""
    found = ""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word == flag:
            found = after
        elif word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found
