"""The agents that are in the house, told from their source without loading any of them."""

import ast
from pathlib import Path
from typing import NamedTuple

import rlkit.agents
from rlkit.agents import names


class Entry(NamedTuple):
    """What the source of an agent says about it."""

    name: str
    summary: str  # the first line of its file
    plans: bool  # it needs a model: its `make` takes a `World`
    deep: bool  # it learns with a network: its file imports torch, or the configuration of deep agents


def entries() -> list[Entry]:
    """Read the entries of all agents."""
    return [_entry(name) for name in names()]


def planners() -> list[str]:
    """Return the names of the agents that plan."""
    return [entry.name for entry in entries() if entry.plans]


def _entry(name: str) -> Entry:
    rooms = [Path(folder) / name for folder in rlkit.agents.__path__]
    places = (file for room in rooms for file in (room / "__init__.py", room.with_suffix(".py")))
    file = next(place for place in places if place.is_file())
    tree = ast.parse(file.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    plans = any(
        isinstance(node, ast.FunctionDef)
        and node.name == "make"
        and any(isinstance(word, ast.Name) and word.id == "World" for word in ast.walk(node.args.args[0]))
        for node in tree.body
    )
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module}
    return Entry(name, summary, plans, bool({"torch", "rlkit.sample.config"} & imported))
