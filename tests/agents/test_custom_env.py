"""An environment of the user's own, told nothing of rlkit, in every agent: with a model and without, whatever it observes."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.toy_text.utils import categorical_sample
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Tuple

import rlkit
from rlkit import agents
from rlkit.learning.basis import Featured
from rlkit.learning.config import Control, Learning
from rlkit.sample.config import Studies
from tests.one_state import OneState

LEARNING = [name for name in agents.names() if issubclass(agents.load(name).Config, Learning)]
BANDITS = [name for name in LEARNING if name.endswith("_bandit")]
LINEAR = [name for name in LEARNING if issubclass(agents.load(name).Config, Featured)]
TABULAR = [name for name in LEARNING if name not in LINEAR + BANDITS]
SPEAKING = ["token_ppo"]  # in no environment but a language model's task
DEEP = [name for name in agents.names() if hasattr(agents.load(name).Config, "device") and name not in SPEAKING]
STUDENTS = [name for name in agents.names() if issubclass(agents.load(name).Config, Studies)]  # of what was written
PLANNERS = [name for name in agents.names() if name not in LEARNING + DEEP + STUDENTS + SPEAKING]
STARTING_ANYWHERE = ["mc_basic", "mc_exploring_starts"]
OPTIONS = {"mc_basic": {"length": 5}}


class Slope(gym.Env):
    """Six places; down, stay, up, which fails one time in five; the top pays and ends. `P` says so, and `step` does it."""

    observation_space = Discrete(6)
    action_space = Discrete(3)

    def __init__(self):
        self.P = {
            s: {
                a: [(0.8, min(5, max(0, s + a - 1)), float(s + a == 6) - 0.1, s + a == 6), (0.2, s, -0.1, False)]
                for a in range(3)
            }
            for s in range(6)
        }
        self.initial_state_distrib = np.array([0.5, 0.25, 0.25, 0.0, 0.0, 0.0])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.s = int(categorical_sample(self.initial_state_distrib, self.np_random))
        return self.s, {}

    def step(self, action):
        outcomes = self.P[self.s][int(action)]
        _, self.s, reward, terminated = outcomes[categorical_sample([o[0] for o in outcomes], self.np_random)]
        return self.s, reward, terminated, False, {}


class Choosy(Slope):
    """The same world, which draws in another way."""

    def step(self, action):
        outcomes = self.P[self.s][int(action)]
        _, self.s, reward, terminated = outcomes[0 if self.np_random.integers(5) else 1]
        return self.s, reward, terminated, False, {}


class Arrays(Slope):
    """The same world, its model in arrays."""

    def __init__(self):
        super().__init__()
        mdp = rlkit.from_P(self.P)
        self.transitions = mdp.indptr, mdp.next_state, mdp.prob, mdp.reward, mdp.terminated
        self.P = None


class Hidden(gym.Env):
    """The same world without its model, which shows the place in a way of its own."""

    action_space = Discrete(3)

    def __init__(self, space, show):
        self.observation_space, self.show = space, show
        self.inner = Slope()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        obs, info = self.inner.reset(seed=seed)
        self.inner.np_random = self.np_random
        obs = int(self.np_random.integers(3))
        self.inner.s = obs
        return self.show(obs), info

    def step(self, action):
        self.inner.np_random = self.np_random
        obs, *rest = self.inner.step(action)
        return self.show(obs), *rest


SHOWN = {
    "number": (Discrete(6), int),
    "numbers": (MultiDiscrete([2, 3]), lambda s: np.array([s // 3, s % 3])),
    "parts": (Tuple((Discrete(2, start=4), Discrete(3))), lambda s: (4 + s // 3, s % 3)),
    "bits": (MultiBinary(3), lambda s: np.array([s // 4, s // 2 % 2, s % 2], np.int8)),
    "box": (Box(0.0, 1.0, (1,)), lambda s: np.array([s / 5], np.float32)),
}


def hidden(kind):
    return Hidden(*SHOWN[kind])


def build(name, env, **config):
    return rlkit.make(name, env, **{**OPTIONS.get(name, {}), **config})


def run(agent, steps=600):
    *_, last = agent.updates(steps)
    assert last.step == steps
    assert np.isfinite(agent.values).all()
    return last


@pytest.mark.parametrize("name", TABULAR + LINEAR)
def test_with_a_model_both_engines_learn_the_same_and_the_truth_is_reported(name):
    compiled, stepped = (build(name, Slope(), engine=engine, seed=2) for engine in ("compiled", "stepped"))
    last, other = run(compiled), run(stepped)
    assert compiled.setting.world is not None
    assert np.array_equal(compiled.values, stepped.values)
    assert np.any(compiled.values)
    np.testing.assert_equal(last, other)
    truth = (
        {"value", "regret", "optimal"} if isinstance(compiled.config, Control) or "value" in last.scalars else {"rmse"}
    )
    assert truth <= last.scalars.keys()
    assert compiled.act(3) in range(3)


@pytest.mark.parametrize("name", [name for name in TABULAR + LINEAR if name not in STARTING_ANYWHERE])
def test_without_a_model_it_is_the_same_however_the_state_is_shown(name):
    number = build(name, hidden("number"), seed=2)
    last = run(number)
    assert number.setting.world is None
    assert last.scalars.keys() & {"value", "rmse"} == set()
    assert np.any(number.values)
    for kind in ("numbers", "parts", "bits"):
        shown = build(name, hidden(kind), seed=2)
        run(shown)
        assert np.array_equal(shown.values[:6], number.values), kind
        assert shown.act(SHOWN[kind][1](3)) in range(3)
        assert shown.act([SHOWN[kind][1](s) for s in (0, 3)]).shape == (2,)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_agents_see_a_box(name):
    agent = build(name, hidden("box"))
    run(agent)
    assert agent.act(np.array([0.4])) in range(3)


@pytest.mark.parametrize("name", TABULAR)
def test_tabular_agents_say_that_they_do_not(name):
    with pytest.raises(ValueError, match=r"Hidden has observations Box.*take a linear agent"):
        build(name, hidden("box"))


@pytest.mark.parametrize("name", STARTING_ANYWHERE)
def test_agents_that_start_anywhere_say_that_they_need_a_model(name):
    with pytest.raises(ValueError, match=r"the environment states no model \(P or transitions\).* mc_epsilon_greedy"):
        build(name, hidden("number"))


@pytest.mark.parametrize("name", BANDITS)
def test_bandits_say_that_they_need_one_state(name):
    with pytest.raises(ValueError, match="a bandit has one state, and this world has 6"):
        build(name, Slope())
    run(build(name, OneState()))


@pytest.mark.parametrize("name", PLANNERS)
def test_planners_need_the_model_and_no_more(name):
    planner = rlkit.make(name, Slope())
    rlkit.fit(planner, progress=False)
    assert rlkit.evaluate(planner, Slope(), episodes=50).terminated == 50
    with pytest.raises(ValueError, match="has no model to plan with"):
        rlkit.make(name, hidden("number"))


def test_nothing_is_left_in_the_environment():
    for make_env, cls in ((Slope, Slope), (lambda: hidden("number"), Hidden)):
        by_hand, taken = make_env(), make_env()
        before = dict(vars(cls))
        by_hand.reset(seed=0)
        for engine in ("auto", "stepped"):
            agent = rlkit.make("q_learning", taken, engine=engine)
            run(agent)
            agent.load_state_dict(agent.state_dict())
        assert dict(vars(cls)) == before
        assert vars(taken).keys() == vars(by_hand).keys()
        assert taken.observation_space == by_hand.observation_space


def test_another_order_of_draws_is_the_same_in_distribution():
    compiled = rlkit.make("td0", Choosy(), seeds=40, gamma=1.0, alpha=0.05)
    stepped = [rlkit.make("td0", Choosy(), engine="stepped", gamma=1.0, alpha=0.05, seed=i) for i in range(40)]
    run(compiled)
    for agent in stepped:
        run(agent)
    one, other = compiled.values, np.array([agent.values for agent in stepped])
    assert not np.array_equal(one, other)
    error = np.sqrt((one.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / 40)
    assert np.all(np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4.5 * error + 1e-12)


def test_a_model_in_arrays_is_the_model():
    one, other = (rlkit.from_env(env) for env in (Slope(), Arrays()))
    assert all(np.array_equal(mine, its) for mine, its in zip(one, other, strict=True))
    agent = rlkit.make("q_learning", Arrays(), engine="compiled")
    assert run(agent, 20_000).scalars["optimal"] == 1.0


def test_a_time_limit_around_it_is_obeyed_by_both_engines():
    agents_ = [
        rlkit.make("td0", gym.wrappers.TimeLimit(Slope(), 7), engine=engine, report=2000, seed=1)
        for engine in ("compiled", "stepped")
    ]
    for agent in agents_:
        run(agent, 2000)
        assert agent.lengths[0].max() == 7
    assert np.array_equal(*(agent.lengths[0] for agent in agents_))


def test_registered_it_has_an_id_and_many_seeds_without_a_model():
    gym.register("Custom-v0", entry_point=lambda: hidden("number"), max_episode_steps=50)
    try:
        agent = rlkit.make("sarsa", "Custom-v0", seeds=2)
        run(agent)
        single = rlkit.make("sarsa", "Custom-v0", seed=1)
        run(single)
        assert np.array_equal(agent.values[1], single.values)
    finally:
        gym.registry.pop("Custom-v0")
