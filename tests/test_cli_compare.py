"""`rlkit compare`: known rankings and intervals, what is written, options for all and for one, and mistakes."""

import json
from pathlib import Path

import pytest

from rlkit.cli import main


@pytest.fixture(autouse=True)
def _terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def cli(words):
    return main(words.split())


def result(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def test_the_cliff(capsys):
    assert cli("compare sarsa q_learning --env CliffWalking-v1 --seeds 8 --steps 30000 --gamma 0.9") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert all(len(line) <= 80 for line in shown.out.splitlines()[:-1])
    assert Path("runs/compare-CliffWalking-v1/comparison.png").read_bytes().startswith(b"\x89PNG")
    found = result("runs/compare-CliffWalking-v1/comparison.json")
    first, second = found["table"]
    best = -(1 - 0.9**13) / 0.1
    assert first["agent"] == "q_learning"  # along the cliff, which is the shortest way
    assert first["final"] == pytest.approx(best)
    assert found["scalars"]["optimum"] == pytest.approx(best)
    assert first["reached"] == first["runs"] == 8
    assert second["final"] < best  # sarsa keeps away from the edge
    assert second["steps"] is None
    assert len(found["curves"]["sarsa"]["steps"]) == len(found["curves"]["sarsa"]["low"]) == 50
    assert cli("compare sarsa q_learning --env CliffWalking-v1 --seeds 2 --steps 500") == 0
    assert Path("runs/compare-CliffWalking-v1-2/comparison.json").exists()


def test_without_a_model_returns_are_compared(capsys):
    assert cli("compare sarsa q_learning --env Blackjack-v1 --seeds 2 --steps 1000 --out out") == 0
    found = result("out/comparison.json")
    assert found["scalars"]["metric"] == "return"
    assert found["scalars"]["optimum"] is None
    assert [row["reached"] for row in found["table"]] == [-1, -1]
    assert " of 2" not in capsys.readouterr().out


def test_prediction_is_ranked_by_its_error():
    words = "compare td0 n_step_td --env FrozenLake-v1 --seeds 2 --steps 1000 --out out --set td0.alpha=1/n"
    assert cli(words) == 0
    found = result("out/comparison.json")
    assert found["scalars"]["metric"] == "rmse"
    finals = [row["final"] for row in found["table"]]
    assert finals == sorted(finals)


def test_agents_of_both_kinds_share_the_return():
    assert cli("compare td0 sarsa --env FrozenLake-v1 --seeds 2 --steps 1000 --out out") == 0
    assert result("out/comparison.json")["scalars"]["metric"] == "return"


def test_options_for_all_and_for_one():
    words = "compare sarsa q_learning --env FrozenLake-v1 --seeds 2 --steps 3000 --metric return --out"
    assert main([*words.split(), "plain"]) == 0
    assert main([*words.split(), "one", "--set", "sarsa.alpha=0.5"]) == 0
    assert main([*words.split(), "all", "--set", "alpha=linear(0.5, 0.1, 100)"]) == 0
    plain, one, every = (result(f"{name}/comparison.json")["curves"] for name in ("plain", "one", "all"))
    assert plain["q_learning"] == one["q_learning"]
    assert plain["sarsa"] != one["sarsa"]
    assert plain["q_learning"] != every["q_learning"]


MISTAKES = [
    ("compare", "say which agents"),
    ("compare sarsa q_lerning", "did you mean q_learning"),
    ("compare sarsa value_iteration", "use `rlkit solve"),
    ("compare sarsa sarsa", "an agent is named twice"),
    ("compare sarsa --env CartPole-v1", "a tabular agent needs finitely many"),
    ("compare sarsa --steps 0", "--steps is 0"),
    ("compare sarsa --seeds 0", "seeds is 0"),
    ("compare sarsa --metric score", "--metric"),
    ("compare sarsa --set colour=red", "there is no option 'colour'"),
    ("compare sarsa --set q_learning.alpha=1", "which is not compared"),
    ("compare sarsa --set alpha", "is not of the form KEY=VALUE"),
    ("compare sarsa --set alpha=7", "alpha is 7"),
    ("compare sarsa --metric rmse --steps 100 --seeds 2", "sarsa does not report 'rmse' here"),
    ("compare sarsa --metric return --steps 100 --seeds 2", "no episode ended"),
    ("compare sarsa --out .", "exists and is not empty"),
]


@pytest.mark.parametrize(("words", "complaint"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_told_with_its_remedy(words, complaint, capsys):
    Path("something").write_text("")
    try:
        code = cli(words)
    except SystemExit as stop:  # what tyro does
        code = stop.code
    shown = capsys.readouterr()
    assert code == 2
    assert complaint in " ".join(shown.err.replace("│", " ").split()), shown.err
    assert shown.out == ""
    assert not Path("runs").exists()
