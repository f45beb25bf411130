"""Checkpoints: to stop, save, load and go on is the same as never to stop, to the last bit; no file executes code."""

import json
import pickle
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.run import checkpoint

PLANNERS: list[tuple[str, dict[str, Any]]] = [
    ("value_iteration", {}),
    ("value_iteration", {"order": "gauss-seidel"}),
    ("value_iteration", {"order": "red-black"}),
    ("value_iteration", {"order": "random"}),
    ("value_iteration", {"stop": "span"}),
    ("truncated_policy_iteration", {}),
    ("policy_iteration", {}),
    ("inexact_policy_iteration", {}),
    ("prioritized_sweeping", {"passes": 2}),
    ("linear_programming", {}),
    ("backward_induction", {"horizon": 30}),
]


@dataclass(frozen=True)
class Config:
    """A configuration of no planner."""

    alpha: float = 0.5


@dataclass(frozen=True)
class Bare:
    """A configuration with a field that has no default."""

    alpha: float


class Keeper:
    """An agent that is nothing but its state."""

    def __init__(self, state, config=None):
        self.config = config or Config()
        self.state = state

    def act(self, obs, *, explore=False):  # noqa: ARG002 - the protocol's signature
        return 0

    def updates(self, steps):
        yield from [rlkit.Report(k, {}) for k in range(steps)]

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


def maze():
    return gym.make("GridWorld-Random-v0", rows=20, cols=23, slip=0.2, map_seed=3, r_step=-0.01)


WORLDS = ["FrozenLake8x8-v1", "GridWorld-v0", "maze"]
CASES = [(name, options, world) for name, options in PLANNERS for world in WORLDS]


@pytest.mark.parametrize(("name", "options", "world"), CASES)
def test_going_on_is_never_having_stopped(name, options, world, tmp_path):
    env = maze() if world == "maze" else gym.make(world)
    config = {"gamma": 0.97, **options}
    through = rlkit.make(name, env, seed=5, **config)
    reports = rlkit.fit(through)
    stopped = rlkit.make(name, env, seed=5, **config)
    before = rlkit.fit(stopped, max(1, len(reports) // 2))
    path = rlkit.save(stopped, tmp_path / "agent.npz")
    resumed = rlkit.make(name, env, seed=5, **config)
    rlkit.load(resumed, path)
    after = rlkit.fit(resumed)
    np.testing.assert_array_equal(resumed.v, through.v)
    np.testing.assert_array_equal(resumed.policy, through.policy)
    assert before + after == reports


def test_states_come_back_with_their_types(tmp_path):
    state = {
        "array": np.arange(6, dtype=np.int32).reshape(2, 3),
        "empty": np.zeros((0, 3)),
        "float": 0.1,
        "not finite": [np.inf, -np.inf][0],
        "whole": 2**127 + 1,  # as the state of a numpy generator
        "yes": True,
        "none": None,
        "text": "π",
        "scalar": np.float32(0.1),
        "generator": np.random.default_rng(3).bit_generator.state,
    }
    checkpoint.save(Keeper(state), tmp_path / "a.npz")
    other = Keeper({})
    checkpoint.load(other, tmp_path / "a.npz")
    np.testing.assert_array_equal(other.state.pop("array"), state.pop("array"))
    assert other.state.pop("empty").shape == state.pop("empty").shape
    assert other.state == state
    assert {key: type(value) for key, value in other.state.items()} == {key: type(v) for key, v in state.items()}


def test_keys_that_look_alike_keep_their_arrays(tmp_path):
    state = {"a.b": np.array(1.0), "a": {"b": np.array(2.0), "b'": np.array(3.0)}, "a.b'": np.array(4.0)}
    checkpoint.save(Keeper(state), tmp_path / "a.npz")
    assert checkpoint.read(tmp_path / "a.npz").state == state
    with pytest.raises(ValueError, match=r"state\.x has the key 1; the keys of a checkpoint are text"):
        checkpoint.save(Keeper({"x": {1: 0.0, "1": 1.0}}), tmp_path / "b.npz")


def test_nan_comes_back(tmp_path):
    checkpoint.save(Keeper({"x": float("nan")}), tmp_path / "a.npz")
    assert np.isnan(checkpoint.read(tmp_path / "a.npz").state["x"])


def test_the_header_names_the_agent_and_its_configuration(tmp_path):
    path = rlkit.save(rlkit.make("value_iteration", "GridWorld-v0", gamma=0.8), tmp_path / "a.npz")
    found = checkpoint.read(path)
    assert found.agent == "value_iteration"
    assert found.config == {"gamma": 0.8, "tolerance": 1e-6, "order": "jacobi", "stop": "sup"}


def test_what_a_checkpoint_cannot_hold_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"state\.inner\.x is a set"):
        checkpoint.save(Keeper({"inner": {"x": {1}}}), tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"state\.x is a ndarray"):
        checkpoint.save(Keeper({"x": np.array([{}])}), tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_another_agent_or_configuration_is_refused(tmp_path):
    path = rlkit.save(rlkit.make("value_iteration", "GridWorld-v0"), tmp_path / "a.npz")
    with pytest.raises(ValueError, match="holds a value_iteration, not a policy_iteration"):
        rlkit.load(rlkit.make("policy_iteration", "GridWorld-v0"), path)
    with pytest.raises(ValueError, match=r"gamma is 0\.9 in .* and 0\.5 in the agent"):
        rlkit.load(rlkit.make("value_iteration", "GridWorld-v0", gamma=0.5), path)
    with pytest.raises(ValueError, match="the saved plan has 25 states"):
        rlkit.load(rlkit.make("value_iteration", "FrozenLake-v1"), path)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    agent = rlkit.make("value_iteration", "GridWorld-v0")
    whole = rlkit.save(agent, tmp_path / "a.npz").read_bytes()
    (tmp_path / "short.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", v=np.zeros(25))
    for name, complaint in (("short", "cut short"), ("text", "not a checkpoint"), ("other", "no header")):
        with pytest.raises(ValueError, match=complaint):
            rlkit.load(agent, tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError):
        rlkit.load(agent, tmp_path / "missing.npz")


class Bomb:
    """Would run when unpickled."""

    def __reduce__(self):
        return print, ("executed",)


def test_reading_never_executes_code(tmp_path, capsys):
    path = rlkit.save(rlkit.make("value_iteration", "GridWorld-v0"), tmp_path / "a.npz")
    with np.load(path) as content:
        arrays = dict(content)
    arrays["state.v"] = np.array([Bomb()], object)
    np.savez(tmp_path / "evil.npz", **arrays)
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Bomb()))
    for name in ("evil", "pickle"):
        with pytest.raises(ValueError, match=r"pickle|not a checkpoint"):
            checkpoint.read(tmp_path / f"{name}.npz")
    assert "executed" not in capsys.readouterr().out


def test_a_later_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    path = checkpoint.save(Keeper({}), tmp_path / "a.npz")
    monkeypatch.undo()
    with pytest.raises(ValueError, match="has format 2; this version of rlkit reads 1"):
        checkpoint.read(path)


def older(path, **changes):
    """Rewrite a checkpoint's header as an older version would have written it: without a field, or with one that is gone."""
    with np.load(path, allow_pickle=False) as content:
        arrays = dict(content)
    header = json.loads(arrays.pop("header").tobytes())
    for name, value in changes.items():
        header["config"].pop(name, None)
        if value is not None:
            header["config"][name] = value
    np.savez(path, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)


def test_a_field_that_came_later_counts_as_its_default(tmp_path):
    agent = rlkit.make("q_learning", "GridWorld-v0", seed=1)
    through = [report.scalars for report in agent.updates(400)]
    path = rlkit.save(agent, tmp_path / "a.npz")
    older(path, epsilon=None)
    assert "epsilon" not in checkpoint.read(path).config
    again = rlkit.make("q_learning", "GridWorld-v0", seed=1)
    rlkit.load(again, path)
    assert [r.scalars for r in again.updates(400)] == [r.scalars for r in agent.updates(400)] != through
    other = rlkit.make("q_learning", "GridWorld-v0", seed=1, epsilon=0.77)
    with pytest.raises(ValueError, match=r"epsilon is .* in .* and .*0\.77.* in the agent"):
        rlkit.load(other, path)


def test_a_field_that_is_gone_is_told(tmp_path):
    agent = rlkit.make("value_iteration", "GridWorld-v0")
    path = rlkit.save(agent, tmp_path / "a.npz")
    older(path, sparkle=3)
    with pytest.raises(ValueError, match=r"saved with sparkle = 3, which this version's value_iteration does not have"):
        rlkit.load(agent, path)


def test_a_field_without_a_default_must_be_there(tmp_path):
    path = checkpoint.save(Keeper({}, Bare(2.0)), tmp_path / "a.npz")
    older(path, alpha=None)
    with pytest.raises(ValueError, match=r"alpha is None in .* and 2\.0 in the agent"):
        checkpoint.load(Keeper({}, Bare(2.0)), path)
