"""`rlkit tune` and `--preset`: a search that is kept and gone on with, its best used in training, and mistakes."""

import json
import tomllib
from pathlib import Path

import pytest

from rlkit.cli import main


@pytest.fixture(autouse=True)
def _terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def cli(words):
    return main(words.split())


def test_a_search_whose_best_is_trained_with(capsys):
    words = "tune q_learning --env CliffWalking-v1 --gamma 1 --runs 2 --steps 4000 --search alpha=0.1,1.0 --out out"
    assert cli(f"{words} --trials 4") == 0
    assert "the best of" in capsys.readouterr().out
    best = tomllib.loads(Path("out/best.toml").read_text())["CliffWalking-v1"]
    assert best == {"agent": "q_learning", "steps": 4000, "gamma": 1.0, "alpha": 1.0}  # nothing is random in this world
    assert cli(f"{words} --trials 6") == 0
    assert "    6" in capsys.readouterr().out
    assert cli(f"{words} --trials 6 --epsilon 0.2") == 2
    assert "ask for the same" in capsys.readouterr().err
    assert cli("train q_learning --env CliffWalking-v1 --preset out/best.toml --epsilon 0.3 --out run --no-show") == 0
    run = json.loads(Path("run/config.json").read_text())
    assert run["steps"] == 4000
    assert (run["config"]["alpha"], run["config"]["epsilon"]) == (1.0, 0.3)


def test_a_preset_is_that_of_the_environment(capsys):
    assert cli("train q_learning --env CliffWalking-v1 --out run --no-show --preset") == 0
    run = json.loads(Path("run/config.json").read_text())
    assert run["config"]["gamma"] == 1.0
    assert "-13" in capsys.readouterr().out
    assert cli("train q_learning --env Blackjack-v1 --preset --no-show") == 2
    assert "no preset 'Blackjack-v1'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("tune", "whom to tune"),
        ("tune sarsa --trials 0", "--trials is 0"),
        ("tune sarsa --search alpha=3", "no choice"),
        ("tune td0 --env Blackjack-v1 --trials 1 --steps 100", "nobody knows the true values"),
        ("tune value_iteration", "plans with the model"),
    ],
)
def test_mistakes(capsys, words, message):
    assert cli(words) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
