"""The stepped driver when things go wrong, or stop half-way: what it says, and that it goes on as if nothing had been."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

import rlkit
from rlkit.learning.memory import arrays
from rlkit.tabular.drive import STEPS
from tests.crashing import Crashing


class Walk(gym.Env):
    """Eight places in a row, slippery, the last one ends; at chosen calls it raises, half of its step done."""

    action_space = Discrete(2)

    def __init__(self, steps=(), resets=(), error=RuntimeError, box=False):
        self.observation_space = Box(0.0, 7.0, (1,)) if box else Discrete(8)
        self.failing = {"step": set(steps), "reset": set(resets)}
        self.calls = {"step": 0, "reset": 0}
        self.error, self.box = error, box

    def fail(self, kind):
        self.calls[kind] += 1
        if self.calls[kind] in self.failing[kind]:
            self.failing[kind].remove(self.calls[kind])
            self.at = 6
            raise self.error(f"in {kind} {self.calls[kind]}")

    def see(self):
        return np.array([self.at], np.float32) if self.box else self.at

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.at = int(self.np_random.integers(3))
        self.fail("reset")
        return self.see(), {}

    def step(self, action):
        slips = self.np_random.random() < 0.3
        self.fail("step")
        self.at = min(7, max(0, self.at + (2 * int(action) - 1) * (1 - 2 * slips)))
        return self.see(), float(self.np_random.normal()), self.at == 7, False, {}


def assert_equal(one, other):
    assert one.step == other.step
    for mine, its in ((one._stacked, other._stacked), (one._places, other._places)):
        for (key, found), (_, wanted) in zip(arrays(mine), arrays(its), strict=True):
            if key not in {"recorded", "returns", "lengths", "stream"} or mine is one._stacked:
                assert np.array_equal(found, wanted, equal_nan=True), key


def run(agent, steps):
    return list(agent.updates(steps))


def run_through(agent, steps, error):
    """Take so many steps in all, whatever happens on the way; return what was raised."""
    raised = []
    while agent.step < steps:
        try:
            run(agent, steps - agent.step)
        except error as found:
            raised.append(str(found))
    return raised


AGENTS = ["q_learning", "n_step_sarsa", "sarsa_lambda", "mc_epsilon_greedy", "td_lambda", "dyna_q"]
LINEAR = ["sarsa_linear", "td_linear_lambda", "n_step_sarsa_linear"]


@pytest.mark.parametrize("name", AGENTS + LINEAR)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_in_the_environment_the_run_goes_on_as_if_it_had_not_been(name, error):
    box = name in LINEAR
    smooth, rough = rlkit.make(name, Walk(box=box)), rlkit.make(name, Walk([1, 9, 200, 201], [1, 4], error, box))
    run(smooth, 400)
    raised = run_through(rough, 400, error)
    assert len(raised) == 6
    assert_equal(smooth, rough)


def test_after_an_error_place_and_memory_are_those_before_the_step():
    agent = rlkit.make("q_learning", Walk([58]), report=1000)
    with pytest.raises(RuntimeError, match="in step 58"):
        run(agent, 1000)
    before = rlkit.make("q_learning", Walk())
    run(before, 57)
    assert agent._places.now[0, STEPS] == agent.memories[0].clock[0] == 57
    assert np.array_equal(agent.values, before.values)
    assert np.array_equal(agent._places.now, before._places.now)


def test_what_is_saved_after_an_error_can_be_loaded(tmp_path):
    whole = rlkit.make("n_step_sarsa", Walk())
    run(whole, 500)
    agent = rlkit.make("n_step_sarsa", Walk([137]), report=50)
    with pytest.raises(RuntimeError):
        run(agent, 500)
    path = rlkit.save(agent, tmp_path / "agent.npz")
    fresh = rlkit.make("n_step_sarsa", Walk(), report=50)
    rlkit.load(fresh, path)
    assert fresh.step == 100
    run(fresh, 400)
    assert_equal(whole, fresh)


def test_of_many_runs_the_others_do_not_run_ahead():
    gym.register("Walk-v0", entry_point=Walk)
    try:
        whole, rough = (rlkit.make("sarsa", "Walk-v0", seeds=3, report=100) for _ in range(2))
        run(whole, 300)
        rough._steppers[1]._env.unwrapped.failing["step"] = {150}
        assert run_through(rough, 300, RuntimeError) == ["in step 150"]
        assert_equal(whole, rough)
    finally:
        gym.registry.pop("Walk-v0")


@pytest.mark.parametrize("name", ["q_learning", "td0", "sarsa_linear"])
def test_a_reward_that_is_no_number_is_named_with_its_step_and_not_learned(name):
    agent = rlkit.make(name, Crashing(at=23, how="nan"))
    with pytest.raises(ValueError, match=r"Crashing gave the reward nan for action [01] in step 23"):
        run(agent, 100)
    assert np.isfinite(agent.values).all()
    assert agent._places.now[0, STEPS] == 22
    run(agent, 100 - agent.step)  # it pays no NaN the second time
    assert agent._places.now[0, STEPS] == 100


class Beyond(Walk):
    """Counts one place more than it says."""

    def __init__(self, first=False):
        super().__init__()
        self.observation_space = Discrete(7)
        self.first = first

    def reset(self, *, seed=None, options=None):
        obs, info = super().reset(seed=seed, options=options)
        return (-1 if self.first else obs), info


def test_an_observation_out_of_its_space_is_named_and_never_an_index():
    agent = rlkit.make("q_learning", Beyond())
    with pytest.raises(
        ValueError, match=r"Beyond gave the observation 7, which is not in its observation_space, for act"
    ):
        run(agent, 1000)
    with pytest.raises(ValueError, match="Beyond began with the observation -1, which is not in its observation_space"):
        run(rlkit.make("q_learning", Beyond(first=True)), 10)


def resumed_equals_whole(build, cuts, total, path):
    whole = build()
    run(whole, total)
    agent = build()
    for cut in cuts:
        run(agent, cut - agent.step)
        rlkit.save(agent, path)
        agent = build()
        rlkit.load(agent, path)
    run(agent, total - agent.step)
    assert_equal(whole, agent)


@pytest.mark.parametrize(
    ("name", "world", "options"),
    [
        ("q_learning", "Blackjack-v1", {"seeds": 2}),
        ("mc_epsilon_greedy", "Blackjack-v1", {}),
        ("sarsa_linear", "CartPole-v1", {"seeds": 2}),
        ("td_linear_lambda", "CartPole-v1", {}),
        ("q_linear", "MountainCar-v0", {}),
        ("sarsa", Walk, {}),
    ],
)
def test_cut_anywhere_and_resumed_equals_never_stopped(name, world, options, tmp_path):
    def build():
        return rlkit.make(name, world if isinstance(world, str) else world(), seed=2, **options)

    resumed_equals_whole(build, [0, 1, 2, 50, 51, 200], 400, tmp_path / "agent.npz")


def test_a_state_from_before_the_first_step_begins_anew():
    agent = rlkit.make("sarsa", Walk(), seed=5)
    state = rlkit.make("sarsa", Walk(), seed=5).state_dict()
    run(agent, 123)
    agent.load_state_dict(state)
    fresh = rlkit.make("sarsa", Walk(), seed=5)
    for one in (agent, fresh):
        run(one, 200)
    assert_equal(agent, fresh)


class Older(Walk):
    """What it does depends on how many steps it has made in all its life."""

    def __init__(self):
        super().__init__()
        self.age = 0

    def step(self, action):
        self.age += 1
        obs, _, _, truncated, info = super().step(action)
        self.at = (obs + self.age) % 7
        return self.at, 0.0, self.age % 10 == 0, truncated, info


def test_what_outlives_an_episode_cannot_be_brought_back_and_is_said(tmp_path):
    agent = rlkit.make("q_learning", Older())
    run(agent, 25)
    path = rlkit.save(agent, tmp_path / "agent.npz")
    with pytest.raises(ValueError, match=r"Older does not come back to the state where it was .*outlives an episode"):
        rlkit.load(rlkit.make("q_learning", Older()), path)


def test_a_world_without_a_state_to_be_put_into_is_refused_by_exploring_starts():
    class Stateless(Walk):
        P = {s: {a: [(1.0, min(7, s + a), 0.0, s + a >= 7)] for a in range(2)} for s in range(8)}  # noqa: RUF012

    assert run(rlkit.make("mc_exploring_starts", Stateless()), 50)[-1].step == 50  # compiled: put where it likes
    with pytest.raises(ValueError, match=r"Stateless cannot be put into a state .* no attribute `s`; take an agent"):
        run(rlkit.make("mc_exploring_starts", Stateless(), engine="stepped"), 50)
