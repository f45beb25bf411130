"""House rules that a machine can hold: a file says what it is, and so does everything public; no file grows too long."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("envs", "rlkit", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
PUBLIC = [path for path in FILES if path.relative_to(ROOT).parts[0] in {"envs", "rlkit"}]


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_first_line_says_what_the_file_is(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith(('"""', "# ")), first
    assert len(first.strip('"# .').split()) >= 2, first


@pytest.mark.parametrize("path", PUBLIC, ids=name)
def test_everything_public_has_a_docstring(path):
    bare = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        bare += [inner.name for inner in _documented(node) if ast.get_docstring(inner) is None]
    assert not bare, f"{name(path)}: {', '.join(bare)}"


@pytest.mark.parametrize("path", PUBLIC, ids=name)
def test_a_room_has_at_most_three_hundred_lines(path):
    assert path.read_text(encoding="utf-8").count("\n") <= 300


def _documented(node):
    """A public class or function, and the public methods of the class but for those that a Protocol only names."""
    if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
        return []
    methods = (
        [inner for inner in node.body if isinstance(inner, ast.FunctionDef)] if isinstance(node, ast.ClassDef) else []
    )
    return [node, *(m for m in methods if not m.name.startswith("_") and not _is_named_only(m))]


def _is_named_only(method):
    (only,) = method.body if len(method.body) == 1 else (None,)
    return isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant) and only.value.value is ...
