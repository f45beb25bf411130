"""GridWorld as a Gymnasium environment: its API, its seeds and copies, its changes, and step against the model."""

import copy
import importlib
import pickle
import time
import tracemalloc

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from envs.gridworld import GridWorld
from envs.layouts import NAMED, random_layout

SAMPLE = [
    {"slip": 0.3, "start": "uniform"},
    {"layout": "book-3x3", "target": "terminal", "actions": 9, "slip": 0.5, "slip_model": "uniform"},
    {"layout": "cliff", "forbidden": "wall", "start": (0, 0)},
    {
        "layout": "random",
        "rows": 7,
        "cols": 11,
        "density": 0.4,
        "forbidden_density": 0.1,
        "map_seed": 4,
        "start": "single",
    },
    {"layout": "S.A~\n.A^T", "forbidden": "terminal"},
    {"layout": ["S.T"], "actions": ("left", "right")},
    {"layout": "dyna-blocking", "change_at": 2},
]


def play(env, actions):
    """Everything that an environment says on the way, resets included."""
    said = []
    for action in actions:
        *step, terminated, truncated, info = env.step(action)
        said.append((*step, terminated, truncated, info))
        if terminated or truncated:
            said.append(env.reset())
    return said


@pytest.mark.parametrize("env_id", envs.IDS)
def test_check_env_passes_for_every_id(env_id):
    check_env(gym.make(env_id).unwrapped)


@pytest.mark.parametrize("arguments", SAMPLE)
def test_check_env_passes_for_a_sample_of_arguments(arguments):
    check_env(gym.make("GridWorld-v0", **arguments).unwrapped)


def test_every_named_layout_has_an_id_and_works_from_gym_make():
    assert set(envs.IDS.values()) == set(NAMED)
    assert gym.make("envs:GridWorld-v0").unwrapped.layout.name == "book-5x5"
    assert gym.make("GridWorld-Cliff-v0").unwrapped.layout.name == "cliff"
    assert gym.make("GridWorld-Cliff-v0", r_forbidden=-7).unwrapped.settings.r_forbidden == -7


def test_registration_can_be_repeated():
    importlib.reload(envs)  # a warning of an override would be an error


def test_explicit_arguments_win_over_the_layouts_own():
    own = GridWorld("windy")
    assert (own.settings.r_step, own.settings.target, own.n_actions) == (-1, "terminal", 4)
    mine = GridWorld("windy", r_step=0.0, target="continuing", actions=5)
    assert (mine.settings.r_step, mine.settings.target, mine.n_actions) == (0, "continuing", 5)
    assert mine.settings.r_boundary == -1
    assert mine.layout.settings == mine.settings


def test_spaces_and_reset():
    env = GridWorld("....\n..ST")
    assert env.observation_space == gym.spaces.Discrete(8)
    assert env.action_space == gym.spaces.Discrete(5)
    assert env.reset() == (6, {})
    assert env.reset(options={"state": 1}) == (1, {})
    assert env.step(2) == (5, 0.0, False, False, {})
    assert env.s == 5
    assert [type(part) for part in env.step(1)] == [int, float, bool, bool, dict]


def test_the_start_distribution_is_drawn_from():
    env = GridWorld("..\n.T", start=[0.1, 0.2, 0.3, 0.4])
    assert env.initial_state_distrib.tolist() == [0.1, 0.2, 0.3, 0.4]
    env.reset(seed=0)
    counts = np.bincount([env.reset()[0] for _ in range(20_000)], minlength=4) / 20_000
    np.testing.assert_allclose(counts, [0.1, 0.2, 0.3, 0.4], atol=0.012)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(NAMED)), st.integers(0, 2**32), st.integers(0, 60))
def test_a_seed_a_copy_and_a_pickle_continue_identically(name, seed, cut):
    arguments = {"change_at": 40} if name.startswith(("dyna-b", "dyna-s")) else {}
    env = GridWorld(name, slip=0.25, **arguments)
    actions = np.random.default_rng(seed).integers(env.n_actions, size=120).tolist()
    first = [env.reset(seed=seed), *play(env, actions[:cut])]
    twins = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]  # noqa: S301 - our own bytes
    rest = play(env, actions[cut:])
    for twin in twins:
        assert play(twin, actions[cut:]) == rest
        assert twin.s == env.s
        assert twin.np_random.bit_generator.state == env.np_random.bit_generator.state
    again = GridWorld(name, slip=0.25, **arguments)
    assert [again.reset(seed=seed), *play(again, actions)] == first + rest


def test_copies_do_not_share_their_state():
    env = GridWorld("random", rows=5, cols=5, slip=0.5)
    env.reset(seed=0)
    twin = copy.deepcopy(env)
    twin.step(1)
    assert env.s == 0
    assert twin.np_random.bit_generator.state != env.np_random.bit_generator.state


def test_a_vector_environment_does_not_write_into_the_class():
    gym.make_vec("GridWorld-v0", num_envs=2, vectorization_mode="sync").close()
    assert "autoreset_mode" not in GridWorld().metadata


def test_a_layout_changes_after_so_many_steps_of_the_environments_life():
    env = GridWorld("dyna-blocking", change_at=5)
    gate, start = 3 * 9 + 8, 5 * 9 + 3
    before = env.rules
    assert env.P[gate + 9][0] == [(1.0, gate, 0.0, False)]
    env.reset(seed=0)
    for _ in range(3):
        env.step(2)
    env.reset()  # an episode's end does not set the count back
    env.step(2)
    assert env.rules is before
    assert env.steps == 4
    env.step(2)
    assert env.rules is not before
    assert env.P[gate + 9][0] == [(1.0, gate + 9, 0.0, False)]  # the right end is closed
    assert env.P[4 * 9][0] == [(1.0, 3 * 9, 0.0, False)]  # and the left one open
    assert env.layout.later is None
    assert env.reset(seed=1)[0] == start
    assert env.rules is not before  # and a reset does not bring the old walls back
    assert pickle.loads(pickle.dumps(env)).P == env.P  # noqa: S301 - our own bytes


def test_walls_wait_until_the_agent_has_left_the_place():
    env = GridWorld("dyna-blocking", change_at=2)
    gate = 3 * 9 + 8
    env.reset(options={"state": gate})
    bump = 1
    for _ in range(4):
        assert env.step(bump) == (gate, 0.0, False, False, {})
        assert env.layout.later is not None
    assert env.step(0)[0] == gate - 9
    assert env.layout.later is None


def test_a_change_too_late_for_the_agents_reset_comes_with_the_reset():
    env = GridWorld("dyna-blocking", change_at=1)
    env.reset(options={"state": 3 * 9 + 8})
    env.step(1)
    assert env.layout.later is not None
    env.reset()
    assert env.layout.later is None


def test_a_time_limit_truncates_and_a_continuing_world_never_terminates():
    env = gym.make("GridWorld-v0", max_episode_steps=30)
    env.reset(seed=0)
    flags = [env.step(int(a))[2:4] for a in np.random.default_rng(0).integers(5, size=30)]
    assert flags == [(False, False)] * 29 + [(False, True)]


def steps_per_second(env, n=20_000):
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(4, size=n).tolist()
    began = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return n / (time.perf_counter() - began)


def test_a_step_is_five_times_faster_than_frozen_lakes():
    ours, theirs = gym.make("GridWorld-v0"), gym.make("FrozenLake-v1")
    rates = [(steps_per_second(ours), steps_per_second(theirs)) for _ in range(3)]
    assert max(a for a, _ in rates) > 5 * max(b for _, b in rates)


def test_numpy_actions_are_actions():
    env = GridWorld("book-2x2", start=(0, 0))
    env.reset()
    assert env.step(np.int64(2))[0] == 2
    assert env.step(np.array(1))[0] == 3


@pytest.mark.parametrize("action", [-1, 5, 1.5, "up", None])
def test_an_unknown_action_is_refused(action):
    env = GridWorld()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"the action is .*; actions are 0 \.\. 4"):
        env.step(action)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"state": 9}, r"options\['state'\] is 9; a state is a whole number in 0 .. 5"),
        ({"state": -1}, r"options\['state'\] is -1"),
        ({"state": 1.0}, r"options\['state'\] is 1\.0"),
        ({"state": True}, r"options\['state'\] is True"),
        ({"state": 3}, r"is 3, the cell \(1, 0\), which cannot be entered; choose another\n    #XT\n    \^"),
        ({"state": 4}, r"is 4, the cell \(1, 1\), which cannot be entered"),
        ({"start": 1}, r"reset knows the option 'state' alone, not \['start'\]"),
    ],
)
def test_bad_options_are_refused(options, message):
    env = GridWorld("...\n#XT", forbidden="wall")
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "bok-5x5"}, "did you mean 'book-5x5'"),
        ({"slip": 2}, "slip is 2"),
        ({"start": (9, 9)}, r"start is \(9, 9\)"),
        ({"layout": "S.\nST", "start": "single"}, r"the map has 2: \(row, col\) = \(0, 0\), \(1, 0\)"),
        ({"rows": 3}, "rows is 3, but only layout='random' takes it"),
        ({"change_at": 7}, "change_at is 7, but the layout 'book-5x5' does not change"),
        ({"render_mode": "video"}, "render_mode is 'video'; choose one of"),
        ({"layout": "cliff", "start": "uniform"}, "forbidden='restart' sends the agent back to the start"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GridWorld(**arguments)


def test_rendering(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    text = gym.make("GridWorld-v0", render_mode="ansi")
    text.reset(seed=0)
    assert isinstance(text.render(), str)
    pixels = gym.make("GridWorld-v0", render_mode="rgb_array")
    pixels.reset(seed=0)
    still = pixels.render()
    assert still.dtype == np.uint8
    assert still.ndim == 3
    pixels.step(1)
    assert (pixels.render() != still).any()
    assert pickle.loads(pickle.dumps(pixels.unwrapped)).render().shape == still.shape  # noqa: S301 - our own bytes
    window = gym.make("GridWorld-Cliff-v0", render_mode="human")
    window.reset(seed=0)
    window.step(0)
    assert window.render() is None
    window.close()
    window.close()


def test_a_changed_layout_is_drawn_anew():
    env = GridWorld("dyna-blocking", change_at=1, render_mode="ansi")
    env.reset()
    before = env.render()
    env.step(2)  # a bump: only the walls move
    assert env.render() != before


def test_rendering_without_a_mode_says_how():
    env = gym.make("GridWorld-Cliff-v0").unwrapped
    env.reset()
    with pytest.warns(UserWarning, match=r'gym.make\("GridWorld-Cliff-v0", render_mode="rgb_array"\)'):
        assert env.render() is None


def test_a_million_states_are_built_in_seconds_and_little_memory():
    layout = random_layout(1000, 1000, 0.15, 0, forbidden_density=0.1)
    tracemalloc.start()
    began = time.perf_counter()
    env = GridWorld(layout, actions=4, slip=0.2, target="terminal")
    seconds = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 10
    assert peak < 300e6
    env.reset(seed=0)
    assert env.step(1)[0] in {0, 1, 1000}
