"""The directory of a run: config.json says what runs, checkpoint.npz holds it, reports.jsonl and TensorBoard tell of it."""

import dataclasses
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rlkit.agent import Agent, name_of
from rlkit.run import ranks
from rlkit.run.checkpoint import load, save
from rlkit.run.files import replacing

CONFIG = "config.json"
CHECKPOINT = "checkpoint.npz"
KIND = "rlkit run 1"
_VERSIONS = ("rlkit", "gymnasium", "numba", "numpy")


@dataclasses.dataclass(frozen=True)
class Run:
    """What config.json says."""

    agent: str
    config: dict[str, Any]
    env: str | None = None  # as a user of the command line names it; None for a run begun in Python
    arg: tuple[str, ...] = ()  # key=value for gym.make, or for the task
    seed: int = 0
    steps: int | None = None  # that the run is to take in all
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    model: str | None = None  # the language model; then `env` is the name of its task
    kind: str = KIND  # with the number of this format


def begin(folder: str | Path, agent: Agent, steps: int | None = None, origin: Mapping[str, Any] | None = None) -> None:
    """Make the directory of a run, with the agent as it is now.

    Args:
        folder: a new one, or an empty one.
        agent: that is to run.
        steps: that it is to take.
        origin: `env`, `model`, `arg` and `seed` of `Run`, by which it can be built again.

    Raises:
        ValueError: there is something in the folder.
    """
    place = Path(folder)
    if ranks.writes():
        check_free(place)
        place.mkdir(parents=True, exist_ok=True)
    versions = {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}}
    run = Run(name_of(agent), dataclasses.asdict(agent.config), steps=steps, versions=versions, **(origin or {}))
    save(agent, place / CHECKPOINT)
    if ranks.writes():
        write_run(place, run)


def check_free(folder: str | Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        ValueError: it does, or is a file.
    """
    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ValueError(f"{place} exists and is not empty; give another name, or resume the run that is in it")


def resume(folder: str | Path, agent: Agent) -> None:
    """Give an agent the last checkpoint of a run.

    Raises:
        ValueError: there is no run in the folder, or one of another agent or configuration.
    """
    read_run(folder)
    load(agent, Path(folder) / CHECKPOINT)


def write_run(folder: str | Path, run: Run) -> None:
    """Write config.json."""
    with replacing(Path(folder) / CONFIG) as file:
        file.write(json.dumps(dataclasses.asdict(run), indent=1).encode() + b"\n")


def is_run(folder: str | Path) -> bool:
    """Whether a folder holds a run."""
    return (Path(folder) / CONFIG).is_file() and (Path(folder) / CHECKPOINT).is_file()


def read_run(folder: str | Path) -> Run:
    """Read config.json.

    Raises:
        ValueError: the folder holds no run.
    """
    place = Path(folder)
    if not is_run(place):
        raise ValueError(f"{place} holds no run of rlkit: it lacks {CONFIG} or {CHECKPOINT}; `rlkit train` makes one")
    try:
        words = json.loads((place / CONFIG).read_text(encoding="utf-8"))
        run = Run(**{**words, "arg": tuple(words["arg"])})
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{place / CONFIG} does not describe a run: {error}") from error
    if run.kind != KIND:
        raise ValueError(f"{place / CONFIG} describes a {run.kind}, not a {KIND}")
    return run


def new_folder(parent: str | Path, stem: str) -> Path:
    """Make the first of stem, stem-2, stem-3, ... that does not exist under a folder, and return it."""
    Path(parent).mkdir(parents=True, exist_ok=True)
    number, place = 1, Path(parent) / stem
    while True:
        try:
            place.mkdir()
        except FileExistsError:
            number += 1
            place = Path(parent) / f"{stem}-{number}"
        else:
            return place
