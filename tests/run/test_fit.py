"""`fit`: it drains the updates, stops when the agent does, keeps checkpoints, and is quiet off a terminal."""

import numpy as np
import pytest

import rlkit
from rlkit.run import fit as fit_module
from rlkit.run.checkpoint import read


def test_a_planner_runs_until_it_is_done():
    agent = rlkit.make("value_iteration", "GridWorld-v0")
    reports = rlkit.fit(agent)
    assert [report.step for report in reports] == list(range(1, len(reports) + 1))
    assert reports[-1].scalars["bound"] <= 1e-6
    assert agent.converged
    assert rlkit.fit(agent) == []


def test_steps_are_counted_and_add_up():
    agent = rlkit.make("value_iteration", "GridWorld-v0")
    whole = rlkit.fit(rlkit.make("value_iteration", "GridWorld-v0"))
    assert rlkit.fit(agent, 7) + rlkit.fit(agent, 1) + rlkit.fit(agent) == whole


def test_fit_is_the_loop_in_the_users_own_hands():
    agent, other = (rlkit.make("truncated_policy_iteration", "FrozenLake-v1", gamma=0.99) for _ in range(2))
    assert rlkit.fit(agent) == list(other.updates(10**9))
    np.testing.assert_array_equal(agent.v, other.v)


def test_a_checkpoint_is_kept_at_the_end_and_on_the_way(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    saved = []
    monkeypatch.setattr(fit_module, "save", lambda agent, _: saved.append(agent.step))
    agent = rlkit.make("value_iteration", "GridWorld-v0")
    rlkit.fit(agent, 5, checkpoint=path, every=1e-9)
    assert saved == [1, 2, 3, 4, 5, 5]
    monkeypatch.undo()
    rlkit.fit(agent, 3, checkpoint=path)
    assert read(path).state["step"] == 8


def test_nothing_is_printed_off_a_terminal(capfd):
    rlkit.fit(rlkit.make("value_iteration", "GridWorld-v0"))
    assert capfd.readouterr() == ("", "")


def test_what_makes_no_sense_is_named():
    agent = rlkit.make("value_iteration", "GridWorld-v0")
    with pytest.raises(ValueError, match="steps is 0"):
        rlkit.fit(agent, 0)
    with pytest.raises(ValueError, match=r"every is -1"):
        rlkit.fit(agent, every=-1)
