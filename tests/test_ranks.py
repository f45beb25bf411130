"""Two processes, as torchrun starts them, learn what one would with the joint batch; the first writes, for however many go on."""

from collections.abc import Mapping

import numpy as np
import pytest

from rlkit.cli import main
from rlkit.run import ranks
from rlkit.run.checkpoint import load, read
from rlkit.run.log import read_log
from tests.ranks_worker import STEPS, TOGETHER, TRAIN, trained
from tests.together import two


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder in which two processes have trained."""
    folder = tmp_path_factory.mktemp("together")
    two("tests.ranks_worker", str(folder), limit=120)
    return folder


def alike(left, right):
    """Whether two states are equal within 1e-6."""
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(alike(left[key], right[key]) for key in left)
    if isinstance(left, np.ndarray) and left.dtype.kind == "f":
        return left.shape == right.shape and np.abs(left - right).max(initial=0.0) <= 1e-6
    return np.array_equal(left, right)


def agree(theirs, mine):
    """Whether two agents are alike, but for worlds that waited for the longest episode of their process, and begin anew."""
    return alike(*({key: value for key, value in state.items() if key != "sampler"} for state in (theirs, mine)))


@pytest.mark.parametrize("name", TOGETHER)
def test_two_processes_learn_what_one_would(together, name):
    agent = trained(name)
    assert agree(read(together / f"{name}.npz").state, agent.state_dict())


@pytest.mark.parametrize("name", TOGETHER)
def test_one_process_goes_on_where_two_stopped(together, name):
    agent = trained(name, 1)
    load(agent, together / f"{name}.npz")
    for _ in agent.updates(STEPS):
        pass
    assert agree(read(together / f"{name}-twice.npz").state, agent.state_dict())


def test_the_command_line_writes_one_run(together, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*TRAIN.split(), "512"]) == 0
    mine, theirs = (folder / "runs" / "ppo-CartPole-v1-0" for folder in (tmp_path, together))
    assert [path.name for path in (together / "runs").iterdir()] == ["ppo-CartPole-v1-0"]
    assert alike(read(theirs / "checkpoint.npz").state["policy"], read(mine / "checkpoint.npz").state["policy"])
    assert [line.report.step for line in read_log(theirs)][-1] == 512
    capsys.readouterr()
    assert main(["eval", str(theirs), "--episodes", "2"]) == 0
    assert "return" in capsys.readouterr().out


def test_what_learns_alone_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="q_learning learns in one process; start it without torchrun"):
        ranks.check_joined("q_learning")


def test_alone_nothing_is_asked(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    ranks.check_joined("q_learning")
    assert ranks.writes()
    assert not ranks.anywhere(False)
    assert ranks.first("word") == "word"
    ranks.leave()
