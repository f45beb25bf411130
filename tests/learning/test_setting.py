"""What an agent takes for a world: sizes, models, numbers of observations and actions; and what it refuses at the door."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Dict, Discrete

import rlkit
from tests.probes import book_2x2


class Ring(gym.Env):
    """Seven states in a ring, three actions: back, stay, on; spaces that count from `first` and `first_action`."""

    def __init__(self, first=0, first_action=0):
        self.observation_space = Discrete(7, start=first)
        self.action_space = Discrete(3, start=first_action)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.at = int(self.np_random.integers(3))
        return self.at + int(self.observation_space.start), {}

    def step(self, action):
        assert self.action_space.contains(action)
        move = int(action) - int(self.action_space.start) - 1
        self.at = (self.at + (move if self.np_random.random() < 0.8 else 0)) % 7
        return self.at + int(self.observation_space.start), float(self.at == 5) - 0.1, self.at == 5, False, {}


@pytest.mark.parametrize(
    ("world", "options", "message"),
    [
        (lambda: gym.make_vec("GridWorld-v0", num_envs=2), {}, "vector of environments; give one .* seeds="),
        (lambda: "CartPole-v1", {}, r"CartPole-v1 has observations Box.*take a linear agent \(sarsa_linear"),
        (lambda: "Pendulum-v1", {}, "has observations Box"),
        (lambda: Ring, {}, r"this is the class Ring; give an environment: Ring\(\)"),
        (lambda: 3, {}, "the environment is 3; give a Gymnasium environment, the id of one, or an MDP"),
        (Ring, {"engine": "compiled"}, 'Ring cannot be compiled: it states no model.*use engine="auto"'),
        (Ring, {"engine": "fast"}, "engine is 'fast'; choose one of 'auto', 'compiled', 'stepped'"),
        (Ring, {"seeds": 2}, "Ring was not made by gym.make.* 2 seeds; register it with gym.register"),
        (Ring, {"gamma": 1.5}, "gamma is 1.5"),
        (Ring, {"seeds": 0}, "seeds is 0; it must be at least 1"),
        (Ring, {"report": -1}, "report is -1"),
        (book_2x2, {"engine": "stepped"}, "an MDP has no step to take"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_door(world, options, message):
    with pytest.raises(ValueError, match=message):
        rlkit.make("q_learning", world(), **options)


def test_actions_must_be_discrete():
    with pytest.raises(ValueError, match=r"Pendulum-v1 has actions Box.*chooses among Discrete ones"):
        rlkit.make("q_linear", "Pendulum-v1")


def test_observations_that_have_no_number_are_refused():
    env = Ring()
    env.observation_space = Dict({"at": Discrete(7)})
    with pytest.raises(ValueError, match=r"Ring has observations Dict\('at': Discrete\(7\)\)"):
        rlkit.make("q_learning", env)


@pytest.mark.parametrize("name", ["q_learning", "sarsa_lambda", "td0", "q_linear"])
def test_spaces_that_do_not_count_from_zero_change_names_only(name):
    plain, shifted = rlkit.make(name, Ring(), seed=3), rlkit.make(name, Ring(first=10, first_action=-1), seed=3)
    for agent in (plain, shifted):
        assert sum(report.scalars["episodes"] for report in agent.updates(2000)) > 10
    assert np.any(plain.values)
    assert np.array_equal(plain.values, shifted.values)
    assert [shifted.act(s + 10) for s in range(7)] == [plain.act(s) - 1 for s in range(7)]
    assert shifted.act(np.arange(10, 17)).tolist() == (plain.act(np.arange(7)) - 1).tolist()


def test_the_engine_is_compiled_where_a_model_is_to_be_had():
    env = gym.make("FrozenLake-v1", max_episode_steps=17)
    setting = rlkit.make("q_learning", env).setting
    assert (setting.n_states, setting.n_actions, setting.world.limit) == (16, 4, 17)
    stepped = rlkit.make("q_learning", env, engine="stepped").setting
    assert stepped.world is None
    assert stepped.mdp is not None  # the truth is known all the same
    assert rlkit.make("q_learning", book_2x2()).setting.world.limit > 1 << 60


def test_a_wrapper_that_may_change_what_is_seen_hides_the_model():
    env = gym.wrappers.TransformReward(gym.make("FrozenLake-v1"), lambda r: r - 0.01)
    setting = rlkit.make("q_learning", env).setting
    assert setting.world is None
    assert setting.mdp is None
    with pytest.raises(ValueError, match="a wrapper or a change of its maze hides it"):
        rlkit.make("q_learning", env, engine="compiled")
