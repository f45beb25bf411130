"""Presets: configurations that were tuned for an environment, shipped as data and found by its name, or in your own file."""

import difflib
import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rlkit.run.files import replacing

SHIPPED = Path(__file__).parents[1] / "presets"


class Preset(NamedTuple):
    """What a preset says."""

    config: dict[str, Any]  # fields of the agent's configuration
    steps: int | None = None  # that they were tuned for


def shipped(agent: str) -> list[str]:
    """Return the names of an agent's presets, those of environments most of all."""
    path = SHIPPED / f"{agent}.toml"
    return sorted(_tables(path)) if path.is_file() else []


def preset(agent: str, name: str, fields: Collection[str]) -> Preset:
    """Return a preset of an agent.

    Args:
        agent: its name.
        name: of the preset, as `shipped` lists them, or a TOML file with one table, such as `rlkit tune` writes.
        fields: of the agent's configuration.

    Raises:
        ValueError: there is no such preset, or it speaks of fields that there are not.
    """
    path = Path(name)
    if path.is_file():
        tables = _tables(path)
        if len(tables) != 1:
            raise ValueError(f"{path} holds {len(tables)} tables; a preset in a file of its own is one")
        ((title, table),) = tables.items()
        if table.pop("agent", agent) != agent:
            raise ValueError(f"{path} holds a preset of another agent than {agent}")
    else:
        known = shipped(agent)
        if name not in known:
            raise ValueError(f"{agent} has no preset {name!r}; {_remedy(name, known)}")
        path, title = SHIPPED / f"{agent}.toml", name
        table = _tables(path)[name]
    steps = table.pop("steps", None)
    for key in table:
        if key not in fields:
            raise ValueError(f"{path.name}, [{title}]: {agent} has no option {key!r}; it has {', '.join(fields)}")
    return Preset({key: _frozen(value) for key, value in table.items()}, steps)


def write_preset(path: Path, name: str, agent: str, steps: int, config: Mapping[str, Any]) -> None:
    """Write a preset to a file of its own; a field that is None is left out."""
    lines = [f"[{json.dumps(name)}]", f"agent = {json.dumps(agent)}", f"steps = {steps}"]
    lines += [f"{key} = {_toml(value)}" for key, value in config.items() if value is not None]
    with replacing(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def _tables(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    bare = [key for key, value in found.items() if not isinstance(value, dict)]
    if bare:
        raise ValueError(f"{path}: {bare[0]} stands outside a table; begin with a line such as [CartPole-v1]")
    return found


def _remedy(name: str, known: list[str]) -> str:
    if not known:
        return "it has none; `rlkit tune` can find one"
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)  # numbers, text, true and false are written alike in both
