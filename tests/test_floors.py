"""The house's floors: imports look down and never round in circles, and heavy libraries stay in their rooms."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "agent": 1,
    "arrays": 1,
    "mdp": 1,
    "rules": 1,
    "team": 1,
    "data": 1,
    "dist": 1,
    "pg": 1,
    "tabular": 2,
    "exact": 2,
    "compiled": 3.5,  # kernels that make up whole agents: above what samples
    "policies": 2,
    "run": 2,
    "sample": 3,
    "learning": 3,
    "agents": 4,
    "choose": 5,
    "tuning": 5,
    "recipes": 5,
    "report": 5,
    "demo": 6,
    "cli": 7,
}
ROOMS = [(library, room) for library in ("torch", "transformers") for room in ("tabular", "exact", "mdp", "rules")]


def modules():
    """Every module of the two packages: its dotted name and its file."""
    for package in ("envs", "rlkit"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


NAMES = {name for name, _ in modules()}


def imports(path):
    """The modules that a file imports anywhere but for type checkers alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in NAMES else node.module


GRAPH = {name: set(imports(path)) for name, path in modules()}


def room(name):
    parts = name.split(".")
    return parts[1] if parts[0] == "rlkit" and len(parts) > 1 else ""


def test_every_room_has_a_floor():
    assert {room(name) for name in GRAPH} - {""} <= set(FLOORS)


@pytest.mark.parametrize("name", sorted(name for name in GRAPH if room(name)))
def test_imports_look_down(name):
    for other in GRAPH[name]:
        if room(other) and room(other) != room(name):
            below, here = FLOORS[room(other)], FLOORS[room(name)]
            assert below < here or below == here == 1, f"{name} (floor {here}) imports {other} (floor {below})"


def test_there_are_no_circles():
    ready, waiting = set(), {name: found & NAMES - {name} for name, found in GRAPH.items()}
    while waiting:
        free = {name for name, needs in waiting.items() if needs <= ready}
        assert free, f"these import each other: {sorted(waiting)}"
        ready |= free
        waiting = {name: needs for name, needs in waiting.items() if name not in free}


def test_envs_knows_nothing_of_rlkit_and_rlkit_knows_envs_at_its_front_door_for_random_numbers_and_compiled_steps():
    for name, found in GRAPH.items():
        packages = {other.split(".")[0] for other in found}
        if name.startswith("envs"):
            assert not packages & {"rlkit", "torch"}, name
        elif name not in {"rlkit", "rlkit.tabular.random", "rlkit.tabular.jit"} and room(name) != "compiled":
            assert "envs" not in packages, name


@pytest.mark.parametrize(("library", "where"), [*ROOMS, ("numba", "pg"), ("torch", "run"), ("torch", "cli")])
def test_heavy_libraries_stay_in_their_rooms(library, where):
    users = [name for name, found in GRAPH.items() if any(other.split(".")[0] == library for other in found)]
    assert not [name for name in users if room(name) == where]


def test_only_one_file_knows_transformers():
    users = {name for name, found in GRAPH.items() if any(other.split(".")[0] == "transformers" for other in found)}
    assert users <= {"rlkit.policies.hf"}
