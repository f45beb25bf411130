"""docs/new_algorithm.md keeps its word: the file in it is short, is found by name, learns, and goes on exactly."""

import re
from pathlib import Path

import numpy as np
import pytest

import rlkit
from rlkit import agents
from tests.test_deep_agents import the_same

PAGE = Path(__file__).parents[1] / "docs" / "new_algorithm.md"
SOURCE = re.search(r"```python file=awr.py\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)[1]


@pytest.fixture
def _found(tmp_path, monkeypatch):
    (tmp_path / "awr.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(agents, "__path__", [*agents.__path__, str(tmp_path)])
    monkeypatch.chdir(tmp_path)


def test_it_is_one_short_file():
    assert SOURCE.count("\n") <= 60


@pytest.mark.usefixtures("_found")
def test_it_is_found_learns_and_goes_on_exactly(capsys):
    from rlkit.cli import main

    assert "awr" in agents.names()
    words = "train awr --env CartPole-v1 --seeds 2 --no-show --out run --steps 1024"
    assert main(words.split()) == 0
    assert "return" in capsys.readouterr().out
    agent = rlkit.make("awr", "CartPole-v1", seed=0)
    for _ in agent.updates(20_480):
        pass
    assert (
        rlkit.evaluate(agent, "CartPole-v1", 10).mean > 60.0
    )  # five seeds got 130 to 500; a policy that learns nothing gets some 10 to 20
    half = rlkit.make("awr", "CartPole-v1", seed=0)
    for _ in half.updates(10_240):
        pass
    rlkit.save(half, "half.npz")
    again = rlkit.make("awr", "CartPole-v1", seed=0)
    rlkit.load(again, "half.npz")
    for _ in again.updates(10_240):
        pass
    assert the_same(agent.state_dict(), again.state_dict())
    assert np.isfinite(agent.state_dict()["policy"]["actor.0.weight"]).all()
