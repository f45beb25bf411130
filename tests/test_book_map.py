"""docs/book.md held to what exists: every function can be imported, every test is there, and every number has a row."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import envs  # noqa: F401 - registers the ids

ROOT = Path(__file__).parents[1]


def rows():
    """(what, functions, tests) of every row of the tables that has a function."""
    found = []
    for line in (ROOT / "docs" / "book.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and "`" in cells[2]:
            found.append((cells[0], re.findall(r"`([^`]+)`", cells[2]), re.findall(r"`([^`]+)`", cells[3])))
    return found


def collected(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_the_map_has_rows_for_all_four_chapters():
    assert len(rows()) > 30
    for _, functions, tests in rows():
        assert functions
        assert tests


@pytest.mark.parametrize("name", sorted({name for _, functions, _ in rows() for name in functions}))
def test_every_function_of_the_map_can_be_imported(name):
    module, _, attribute = name.partition(":")
    thing = importlib.import_module(module)
    for part in attribute.split("."):
        thing = getattr(thing, part)
    assert callable(thing) or attribute.isupper()


@pytest.mark.parametrize("name", sorted({name for _, _, tests in rows() for name in tests}))
def test_every_test_of_the_map_exists(name):
    path, _, test = name.partition("::")
    assert test in collected(path)


def test_every_number_tested_has_a_row():
    mapped = {name.partition("::")[2] for _, _, tests in rows() for name in tests}
    for path in ("tests/test_book.py", "tests/test_book_chapter4.py"):
        assert collected(path) <= mapped, path
