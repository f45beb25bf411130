"""The public surface of rlkit: complete, lazy, and quick to import."""

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import gymnasium as gym
import pytest

import rlkit

HEAVY = ("torch", "matplotlib", "numba", "scipy", "pygame", "rich", "tyro")


def in_a_new_process(code):
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter
    return done.stdout.strip()


def test_every_name_is_there():
    for name in rlkit.__all__:
        assert getattr(rlkit, name) is not None
        assert name in dir(rlkit)
    assert rlkit.exact.value.__module__ == "rlkit.exact.discounted"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'solve'; it has MDP, Agent"):
        rlkit.solve  # noqa: B018 - the access is the test


def test_every_name_can_be_imported_first():
    for name in rlkit.__all__:
        assert in_a_new_process(f"from rlkit import {name}; print({name}.__name__)")


def test_the_version_is_that_of_the_package():
    written = tomllib.loads((Path(rlkit.__file__).parents[1] / "pyproject.toml").read_text())["project"]["version"]
    assert rlkit.__version__ == written == importlib.metadata.version("rlkit")


def test_importing_registers_the_grid_worlds():
    assert in_a_new_process("import rlkit, gymnasium as gym; print(gym.make('GridWorld-v0').observation_space)")
    assert in_a_new_process("import gymnasium as gym; print(gym.make('rlkit:GridWorld-v0').observation_space)")
    assert "GridWorld-v0" in gym.registry


@pytest.mark.parametrize("package", ["rlkit", "envs"])
def test_importing_loads_nothing_heavy(package):
    code = f"import sys, {package}; print([name for name in {HEAVY} if name in sys.modules])"
    assert in_a_new_process(code) == "[]"


def test_planning_and_the_command_line_load_no_torch():
    code = (
        "import sys, rlkit, rlkit.cli, rlkit.demo, rlkit.agents\n"
        "from rlkit.cli.planners import entries\n"
        "for entry in entries():\n"
        "    if not entry.deep: rlkit.agents.load(entry.name)\n"
        "print('torch' in sys.modules)"
    )
    assert in_a_new_process(code) == "False"


def test_importing_takes_what_gymnasium_takes_and_two_files_more():
    code = "import sys, gymnasium; known = set(sys.modules); import rlkit; print(sorted(set(sys.modules) - known))"
    assert in_a_new_process(code) == "['envs', 'rlkit']"
