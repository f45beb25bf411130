"""The command line: known answers, files that are written, help, and for every mistake a message and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rlkit import __version__
from rlkit.cli import main
from rlkit.cli.planners import planners

BOOK_POLICY = """\
│  ↓   →   ↓   ↓   ↓← │
│  ↓  X↓  X↓   ↓   ↓← │
│  →↓  →↓ X↓   ↓←  ↓← │
│  →  X→  T○  X←   ←  │
│  ↑  X→   ↑   ←   ←  │"""
LAKE_POLICY = """\
│ S←   ↑   ↑   ↑  │
│  ←  X    ←→ X   │
│  ↑   ↓   ←  X   │
│ X    →   ↓  T   │"""


class NinetyPercent(gym.Env):
    """A world with a model that loses a tenth of its probability."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(1)
    P = {0: {0: [(0.9, 1, 0.0, False)]}, 1: {0: [(1.0, 1, 0.0, True)]}}  # noqa: RUF012 - as Gymnasium's worlds have it


gym.register("NinetyPercent-v0", entry_point=NinetyPercent)


@pytest.fixture(autouse=True)
def _terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def run(*argv):
    """Run the command line in a process of its own."""
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", "import sys; from rlkit.cli import main; sys.exit(main())", *argv],
        capture_output=True,
        text=True,
        check=False,
    )


def result(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def test_the_books_grid(capsys):
    assert main(["solve", "GridWorld-v0"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "7.79936" in shown.out
    lines = [line.partition("   │   ")[0] for line in shown.out.splitlines()]
    assert BOOK_POLICY in "\n".join(line[: line.find("│", 1) + 1] for line in lines)
    assert all(len(line) <= 80 for line in shown.out.splitlines()[:-1])
    found = result("runs/GridWorld-v0/prioritized_sweeping.json")
    np.testing.assert_allclose(found["value"][:5], [5.832, 5.58, 6.2, 6.48, 5.832], atol=1e-6)
    assert found["scalars"]["start value"] == pytest.approx(7.79936)
    assert found["scalars"]["bound"] <= 1e-6
    assert found["optimal"][4] == [0, 0, 1, 1, 0]
    assert Path("runs/GridWorld-v0/prioritized_sweeping.png").read_bytes().startswith(b"\x89PNG")


def test_frozen_lake_with_arguments_and_planner(capsys):
    words = (
        "solve FrozenLake-v1 --gamma 0.99 --planner value_iteration --order gauss-seidel --tolerance 1e-9 --out lake"
    )
    assert main(words.split()) == 0
    shown = capsys.readouterr().out
    assert "0.542026" in shown
    assert "as asked" in shown
    assert LAKE_POLICY in "\n".join(line[: line.find("│", 1) + 1] for line in shown.splitlines())
    assert result("lake/value_iteration.json")["scalars"]["bound"] <= 1e-9


@pytest.mark.parametrize("planner", planners())
def test_every_planner(planner, capsys):
    options = ["--horizon", "400"] if planner == "backward_induction" else []
    argv = ["solve", "GridWorld-Book3x3-v0", "--planner", planner, "--gamma", "0.9", "--no-show", *options]
    assert main(argv) == 0
    assert planner in capsys.readouterr().out
    found = result(f"runs/GridWorld-Book3x3-v0/{planner}.json")
    np.testing.assert_allclose(found["value"], [7.29, 8.1, 8, 8.1, 9, 10, 9, 10, 10], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ("CliffWalking-v1 --gamma 1", -13),
        ("Taxi-v4 --gamma 1", 7.93),
        ("windy --gamma 1", -15),
        ("windy-kings --gamma 1", -7),
        ("rlkit:GridWorld-Cliff-v0 --gamma 1", -13),
    ],
)
def test_known_values(words, start, capsys):
    assert main(["solve", *words.split(), "--out", "out"]) == 0
    (path,) = Path("out").glob("*.json")
    assert result(path)["scalars"]["start value"] == pytest.approx(start)
    assert "Traceback" not in capsys.readouterr().out


def test_a_map_of_ones_own(capsys):
    Path("two rooms.txt").write_text("S.#..\n..#..\n....T\n")
    words = [
        "--gamma",
        "1",
        "--arg",
        "target=terminal",
        "--arg",
        "r_step=-1",
        "--arg",
        "start=(0, 1)",
        "--arg=actions=4",
    ]
    assert main(["solve", "two rooms.txt", *words]) == 0
    assert "██" in capsys.readouterr().out
    found = result("runs/two rooms/policy_iteration.json")
    assert found["scalars"]["start value"] == pytest.approx(-3)  # four steps to the target, +1 at the end
    assert found["scalars"]["actions"] == 4


def test_a_large_world_is_told_in_a_few_lines(capsys):
    words = "solve GridWorld-Random-v0 --arg rows=120 --arg cols=90 --gamma 0.99 --arg map_seed=2"
    assert main(words.split()) == 0
    shown = capsys.readouterr().out
    assert "optimal in" in shown
    assert len(shown.splitlines()) < 30
    assert "value" not in result("runs/GridWorld-Random-v0/prioritized_sweeping.json")


def test_a_narrow_terminal_shows_one_action_a_cell(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "44")
    assert main(["solve", "cliff", "--gamma", "1"]) == 0
    shown = capsys.readouterr().out
    assert "│  →  →  →  →  →  →  →  →  →  →  →  ↓ │" in shown


def test_list(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for word in (
        "GridWorld-v0",
        "GridWorld-FourRooms-v0",
        "Taxi-v4",
        "prioritized_sweeping",
        "Zhao algorithm 4.2",
        "│ .XTX.",
    ):
        assert word in shown
    assert main(["list", "agents"]) == 0
    assert "GridWorld" not in capsys.readouterr().out
    assert main(["list", "layouts"]) == 0
    assert "│ .XTX." in capsys.readouterr().out


def test_every_listed_environment_has_a_line_of_its_own_and_a_model(capsys):
    assert main(["list", "envs"]) == 0
    shown = capsys.readouterr().out
    assert "the grid " not in shown  # what a layout without a description would say
    for identity in (identity for identity in gym.registry if identity.startswith("GridWorld-")):
        assert f" {identity} " in shown


def test_report(capsys):
    assert main(["solve", "GridWorld-Book2x2-v0", "--no-show"]) == 0
    capsys.readouterr()
    assert main(["report", "runs", "--title", "two by two"]) == 0
    assert capsys.readouterr().out.strip() == (Path.cwd() / "runs" / "report.html").as_uri()
    page = Path("runs/report.html").read_text(encoding="utf-8")
    assert "two by two" in page
    assert "GridWorld-Book2x2-v0" in page


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rlkit {__version__}\n"
    for argv, words in (
        (["--help"], ("solve", "list", "report", "demo", "Examples")),
        ([], ("solve", "list", "report", "demo", "Examples")),
        (["solve", "--help"], ("ENV", "--gamma", "--arg KEY=VALUE", "rlkit solve four-rooms")),
        (["solve", "--planner", "value_iteration", "--help"], ("--order", "jacobi")),
        (["solve", "--planner=prioritized_sweeping", "--help"], ("--threads",)),
    ):
        with pytest.raises(SystemExit) as stop:
            main(argv)
        assert stop.value.code in {0, None}
        shown = capsys.readouterr().out
        assert all(word in shown for word in words), shown


TWO = "S.#\n.ST\n"
MISTAKES = [
    ("solve FrozenLak-v1", "did you mean FrozenLake-v1"),
    ("solve Taxi-v3", "did you mean Taxi-v4?"),
    ("solve Nothing-v7", "rlkit list envs"),
    ("solve CartPole-v1", "has no model to plan with"),
    ("solve GridWorld-v0 --gamma 1", "use gamma < 1"),
    ("solve GridWorld-v0 --gamma 1.5", "gamma is 1.5; it must lie between 0 and 1"),
    ("solve GridWorld-v0 --gamma abc", "--gamma"),
    ("solve GridWorld-v0 --tolerance 0", "tolerance is 0.0; it must be positive"),
    ("solve NinetyPercent-v0", "P[0][0] sums to 0.9; the probabilities of its outcomes must sum to 1"),
    ("solve two.txt --arg start=single", "the map has 2: (row, col) = (0, 0), (1, 1); keep one S"),
    ("solve GridWorld-v0 --planner dijkstra", "there is no planner 'dijkstra'; the planners are backward_induction"),
    ("solve GridWorld-v0 --planner value_iteration --order zigzag", "gauss-seidel"),
    ("solve GridWorld-v0 --planner", "--planner"),
    ("solve GridWorld-v0 --threads 2", "--threads"),
    ("solve missing.txt", "the map file 'missing.txt' does not exist"),
    ("solve maps/missing", "the map file 'maps/missing' does not exist"),
    ("solve ragged.txt", "map line 2 has 2 cells, the first row has 3"),
    ("solve strange.txt", "map line 1, column 3 holds '?'"),
    ("solve binary.map", "binary.map is not text"),
    ("solve GridWorld-v0 --arg slipp=1", "unexpected keyword argument 'slipp'"),
    ("solve GridWorld-v0 --arg slip=2", "slip is 2; it is a probability"),
    ("solve GridWorld-v0 --arg slip", "is not of the form key=value"),
    ("solve GridWorld-v0 --arg max_episode_steps=0", "(max_episode_steps=0): AssertionError"),
    ("solve FrozenLake-v1 --arg map_name=7x7", "(map_name='7x7'): KeyError: '7x7'"),
    ("solve no.module:World-v0", "the module 'no.module' cannot be imported"),
    ("solve GridWorld-v0 --out two.txt", "two.txt"),
    ("solve", "ENV"),
    ("report missing", "missing is not a directory"),
    ("list planets", "layouts"),
    ("solev", "solve"),
]


@pytest.mark.parametrize(("words", "complaint"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_told_with_its_remedy(words, complaint, capsys):
    Path("two.txt").write_text(TWO)
    Path("ragged.txt").write_text("S.#\n.T\n")
    Path("strange.txt").write_text("S.?\n..T\n")
    Path("binary.map").write_bytes(b"\xff\xfe\x00S")
    try:
        code = main(words.split())
    except SystemExit as stop:  # what tyro does
        code = stop.code
    shown = capsys.readouterr()
    assert code == 2
    flat = " ".join(shown.err.replace("│", " ").split())
    assert complaint in flat, shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_map_error_shows_the_place(capsys):
    Path("two.txt").write_text(TWO)
    assert main(["solve", "two.txt", "--arg", "start=single"]) == 2
    assert capsys.readouterr().err.endswith("    S.#\n    ^\n    .ST\n     ^\n")


def test_as_a_process():
    good = run("solve", "GridWorld-Book2x2-v0")
    assert (good.returncode, good.stderr) == (0, "")
    assert "\x1b" not in good.stdout
    bad = run("solve", "CartPole-v1")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("rlkit: CartPole-v1 has no model")
    assert "Traceback" not in bad.stderr


@pytest.mark.parametrize(
    ("terminal", "display", "words", "opened"),
    [
        (True, True, [], True),
        (True, True, ["--no-browse"], False),
        (True, False, [], False),
        (False, True, [], False),
    ],
)
def test_the_demo_opens_where_someone_can_see_it(monkeypatch, capsys, terminal, display, words, opened):
    seen = []
    monkeypatch.setattr("rlkit.demo.demo", lambda out: out / "report.html")
    monkeypatch.setattr("webbrowser.open", seen.append)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", ":0")
    else:
        monkeypatch.delenv("DISPLAY", raising=False)
    assert main(["demo", "--out", "somewhere", *words]) == 0
    page = (Path.cwd() / "somewhere" / "report.html").as_uri()
    assert page in capsys.readouterr().out
    assert seen == [page] * opened


def test_what_gymnasium_warns_of_is_a_note(capsys):
    assert main(["solve", "FrozenLake", "--no-show"]) == 0
    assert "note: " in capsys.readouterr().err


def test_an_unproven_plan_is_code_1(capsys, monkeypatch):
    monkeypatch.setattr("rlkit.cli.solve.fit", lambda agent: list(agent.updates(2)))
    assert main(["solve", "GridWorld-v0", "--planner", "value_iteration"]) == 1
    assert "above the tolerance" in capsys.readouterr().out
