"""Coordinates and egocentric windows are what they should be by hand; Gymnasium's own wrappers do the rest."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import AddRenderObservation, FlattenObservation, FrameStackObservation

from envs.cells import FORBIDDEN, TARGET, WALL
from envs.gridworld import GridWorld
from envs.observations import CoordinateObservation, EgocentricObservation

MAP = "..X.\nS..T"


def test_coordinates_are_row_and_column():
    env = CoordinateObservation(GridWorld(MAP))
    assert env.observation_space == gym.spaces.MultiDiscrete([2, 4])
    assert env.reset()[0].tolist() == [1, 0]
    assert env.step(1)[0].tolist() == [1, 1]
    assert env.step(0)[0].tolist() == [0, 1]


def test_scaled_coordinates_are_between_0_and_1():
    env = CoordinateObservation(GridWorld(MAP), scaled=True)
    assert env.observation_space == gym.spaces.Box(0, 1, (2,), np.float32)
    env.reset(options={"state": 7})
    assert env.step(4)[0].tolist() == [1.0, 1.0]
    np.testing.assert_allclose(env.step(3)[0], [1.0, 2 / 3], rtol=1e-6)
    assert CoordinateObservation(GridWorld(["S.T"]), scaled=True).reset()[0].tolist() == [0, 0]


def test_the_window_shows_the_cells_around_and_walls_outside():
    env = EgocentricObservation(GridWorld(MAP), radius=1)
    assert env.reset()[0].tolist() == [[WALL, 0, 0], [WALL, 0, 0], [WALL, WALL, WALL]]
    env.step(1)
    assert env.step(1)[0].tolist() == [[0, FORBIDDEN, 0], [0, 0, TARGET], [WALL, WALL, WALL]]


def test_the_window_has_any_radius():
    assert EgocentricObservation(GridWorld(MAP), radius=0).reset()[0].tolist() == [[0]]
    wide = EgocentricObservation(GridWorld(MAP), radius=5).reset()[0]
    assert wide.shape == (11, 11)
    assert wide[5, 5:9].tolist() == [0, 0, 0, TARGET]
    assert (wide != WALL).sum() == 8


def test_two_places_can_look_alike():
    env = EgocentricObservation(GridWorld(".....\n.....\n.....\n....T"))
    alike = [env.reset(options={"state": s})[0] for s in (6, 7)]
    assert (alike[0] == alike[1]).all()


def test_the_window_follows_a_changing_layout():
    env = EgocentricObservation(GridWorld("dyna-blocking", change_at=1))
    below = 4 * 9 + 8
    obs, _ = env.reset(options={"state": below})
    assert obs[0].tolist() == [WALL, 0, WALL]
    assert env.step(1)[0][0].tolist() == [WALL, WALL, WALL]
    assert copy.deepcopy(env).step(1)[0][0].tolist() == [WALL, WALL, WALL]


@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version:UserWarning")
@pytest.mark.parametrize(
    "wrap",
    [
        CoordinateObservation,
        lambda env: CoordinateObservation(env, scaled=True),
        EgocentricObservation,
        lambda env: EgocentricObservation(env, radius=3),
        FlattenObservation,
    ],
)
def test_check_env_passes(wrap):
    check_env(wrap(gym.make("GridWorld-FourRooms-v0", render_mode="rgb_array")), skip_render_check=True)


def test_gymnasium_makes_one_hot_vectors_and_pixels():
    one_hot = FlattenObservation(gym.make("GridWorld-v0", start=(1, 2)))
    assert one_hot.reset()[0].tolist() == np.eye(25)[7].tolist()
    pixels = AddRenderObservation(gym.make("GridWorld-v0", render_mode="rgb_array"))
    obs, _ = pixels.reset(seed=0)
    assert obs.dtype == np.uint8
    assert obs in pixels.observation_space


def test_the_wrappers_stack_and_are_made_again_from_a_spec():
    env = FrameStackObservation(EgocentricObservation(gym.make("GridWorld-v0"), radius=2), 3)
    assert env.reset(seed=0)[0].shape == (3, 5, 5)
    again = gym.make(env.spec)
    assert again.reset(seed=0)[0].tolist() == env.reset(seed=0)[0].tolist()
    spec = copy.deepcopy(gym.spec("GridWorld-v0"))
    spec.additional_wrappers = (CoordinateObservation.wrapper_spec(scaled=True),)
    assert gym.make(spec).observation_space == gym.spaces.Box(0, 1, (2,), np.float32)


def test_they_work_in_gymnasiums_vector_environments():
    env = gym.make_vec(
        "GridWorld-v0", num_envs=3, vectorization_mode="sync", wrappers=[lambda e: EgocentricObservation(e, radius=1)]
    )
    assert env.reset(seed=0)[0].shape == (3, 3, 3)
    env.close()


@pytest.mark.parametrize("wrap", [CoordinateObservation, EgocentricObservation])
def test_they_refuse_what_does_not_observe_a_grid_worlds_state(wrap):
    with pytest.raises(ValueError, match="does not observe the state of a GridWorld"):
        wrap(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match="does not observe the state of a GridWorld"):
        wrap(FlattenObservation(gym.make("GridWorld-v0")))


@pytest.mark.parametrize("radius", [-1, 1.5, True, "1"])
def test_a_bad_radius_is_refused(radius):
    with pytest.raises(ValueError, match=r"radius is .*; it is a whole number, 0 or more"):
        EgocentricObservation(GridWorld(), radius)
