"""A folder beside a checkpoint: of one moment with it, wherever a run died, and found again under its name."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from rlkit.run import beside, checkpoint
from rlkit.run.beside import Beside, Folder


@dataclass(frozen=True)
class Config:
    """Of no agent."""


class Speaker:
    """An agent whose model is one number, in a folder, and whose state has another, in the file."""

    def __init__(self, number=0.0):
        self.config, self.number = Config(), number

    def state_dict(self):
        return {"step": 1, "net": {"x": np.array([self.number])}, "beside": self.number}

    def views(self):
        return {**self.state_dict(), "net": Beside("model", self._write)}

    def load_state_dict(self, state):
        self.number = float(state["net"]["x"][0])
        assert state["beside"] == self.number  # both are of one moment

    def _write(self, folder):
        save_file({"x": np.array([self.number])}, folder / "model.safetensors")
        (folder / "config.json").write_text("{}")


def of(path):
    found = Speaker(-1.0)
    checkpoint.load(found, path)
    return found.number


def test_it_stands_beside_its_checkpoint_and_comes_back(tmp_path):
    path = checkpoint.save(Speaker(3.0), tmp_path / "checkpoint.npz")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.npz", "model"]
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]
    modes = {p.stat().st_mode for p in (tmp_path / "model").iterdir()}
    assert len(modes) == 1
    assert of(path) == 3.0
    found = checkpoint.read(path).state["net"]
    assert isinstance(found, Folder)
    assert dict(found) == {"x": np.array([3.0])}
    assert len(found) == 1
    with np.load(path) as content:
        assert content.files == ["header"]  # nothing is written twice


def test_checkpoints_in_one_folder_do_not_share_theirs(tmp_path):
    paths = [checkpoint.save(Speaker(float(i)), tmp_path / f"{i}.npz") for i in range(3)]
    assert [of(path) for path in paths] == [0.0, 1.0, 2.0]
    assert (tmp_path / "1-model").is_dir()


@pytest.mark.parametrize("broken", ["draft", "commit", "settle", "half"])
def test_wherever_a_run_dies_the_checkpoint_and_its_folder_are_of_one_moment(tmp_path, monkeypatch, broken):
    path = checkpoint.save(Speaker(1.0), tmp_path / "checkpoint.npz")

    def dies(*_, **__):
        raise KeyboardInterrupt

    agent, expected = Speaker(2.0), 1.0
    if broken == "draft":
        agent._write = dies
    elif broken == "commit":
        monkeypatch.setattr(checkpoint.np, "savez", dies)
    elif broken == "settle":
        monkeypatch.setattr(beside, "settle", dies)
        expected = 2.0
    else:
        monkeypatch.setattr(beside.shutil, "rmtree", lambda place, **_: dies() if (place / "mark").exists() else None)
        expected = 2.0
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(agent, path)
    monkeypatch.undo()
    assert of(path) == expected
    assert of(path) == expected
    checkpoint.save(Speaker(5.0), path)
    assert of(path) == 5.0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.npz", "model"]


def test_a_folder_that_is_gone_is_named_and_the_step_can_be_read_all_the_same(tmp_path):
    path = checkpoint.save(Speaker(3.0), tmp_path / "checkpoint.npz")
    for file in (tmp_path / "model").iterdir():
        file.unlink()
    (tmp_path / "model").rmdir()
    with pytest.raises(ValueError, match=r"model is missing; it belongs to .*checkpoint.npz"):
        checkpoint.read(path)
    assert checkpoint.read(path, ["step"]).state == {"step": 1}


def test_an_agent_without_such_parts_is_written_as_ever(tmp_path):
    plain = SimpleNamespace(config=Config(), state_dict=lambda: {"step": 0, "x": np.arange(3)})
    path = checkpoint.save(plain, tmp_path / "checkpoint.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.npz"]
    with np.load(path) as content:
        assert json.loads(content["header"].tobytes())["mark"] == ""
