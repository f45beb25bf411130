"""The command line with deep agents: train, go on, evaluate, compare; and every mistake's message."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rlkit.cli import main
from rlkit.run.checkpoint import read
from rlkit.run.log import read_log

SMALL = "--envs 2 --segment 16 --hidden 8 --no-show"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def cli(words):
    """Run the command line in this process."""
    return main(words.split())


def told(folder):
    return [(line.report.step, repr(line.report)) for line in read_log(folder)]


def test_a_training_goes_on_and_is_played(capsys):
    words = f"train ppo --env CartPole-v1 --epochs 1 --lr linear(0.001,0) --seeds 2 --report 64 {SMALL}"
    assert cli(f"{words} --steps 640 --out whole") == 0
    shown = capsys.readouterr()
    assert "8 on cpu, 2 environments" in shown.out
    assert "2 runs of 640" in shown.out
    assert json.loads(Path("whole/config.json").read_text())["config"]["horizon"] == 640
    assert cli(f"{words} --horizon 640 --steps 256 --out part") == 0
    assert cli("train --resume part --steps 640 --no-show") == 0
    assert told("whole") == told("part")
    one, other = (read(Path(folder) / "checkpoint.npz").state["runs"]["1"] for folder in ("whole", "part"))
    assert np.array_equal(one["optimizer"]["mean"], other["optimizer"]["mean"])
    capsys.readouterr()
    assert cli("eval whole --episodes 3") == 0
    assert "return" in capsys.readouterr().out


def test_an_episode_is_filmed(capsys):
    assert cli("train q_learning --env GridWorld-v0 --arg max_episode_steps=5 --steps 200 --out run --no-show") == 0
    assert cli("eval run --episodes 2 --video") == 0
    assert "run/video.gif, 6 frames" in capsys.readouterr().out
    with Image.open("run/video.gif") as film:
        assert film.n_frames >= 2  # frames that are alike are one that stays longer
        assert film.info["duration"] in range(100, 1000)
    assert cli("train qac --env Blackjack-v1 --steps 64 --out cards --no-show --hidden 8") == 0
    assert cli("eval cards --episodes 2 --video") == 0
    assert cli("train q_learning --env Bandit-v0 --steps 64 --out blind --no-show") == 0
    capsys.readouterr()
    assert cli("eval blind --episodes 2 --video") == 2
    assert "render_mode" in capsys.readouterr().err


def test_agents_are_compared(capsys):
    assert cli("compare ppo a2c --env CartPole-v1 --seeds 2 --steps 512 --set envs=2 --set segment=16 --out both") == 0
    shown = capsys.readouterr().out
    assert "2 runs of 512 steps" in shown
    assert {row["agent"] for row in json.loads(Path("both/comparison.json").read_text())["table"]} == {"ppo", "a2c"}


def test_the_agents_with_networks_are_listed(capsys):
    assert cli("list agents") == 0
    assert "Schulman" in capsys.readouterr().out


MISTAKES = [
    ("train ppo --lr fast", "lr is 'fast'"),
    ("train ppo --gamma 2", "gamma is 2.0"),
    ("train ppo --segment 0", "segment is 0"),
    ("train ppo --lam 1.5", "lam is 1.5"),
    ("train ppo --device abacus", "device is 'abacus'"),
    ("train ppo --vector native --env Blackjack-v1", "vector is 'native'"),
    ("train ppo --activation step", "--activation"),
    ("train ppo --hidden 0", "hidden is (0,)"),
    ("train a2c --lr 1/n", "a net has no visits to count"),
]


@pytest.mark.parametrize(("words", "complaint"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_told_with_its_remedy(words, complaint, capsys):
    try:
        code = cli(words)
    except SystemExit as stop:  # what tyro does
        code = stop.code
    shown = capsys.readouterr()
    assert code == 2
    assert complaint in " ".join(shown.err.replace("│", " ").split()), shown.err
    assert "Traceback" not in shown.err
    assert not Path("runs").exists()
