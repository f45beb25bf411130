"""The README and the guides keep their word: their Python runs, and the files they point to exist."""

import re
from pathlib import Path

import pytest

from rlkit import agents

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in page.read_text()], ids=lambda page: page.name
)
def test_python_in_the_pages_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_map.txt").write_text("S.#\n..T\n")
    for name, source in re.findall(r"```python file=(\S+)\n(.*?)```", page.read_text(), flags=re.DOTALL):
        (tmp_path / name).write_text(source)
    monkeypatch.setattr(agents, "__path__", [*agents.__path__])  # one page adds a folder to it
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        if "actions)" in block:  # the guide's own name for actions [time, env]
            import numpy as np

            names["actions"] = np.zeros((3, 4096), np.int64)
        exec(compile(block, page.name, "exec"), names)  # noqa: S102 - our own pages


def test_the_readme_shows_what_solve_prints(capsys, tmp_path):
    from rlkit.cli import main

    main(["solve", "GridWorld-v0", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    shown = (ROOT / "README.md").read_text().split("$ rlkit solve GridWorld-v0\n")[1].split("```")[0]
    assert [line.rstrip() for line in shown.splitlines()] == [
        line.rstrip() for line in printed.splitlines() if line.rstrip() and line.lstrip()[0] in "policy│┌└"
    ][-len(shown.splitlines()) :]
