"""The MDP at its door: what is refused and how it is named, which envs have a model, and the numbers of known worlds."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers

from rlkit.mdp import from_arrays, from_env, from_P, transparent_base
from tests.probes import book_2x2, book_3x3, book_5x5, dense, dense_optimal, random_mdp


def two_state_arrays(**changed):
    arrays = {
        "indptr": [0, 1, 2, 4, 5],
        "next_state": [0, 1, 0, 1, 1],
        "prob": [1.0, 1.0, 0.5, 0.5, 1.0],
        "reward": [0.0, 1.0, 2.0, 3.0, 4.0],
        "terminated": [False, False, False, True, False],
        "n_actions": 2,
    }
    return arrays | changed


def test_rows_are_what_was_given():
    mdp = from_arrays(**two_state_arrays(start=[0.25, 0.75]))
    assert (mdp.n_states, mdp.n_actions) == (2, 2)
    np.testing.assert_array_equal(mdp.cdf, [1, 1, 0.5, 1, 1])
    np.testing.assert_array_equal(mdp.start_cdf, [0.25, 1])
    np.testing.assert_array_equal(from_arrays(**two_state_arrays()).start_cdf, [0.5, 1])
    assert [x.dtype.name for x in mdp[:7]] == ["int64", "int32", *["float64"] * 3, "bool", "float64"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"prob": [1.0, 1.0, 0.5, 0.4, 1.0]}, r"P\[1\]\[0\] sums to 0.9"),
        ({"prob": [1.0, 1.0, 1.5, -0.5, 1.0]}, r"P\[1\]\[0\] has the probability -0.5"),
        ({"prob": [1.0, float("nan"), 0.5, 0.5, 1.0]}, r"P\[0\]\[1\] has the probability nan"),
        ({"prob": [1.0, float("inf"), 0.5, 0.5, 1.0]}, r"P\[0\]\[1\] sums to inf"),
        ({"next_state": [0, 1, 0, 2, 1]}, r"P\[1\]\[0\] has the next state 2; states are 0 .. 1"),
        ({"next_state": [0, 1, 0, 1, -1]}, r"P\[1\]\[1\] has the next state -1"),
        ({"next_state": [0, 1, 0, 2**32, 1]}, r"P\[1\]\[0\] has the next state 4294967296"),
        ({"next_state": [0, 1, 0, 0.5, 1]}, "next_state has dtype float64; it must hold integers"),
        ({"indptr": [0, 1.5, 2, 4, 5]}, "indptr has dtype float64; it must hold integers"),
        ({"reward": [0.0, 1.0, 2.0, float("inf"), 4.0]}, r"P\[1\]\[0\] has the reward inf"),
        ({"reward": [0.0, 1.0]}, r"reward has shape \(2,\); indptr asks for \(5,\)"),
        ({"terminated": [True]}, r"terminated has shape \(1,\)"),
        ({"indptr": [0, 1, 1, 4, 5]}, r"P\[0\]\[1\] has no outcome"),
        ({"indptr": [0, 3, 2, 4, 5]}, r"P\[0\]\[1\] has no outcome"),
        ({"indptr": [1, 2, 3, 4, 5]}, "indptr starts at 1; it must start at 0"),
        ({"indptr": [0, 1, 2, 5]}, r"indptr has 4 entries; it needs n_states \* 2 \+ 1"),
        ({"indptr": [0]}, "indptr has 1 entries"),
        ({"n_actions": 0}, "indptr has 5 entries"),
        ({"start": [0.5, 0.4]}, "start sums to 0.9"),
        ({"start": [1.5, -0.5]}, "minimum -0.5"),
        ({"start": [float("nan"), 1.0]}, "it must be a distribution"),
        ({"start": [1.0]}, r"start has shape \(1,\); there are 2 states"),
    ],
)
def test_arrays_that_are_no_mdp(changed, message):
    with pytest.raises(ValueError, match=message):
        from_arrays(**two_state_arrays(**changed))


LOOP = [(1.0, 0, 0.0, False)]


@pytest.mark.parametrize(
    ("P", "message"),
    [
        ({0: {0: LOOP}, 2: {0: LOOP}}, r"P has no entry 1; its keys must be 0 .. 1"),
        ({0: {0: LOOP, 1: LOOP}, 1: {0: LOOP, 2: LOOP}}, r"P\[1\] has no entry 1"),
        ({0: {0: LOOP, 1: LOOP}, 1: {0: LOOP}}, r"P\[1\] has 1 actions, P\[0\] has 2"),
        ({0: {0: [(1.0, 0, 0.0)]}}, r"P\[0\]\[0\] holds \(1.0, 0, 0.0\); an outcome is"),
        ({0: {0: LOOP, 1: [(0.9, 0, 0.0, False)]}}, r"P\[0\]\[1\] sums to 0.9"),
        ({0: {0: []}}, r"P\[0\]\[0\] has no outcome"),
        ({0: {0: [(1.0, 0.5, 0.0, False)]}}, "must hold integers"),
        ([], "P has no states"),
        ([[]], r"P\[0\] has no actions"),
    ],
)
def test_tables_that_are_no_mdp(P, message):
    with pytest.raises(ValueError, match=message):
        from_P(P)


def test_lists_and_mappings_say_the_same():
    as_list, as_mapping = from_P([[LOOP, LOOP]]), from_P({0: {1: LOOP, 0: LOOP}})
    assert all(np.array_equal(x, y) for x, y in zip(as_list, as_mapping, strict=True))


def test_cdf_is_the_cumsum_of_each_row_to_the_last_bit():
    rng = np.random.default_rng(0)
    for _ in range(100):
        mdp = random_mdp(rng)
        for low, high in zip(mdp.indptr[:-1], mdp.indptr[1:], strict=True):
            np.testing.assert_array_equal(mdp.cdf[low:high], np.cumsum(mdp.prob[low:high]))


TOY_TEXT = [
    ("FrozenLake-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake-v1", {"map_name": "8x8", "success_rate": 0.7}),
    ("CliffWalking-v1", {}),
    ("CliffWalking-v1", {"is_slippery": True}),
    ("Taxi-v4", {}),
    ("Taxi-v4", {"is_rainy": True}),
]


@pytest.mark.parametrize(("name", "arguments"), TOY_TEXT)
def test_toy_text_worlds_agree_with_their_tables(name, arguments):
    env = gym.make(name, **arguments)
    mdp = from_env(env)
    P = env.unwrapped.P
    assert (mdp.n_states, mdp.n_actions) == (env.observation_space.n, env.action_space.n)
    for s, actions in P.items():
        for a, outcomes in actions.items():
            row = slice(*mdp.indptr[s * mdp.n_actions + a : s * mdp.n_actions + a + 2])
            given = list(zip(mdp.prob[row], mdp.next_state[row], mdp.reward[row], mdp.terminated[row], strict=True))
            assert given == [tuple(outcome) for outcome in outcomes]
    np.testing.assert_array_equal(mdp.start_cdf, np.cumsum(env.unwrapped.initial_state_distrib))


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4"])
def test_stepping_an_env_gives_what_its_model_gives(name):
    env = gym.make(name)
    mdp = from_env(env)
    s, _ = env.reset(seed=0)
    for a in np.random.default_rng(0).integers(mdp.n_actions, size=500):
        s_next, reward, terminated, truncated, _ = env.step(a)
        row = slice(*mdp.indptr[s * mdp.n_actions + a : s * mdp.n_actions + a + 2])
        outcomes = zip(mdp.next_state[row], mdp.reward[row], mdp.terminated[row], strict=True)
        assert (s_next, reward, terminated) in list(outcomes)
        s = env.reset()[0] if terminated or truncated else s_next


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: wrappers.TimeLimit(env, 7),
        wrappers.RecordEpisodeStatistics,
        wrappers.OrderEnforcing,
        wrappers.PassiveEnvChecker,
        lambda env: wrappers.RecordEpisodeStatistics(wrappers.TimeLimit(env, 7)),
    ],
)
def test_transparent_wrappers(wrap):
    env = gym.make("FrozenLake-v1")
    assert transparent_base(wrap(env)) is env.unwrapped
    assert np.array_equal(from_env(wrap(env)).prob, from_env(env).prob)


class Quiet(wrappers.TimeLimit):
    """A subclass may do anything, so that it is not transparent."""


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: wrappers.TransformReward(env, lambda r: 2 * r),
        lambda env: wrappers.TransformAction(env, lambda a: 3 - a, env.action_space),
        lambda env: wrappers.TransformObservation(env, lambda s: 15 - s, env.observation_space),
        wrappers.TimeAwareObservation,
        lambda env: wrappers.StickyAction(env, 0.5),
        lambda env: wrappers.ClipReward(env, 0, 1),
        wrappers.Autoreset,
        lambda env: wrappers.OrderEnforcing(wrappers.ClipReward(env, 0, 1)),
        lambda env: Quiet(env, 7),
    ],
)
def test_opaque_wrappers_hide_the_model(wrap):
    env = wrap(gym.make("FrozenLake-v1"))
    assert from_env(env) is None
    assert transparent_base(env) is None


def test_envs_without_a_model():
    assert from_env(gym.make("CartPole-v1")) is None
    assert from_env(gym.make("Blackjack-v1")) is None
    assert from_env(gym.make("Taxi-v4", fickle_passenger=True)) is None


class Scaled(gym.Env):
    """An env whose P has nothing to do with its observations."""

    P = np.eye(2)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, observation_space):
        self.observation_space = observation_space


def test_a_model_that_the_spaces_do_not_number_is_not_the_envs():
    assert from_env(Scaled(gym.spaces.Box(-1, 1))) is None
    assert from_env(Scaled(gym.spaces.Discrete(2, start=1))) is None


def test_a_model_of_another_size_than_the_spaces_is_refused():
    env = Scaled(gym.spaces.Discrete(3))
    env.P = [[LOOP, LOOP]]
    with pytest.raises(ValueError, match="1 states and 2 actions, its spaces 3 and 2"):
        from_env(env)


def test_frozen_lake():
    assert dense_optimal(from_env(gym.make("FrozenLake-v1")), 0.99)[0] == pytest.approx(0.542026, abs=5e-7)


def test_cliff_walking():
    mdp = from_env(gym.make("CliffWalking-v1"))
    np.testing.assert_array_equal(np.flatnonzero(dense(mdp).start), [36])
    assert dense_optimal(mdp, 1.0, sweeps=100)[36] == -13


def test_taxi():
    mdp = from_env(gym.make("Taxi-v4"))
    assert dense(mdp).start @ dense_optimal(mdp, 1.0, sweeps=100) == pytest.approx(7.93, abs=5e-3)


@pytest.mark.parametrize(
    ("layout", "probe"), [("book-2x2", book_2x2()), ("book-3x3", book_3x3()), ("book-5x5", book_5x5())]
)
def test_the_books_worlds_are_the_same_in_envs_and_written_out_by_hand(layout, probe):
    mdp = from_env(gym.make("envs:GridWorld-v0", layout=layout))
    for found, known in zip(dense(mdp), dense(probe), strict=True):
        np.testing.assert_array_equal(found, known)
