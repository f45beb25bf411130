"""Features at the door: maps as text, functions of the user's, boxes, what is not finite, and exact resume."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import agents
from rlkit.learning.basis import Featured
from rlkit.learning.features import read_map
from rlkit.learning.inputs import Inputs, inputs
from rlkit.learning.memory import arrays

LINEAR = [name for name in agents.names() if issubclass(agents.load(name).Config, Featured)]
BOX = {"lstd": {"features": "fourier(1)"}, "lspi": {"features": "fourier(1)", "every": 100}}


def corners(obs):
    return [1.0, *np.sign(obs)]


def other(obs):
    return [1.0, *np.sign(obs)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wavelets(3)", 'features is \'wavelets\\(3\\)\'; write "one-hot", "aggregate'),
        ("tiles(8", "write"),
        ("", "write"),
        ("one-hot(3)", "one-hot takes no arguments"),
        ("fourier", "it takes one whole number: 'fourier"),
        ("fourier(0)", "whole number from 1"),
        ("fourier(2.5)", "whole number from 1"),
        ("polynomial(1, 2)", "it takes one whole number"),
        ("tiles(8)", "tiles takes the tilings and the tiles"),
        ("tiles(8, 4x4x4)", "it cuts 3 inputs, but the observation has 2"),
        ("tiles(8, 4, hash=x)", "hash must be a whole number"),
        ("tiles(8, 9999)", "hash them into fewer places: hash=65536"),
        ("rbf(1)", "rbf takes the centres"),
        ("rbf(3, -1)", "a width must be above 0"),
        ("fourier(3000)", "features, more than"),
        ("mine:phi", "this is the name of a function"),
    ],
)
def test_what_is_no_map_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        rlkit.make("td_linear", "GridWorld-v0", features=text)


def test_one_hot_needs_finitely_many_states():
    with pytest.raises(ValueError, match="one-hot needs finitely many states"):
        rlkit.make("q_linear", "CartPole-v1", features="one-hot")


@pytest.mark.parametrize("text", ["3", "1:2", "a:b, c:d", "2:1, 0:1", "0:1, 0:inf"])
def test_wrong_bounds_are_named(text):
    with pytest.raises(ValueError, match="bounds is"):
        rlkit.make("q_linear", "MountainCar-v0", bounds=text)


def test_too_many_tiles_ask_for_hashing_and_get_it():
    seen = Inputs(np.stack([np.zeros(9), np.ones(9)]), np.zeros((0, 9)))
    with pytest.raises(ValueError, match="hash them"):
        read_map("auto", seen)
    assert read_map("tiles(8, 8, hash=65536)", seen).size == 65536


def test_dictionaries_are_no_numbers():
    class Dictionary(gym.Env):
        observation_space = gym.spaces.Dict({"x": gym.spaces.Discrete(2)})
        action_space = gym.spaces.Discrete(2)

    with pytest.raises(ValueError, match="FlattenObservation"):
        rlkit.make("q_linear", Dictionary())
    with pytest.raises(ValueError, match="FlattenObservation"):
        inputs(Dictionary(), "")
    assert rlkit.make("q_linear", Dictionary(), features=lambda obs: [obs["x"]]).memories[0].w.shape == (2, 1)


def test_a_function_is_given_the_observation():
    env = gym.make("Blackjack-v1")
    agent = rlkit.make("q_linear", env, features=lambda obs: [1.0, obs[0] / 31, float(obs[2])])
    row = agent.setting.observe(None, (12, 5, 1), 0)
    assert agent.memories[0].phi[row].tolist() == [1.0, 12 / 31, 1.0]
    assert list(agent.updates(500))
    space = gym.spaces.MultiDiscrete([3, 4])
    assert inputs_of(space) == [(i, j) for i in range(3) for j in range(4)]


def inputs_of(space):
    class World(gym.Env):
        observation_space, action_space = space, gym.spaces.Discrete(2)

    seen = []
    rlkit.make("q_linear", World(), features=lambda obs: (seen.append(tuple(obs.tolist())), [1.0])[1])
    return seen[1:]


def test_a_function_is_known_by_its_name(tmp_path):
    agent = rlkit.make("sarsa_linear", "CartPole-v1", features=corners)
    assert agent.config.features.endswith(":corners")
    list(agent.updates(300))
    path = rlkit.save(agent, tmp_path / "agent.npz")
    same = rlkit.make("sarsa_linear", "CartPole-v1", features=corners)
    rlkit.load(same, path)
    assert np.array_equal(same.memories[0].weights.w, agent.memories[0].weights.w)
    with pytest.raises(ValueError, match="features is"):
        rlkit.load(rlkit.make("sarsa_linear", "CartPole-v1", features=other), path)
    with pytest.raises(ValueError, match="only the function itself can stand for"):
        rlkit.make("sarsa_linear", "CartPole-v1", features=agent.config.features)


def test_a_function_that_changes_its_mind_is_named():
    sizes = iter([2, 2, 2, 2, 3])
    agent = rlkit.make("sarsa_linear", "CartPole-v1", features=lambda _: np.ones(next(sizes)))
    with pytest.raises(ValueError, match="gave 3 features for the observation"):
        list(agent.updates(100))
    with pytest.raises(ValueError, match="gave no features"):
        rlkit.make("sarsa_linear", "CartPole-v1", features=lambda _: [])
    with pytest.raises(ValueError, match="a feature of state 3 is not finite"):
        rlkit.make("sarsa_linear", "FrozenLake-v1", features=lambda s: [np.nan if s == 3 else 1.0])


class Broken(gym.Env):
    observation_space = gym.spaces.Box(0.0, 1.0, (2,))
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium gives it
        super().reset(seed=seed)
        self.k = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.k += 1
        return np.array([0.5, np.nan if self.k == 5 else action], np.float32), 1.0, False, False, {}


@pytest.mark.parametrize("text", ["tiles(8, 8)", "polynomial(2)", "fourier(1)", "rbf(2)"])
def test_an_observation_that_is_not_finite_is_named_with_its_step(text):
    agent = rlkit.make("q_linear", Broken(), features=text)
    with pytest.raises(ValueError, match=r"Broken gave the observation \[0\.5 nan\] in step 5"):
        list(agent.updates(100))
    assert np.isfinite(agent.memories[0].w).all()


@pytest.mark.parametrize("name", LINEAR)
def test_in_a_box_saved_and_loaded_equals_never_stopped(name, tmp_path):
    def build():
        return rlkit.make(name, "CartPole-v1", **{"features": "tiles(4, 3)"} | BOX.get(name, {}))

    whole, first, second = build(), build(), build()
    list(whole.updates(777))
    list(first.updates(333))
    rlkit.load(second, rlkit.save(first, tmp_path / "agent.npz"))
    second.act(np.zeros(4, np.float32))
    list(second.updates(444))
    for (key, found), (_, wanted) in zip(arrays(second._stacked), arrays(whole._stacked), strict=True):
        if key.rpartition(".")[2] in {"column", "phi"} and found.ndim == 3 and found.shape[1] == 3:
            found, wanted = found[:, :2], wanted[:, :2]  # the third row is that of `act`  # noqa: PLW2901
        assert np.array_equal(found, wanted), key


@pytest.mark.parametrize("name", LINEAR)
def test_in_a_box_acting_changes_nothing(name):
    one, two = (rlkit.make(name, "CartPole-v1", **{"features": "tiles(4, 3)"} | BOX.get(name, {})) for _ in range(2))
    for agent in (one, two):
        for _ in range(5):
            list(agent.updates(50))
            if agent is one:
                agent.act(np.zeros(4, np.float32), explore=True)
                agent.act([np.zeros(4, np.float32), np.ones(4, np.float32)])
    for (key, found), (_, wanted) in zip(arrays(one._stacked), arrays(two._stacked), strict=True):
        if key.rpartition(".")[2] not in {"column", "phi"}:
            assert np.array_equal(found, wanted), key


def test_the_observation_is_left_as_it_was():
    """Kernels scale their input in place, which must not be the environment's own array."""
    env = gym.make("CartPole-v1")
    agent = rlkit.make("q_linear", env, features="fourier(1)")
    obs = np.array([1.0, 2.0, 0.1, 3.0])
    agent.setting.observe(agent.memories[0], obs, 0)
    assert obs.tolist() == [1.0, 2.0, 0.1, 3.0]
