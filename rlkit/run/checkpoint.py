"""Checkpoints: an agent's state as arrays in an .npz file with a JSON header; reading one never executes code.

A language model stands in a folder beside the file, as transformers loads it.
"""

import dataclasses
import json
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Agent, Viewed, name_of
from rlkit.run import beside, ranks
from rlkit.run.files import replacing

FORMAT = 1


class Checkpoint(NamedTuple):
    """What a checkpoint file holds."""

    agent: str  # the agent's name
    config: dict[str, Any]
    state: dict[str, Any]  # what `load_state_dict` takes


def save(agent: Agent, path: str | Path) -> Path:
    """Write the state of an agent to a file and return its path; a write that is cut short leaves the old file.

    Of several processes, all of which must call this, the first one writes.

    Raises:
        ValueError: naming what in the state is neither array, number, text, None nor a mapping of such.
    """
    target = Path(path)
    arrays: dict[str, NDArray[Any]] = {}
    folders: dict[str, beside.Beside] = {}
    state = agent.views() if isinstance(agent, Viewed) else agent.state_dict()
    header = {
        "format": FORMAT,
        "agent": name_of(agent),
        "config": dataclasses.asdict(agent.config),
        "state": _pack(state, "state", arrays, folders),
        "mark": secrets.token_hex(8) if folders else "",
    }
    if ranks.writes():
        mark = str(header["mark"])
        words = np.frombuffer(json.dumps(header).encode(), np.uint8)
        beside.draft(folders, target, mark)
        with replacing(path) as file:
            np.savez(file, header=words, **arrays)  # type: ignore[arg-type] # numpy's stub takes **arrays for allow_pickle
        for part in folders.values():
            beside.settle(beside.place(target, part.name), mark)
    ranks.meet()  # the others may want to read it
    return target


def load(agent: Agent, path: str | Path) -> None:
    """Give an agent the state in a file; it goes on as the one that was saved would have.

    Raises:
        ValueError: the file is no checkpoint, or one of another agent or configuration; a field that the file, being older, does
            not know counts as its default. To go on with another
            configuration all the same: `agent.load_state_dict(read(path).state)`.
    """
    found = read(path)
    if found.agent != name_of(agent):
        raise ValueError(f"{path} holds a {found.agent}, not a {name_of(agent)}; load it into an agent of its kind")
    own = json.loads(json.dumps(dataclasses.asdict(agent.config)))
    unknown = sorted(found.config.keys() - own.keys())
    if unknown:
        raise ValueError(
            f"{path} was saved with {unknown[0]} = {found.config[unknown[0]]!r}, which this version's {found.agent} does not have; "
            "load it with the version that wrote it"
        )
    then = _defaults(agent.config) | found.config  # a field that came later had its default's effect
    for key, value in own.items():
        if key not in then or then[key] != value:
            raise ValueError(
                f"{key} is {then.get(key)!r} in {path} and {value!r} in the agent; build the agent with "
                "the configuration of the checkpoint"
            )
    agent.load_state_dict(found.state)


def read(path: str | Path, only: Sequence[str] = ()) -> Checkpoint:
    """Read a checkpoint file.

    Args:
        path: of the file.
        only: parts of the state to read, such as "step"; left out: all.

    Raises:
        ValueError: the file is no checkpoint, or one of a later format.
    """
    with Path(path).open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError(f"{path} is not a checkpoint of rlkit, or is cut short")
        file.seek(0)
        with np.load(file, allow_pickle=False) as content:
            if "header" not in content.files:
                raise ValueError(f"{path} is not a checkpoint of rlkit: it has no header")
            header = json.loads(content["header"].tobytes())
            if header["format"] != FORMAT:
                raise ValueError(f"{path} has format {header['format']}; this version of rlkit reads {FORMAT}")
            parts = header["state"]["mapping"]
            asked = {"mapping": {name: parts[name] for name in only or parts if name in parts}}
            where = Path(path), header.get("mark", "")
            return Checkpoint(header["agent"], header["config"], _unpack(asked, content, *where))


def _defaults(config: Any) -> dict[str, Any]:
    """The fields that have a default, with it, as JSON has them."""
    found = {}
    for field in dataclasses.fields(config):
        if field.default is not dataclasses.MISSING:
            found[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
    known: dict[str, Any] = json.loads(json.dumps(found))
    return known


def _pack(value: Any, name: str, arrays: dict[str, NDArray[Any]], folders: dict[str, beside.Beside]) -> dict[str, Any]:
    """Turn a state into JSON, with the arrays and folders set aside under their names."""
    if isinstance(value, beside.Beside):
        folders[value.name] = value
        return {"beside": value.name}
    if isinstance(value, Mapping):
        other = [key for key in value if not isinstance(key, str)]
        if other:
            raise ValueError(f"{name} has the key {other[0]!r}; the keys of a checkpoint are text")
        return {"mapping": {key: _pack(item, f"{name}.{key}", arrays, folders) for key, item in value.items()}}
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        while name in arrays:  # {"a.b": x, "a": {"b": y}}
            name += "'"
        arrays[name] = np.asarray(value)
        return {"array": name}
    if isinstance(value, float):
        return {"float": repr(value)}  # exact, and JSON has no infinity
    if isinstance(value, str | int | None):
        return {"plain": value}
    raise ValueError(f"{name} is a {type(value).__name__}; a checkpoint holds arrays, numbers, text, None and mappings")


def _unpack(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], path: Path, mark: str) -> Any:
    ((kind, value),) = node.items()
    if kind == "beside":
        return beside.found(path, value, mark)
    if kind == "mapping":
        return {key: _unpack(item, arrays, path, mark) for key, item in value.items()}
    if kind == "array":
        return arrays[value][()]  # a 0-d array is a scalar again
    return float(value) if kind == "float" else value
