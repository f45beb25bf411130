"""What holds for every deep agent: it climbs the ladder of probes, goes on exactly where it stopped, and refuses bad input."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import rlkit
from rlkit.run.checkpoint import read
from tests.deep_cases import CASES, RESUMES
from tests.ladder import ACTIONS, GAMMA, VALUES, Rung, Sick

ROOT = Path(__file__).parents[1]
AGENTS = sorted({case.agent for case in CASES})
HIGHEST = (
    "delayed",
    "both",
    "endless",
)  # who stands on these has climbed the others, which say what is wrong with who does not
RUNGS = [rung if rung in HIGHEST else pytest.param(rung, marks=pytest.mark.slow) for rung in VALUES]


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.agent)
def test_it_climbs_the_ladder(case, rung):
    env = Rung(rung, continuous=case.continuous)
    agent = rlkit.make(case.agent, env, seed=0, **{**case.config, "gamma": GAMMA})
    for _ in agent.updates(case.steps):
        pass
    slack = 0.02 if rung == "endless" else 0.05
    for obs, value in VALUES[rung].items():
        assert case.value is None or case.value(agent, [obs]) == pytest.approx(value, rel=slack, abs=slack), obs
    for obs, best in ACTIONS.get(rung, {}).items():
        action = agent.act(np.array([obs], np.float32))
        assert action == best if not case.continuous else abs(float(action[0]) - (2 * best - 1)) < 0.1


def the_same(left, right):
    """Whether two states are equal to the last bit."""
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(the_same(left[key], right[key]) for key in left)
    return np.array_equal(left, right)


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A folder with every training of RESUMES stopped half way, and taken to its end by another process."""
    folder = tmp_path_factory.mktemp("resumed")
    for name, case in RESUMES.items():
        agent = rlkit.make(case.agent, case.env(), seed=1, **case.config)
        for _ in agent.updates(case.steps):
            pass
        rlkit.save(agent, folder / f"{name}.npz")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "tests.resume_worker", str(folder)],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return folder


@pytest.mark.parametrize("name", RESUMES)
def test_going_on_in_a_new_process_equals_never_stopped(resumed, name):
    case = RESUMES[name]
    agent = rlkit.make(case.agent, case.env(), seed=1, **case.config)
    for _ in agent.updates(2 * case.steps):
        pass
    whole = read(rlkit.save(agent, resumed / f"{name}-whole.npz"))
    assert the_same(whole.state, read(resumed / f"{name}-resumed.npz").state)
    assert not the_same(whole.state, read(resumed / f"{name}.npz").state)


@pytest.mark.parametrize("name", RESUMES)
def test_acting_leaves_learning_as_it_is(resumed, name):
    case = RESUMES[name]
    agent = rlkit.make(case.agent, case.env(), seed=1, **case.config)
    before = read(resumed / f"{name}.npz").state
    agent.load_state_dict(before)
    env = case.env()
    obs, info = env.reset(seed=0)
    if "action_mask" not in info:
        for explore in (True, False):
            assert env.action_space.contains(agent.act(obs, explore=explore))
    assert the_same(agent.state_dict(), before)


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("where", ["reward", "observation"])
def test_what_is_no_number_is_named_with_its_step_and_environment(name, where):
    continuous = next(case.continuous for case in CASES if case.agent == name)
    env = Sick(where)
    env.action_space = spaces.Box(-1, 1, (1,)) if continuous else env.action_space
    agent = rlkit.make(name, env, envs=2, **({"group": 2} if name == "grpo" else {}))
    with pytest.raises(
        ValueError, match=r"nan.*(environment \d.*step 5|step 5.*environment \d)|environment \d.*step 5.*nan"
    ):
        for _ in agent.updates(10_000):
            pass


@pytest.mark.parametrize("name", AGENTS)
def test_spaces_that_it_cannot_use_are_refused(name):
    class Odd(Sick):
        def __init__(self, observation, action):
            super().__init__("reward")
            self.observation_space, self.action_space = observation, action

    numbers = spaces.Box(-1, 1, (2,))
    for observation, action in ((spaces.Text(3), spaces.Discrete(2)), (numbers, spaces.Text(3))):
        with pytest.raises(ValueError, match="Text"):
            rlkit.make(name, Odd(observation, action))
    with pytest.raises(ValueError, match="vector of environments"):
        rlkit.make(name, gym.make_vec("CartPole-v1", 2, vectorization_mode="sync"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("gamma", 1.5), ("envs", 0), ("seeds", 0), ("device", "abacus"), ("lr", "fast"), ("vector", "sideways")],
)
@pytest.mark.parametrize("name", AGENTS)
def test_a_bad_field_is_named(name, field, value):
    env = Rung("both", continuous=next(case.continuous for case in CASES if case.agent == name))
    with pytest.raises(ValueError, match=f"{field}.* is .*{value}"):
        rlkit.make(name, env, **{field: value})


def test_a_checkpoint_of_another_agent_or_cut_short_is_refused_and_nothing_is_lost(resumed, tmp_path):
    case = RESUMES["ppo-native"]
    agent = rlkit.make(case.agent, case.env(), seed=1, **case.config)
    before = agent.state_dict()
    other = rlkit.make("q_learning", "FrozenLake-v1")
    with pytest.raises(ValueError, match="holds a q_learning, not a ppo"):
        rlkit.load(agent, rlkit.save(other, tmp_path / "other.npz"))
    cut = tmp_path / "cut.npz"
    cut.write_bytes((resumed / "ppo-native.npz").read_bytes()[:2000])
    with pytest.raises(ValueError, match="is not a checkpoint of rlkit, or is cut short"):
        rlkit.load(agent, cut)
    assert the_same(agent.state_dict(), before)
