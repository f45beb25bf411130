"""Run directories: they say what runs, refuse to be overwritten, and go on to the numbers of a run that never stopped."""

import json

import numpy as np
import pytest

import rlkit
from rlkit.run.checkpoint import read
from rlkit.run.directory import CHECKPOINT, CONFIG, Run, is_run, new_folder, read_run
from rlkit.run.log import read_log


def agent(alpha=0.1, **config):
    return rlkit.make("q_learning", "FrozenLake-v1", alpha=alpha, seeds=2, report=100, **config)


def logged(folder):
    return [(line.report.step, repr(line.report.scalars), repr(line.report.each)) for line in read_log(folder)]


def test_fit_writes_a_directory(tmp_path):
    out = tmp_path / "deep" / "run"
    learner = agent(alpha=0.2)
    reports = rlkit.fit(learner, 500, out=out, origin={"env": "FrozenLake-v1", "seed": 0})
    assert (
        [line.report.step for line in read_log(out)] == [report.step for report in reports] == [100, 200, 300, 400, 500]
    )
    run = read_run(out)
    assert (run.agent, run.env, run.steps, run.config["alpha"]) == ("q_learning", "FrozenLake-v1", 500, 0.2)
    assert run.versions["rlkit"] == rlkit.__version__
    assert is_run(out)
    assert not is_run(tmp_path)
    np.testing.assert_array_equal(read(out / CHECKPOINT).state["memory"]["q"], learner.values)


def test_a_directory_is_never_overwritten(tmp_path):
    rlkit.fit(agent(), 100, out=tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(ValueError, match="exists and is not empty"):
        rlkit.fit(agent(), 100, out=tmp_path / "run")
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="exists and is not empty"):
        rlkit.fit(agent(), 100, out=tmp_path / "file")


def test_a_new_folder_is_made_each_time(tmp_path):
    made = [new_folder(tmp_path / "deep", "run") for _ in range(3)]
    assert [path.name for path in made] == ["run", "run-2", "run-3"]
    assert all(path.is_dir() for path in made)


@pytest.mark.parametrize("engine", ["compiled", "stepped"])
def test_resumed_equals_never_stopped(tmp_path, engine):
    whole = agent(engine=engine)
    rlkit.fit(whole, 1000, out=tmp_path / "whole")
    rlkit.fit(agent(engine=engine), 300, out=tmp_path / "part")
    second = agent(engine=engine)
    reports = rlkit.fit(second, 700, out=tmp_path / "part", resume=True)
    assert [report.step for report in reports] == [400, 500, 600, 700, 800, 900, 1000]
    np.testing.assert_array_equal(whole.values, second.values)
    assert logged(tmp_path / "whole") == logged(tmp_path / "part")


def test_reports_beyond_the_checkpoint_are_made_again(tmp_path):
    out = tmp_path / "run"
    rlkit.fit(agent(), 300, out=out)
    old = (out / CHECKPOINT).read_bytes()
    rlkit.fit(agent(), 300, out=out, resume=True)
    whole = logged(out)
    (out / CHECKPOINT).write_bytes(old)  # as if the process had died before it could save
    rlkit.fit(agent(), 300, out=out, resume=True)
    assert logged(out) == whole


class Broken:
    """An agent that breaks at a step, and whose reports cost next to nothing."""

    def __init__(self, inner, at):
        self.inner, self.at, self.config = inner, at, inner.config

    def state_dict(self):
        return self.inner.state_dict()

    def updates(self, steps):
        for report in self.inner.updates(steps):
            if report.step > self.at:
                raise RuntimeError("broken")
            yield report


def test_what_breaks_leaves_a_checkpoint_to_go_on_from(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(RuntimeError, match="broken"):
        rlkit.fit(Broken(agent(), 600), 1000, out=out, every=1e-9)
    assert read(out / CHECKPOINT).state["step"] == 600
    second = agent()
    rlkit.fit(second, 400, out=out, resume=True)
    whole = agent()
    rlkit.fit(whole, 1000)
    np.testing.assert_array_equal(whole.values, second.values)


def test_even_what_breaks_at_once_can_go_on(tmp_path):
    with pytest.raises(RuntimeError, match="broken"):
        rlkit.fit(Broken(agent(), 0), 1000, out=tmp_path / "run")
    assert read(tmp_path / "run" / CHECKPOINT).state["step"] == 0


def test_what_cannot_go_on_is_named(tmp_path):
    with pytest.raises(ValueError, match="holds no run of rlkit"):
        rlkit.fit(agent(), 100, out=tmp_path, resume=True)
    with pytest.raises(ValueError, match="resume needs out"):
        rlkit.fit(agent(), 100, resume=True)
    rlkit.fit(agent(), 100, out=tmp_path / "run")
    with pytest.raises(ValueError, match=r"alpha is 0.1 in .* and 0.3 in the agent"):
        rlkit.fit(agent(alpha=0.3), 100, out=tmp_path / "run", resume=True)
    with pytest.raises(ValueError, match="holds a q_learning, not a sarsa"):
        rlkit.fit(rlkit.make("sarsa", "FrozenLake-v1"), 100, out=tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "does not describe a run"),
        ("[]", "does not describe a run"),
        ('{"agent": "q_learning"}', "does not describe a run"),
        ('{"agent": "q_learning", "config": {}, "arg": [], "colour": 1}', "colour"),
        ('{"agent": "q_learning", "config": {}, "arg": [], "kind": "comparison"}', "describes a comparison"),
    ],
)
def test_a_broken_config_is_named(tmp_path, content, complaint):
    rlkit.fit(agent(), 100, out=tmp_path / "run")
    (tmp_path / "run" / CONFIG).write_text(content)
    with pytest.raises(ValueError, match=complaint):
        read_run(tmp_path / "run")


def test_config_is_json_that_gives_the_run_back(tmp_path):
    rlkit.fit(agent(), 100, out=tmp_path / "run", origin={"env": "FrozenLake-v1", "arg": ("is_slippery=True",)})
    words = json.loads((tmp_path / "run" / CONFIG).read_text())
    assert Run(**{**words, "arg": tuple(words["arg"])}) == read_run(tmp_path / "run")
