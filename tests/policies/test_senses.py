"""Senses: every space packed as gymnasium.spaces.flatten has it, one by one or in batches, and what does not fit refused."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from rlkit.policies.senses import Senses

IMAGE = spaces.Box(0, 255, (5, 4, 3), np.uint8)
FLAT = [
    spaces.Box(-1, 1, (3,)),
    spaces.Box(-1, 1, (2, 2), np.float64),
    spaces.Box(0, 255, (4, 4), np.uint8),
    spaces.MultiDiscrete([2, 3]),
    spaces.MultiBinary(4),
    spaces.Dict(
        {"b": spaces.Box(-1, 1, (2,)), "a": spaces.Discrete(3), "c": spaces.Dict({"d": spaces.MultiBinary(2)})}
    ),
    spaces.Tuple((spaces.Discrete(2, start=5), spaces.Box(-1, 1, (1,)))),
    spaces.Dict({"image": IMAGE, "n": spaces.Discrete(2)}),
]


@pytest.mark.parametrize("space", FLAT, ids=str)
def test_flat_observations_are_those_of_gymnasium(space):
    senses = Senses(space)
    space.seed(0)
    several = [space.sample() for _ in range(4)]
    batch = concatenate(space, several, create_empty_array(space, 4))
    expected = np.array([spaces.flatten(space, one) for one in several], np.float32)
    for packed in (senses.pack(batch), senses.pack(several), np.concatenate([senses.pack(one) for one in several])):
        assert packed.dtype == senses.dtype == np.float32
        np.testing.assert_array_equal(packed, expected)
    assert senses.shape == expected.shape[1:]
    assert senses.is_batch(batch)
    assert not senses.is_batch(several[0])
    assert [part.where.stop for part in senses.parts][-1] == senses.shape[0]


def test_an_index_counts_from_zero():
    senses = Senses(spaces.Discrete(4, start=2))
    assert (senses.kind, senses.shape, senses.dtype) == ("index", (), np.int64)
    assert senses.pack(np.array([2, 5])).tolist() == [0, 3]
    assert senses.pack(3).tolist() == [1]
    assert not senses.is_batch(np.int64(3))


def test_an_image_stays_bytes():
    senses = Senses(IMAGE)
    assert (senses.kind, senses.shape, senses.dtype) == ("image", (5, 4, 3), np.uint8)
    assert senses.pack([IMAGE.sample(), IMAGE.sample()]).shape == (2, 5, 4, 3)
    assert batch_space(IMAGE, 2).contains(senses.pack(batch_space(IMAGE, 2).sample()))


def test_parts_tell_images_from_numbers():
    first, second = Senses(FLAT[-1]).parts
    assert (first.kind, first.shape, first.where) == ("image", (5, 4, 3), slice(0, 60))
    assert (second.kind, second.shape, second.where) == ("vector", (2,), slice(60, 62))


@pytest.mark.parametrize(
    "space", [spaces.Text(5), spaces.Sequence(spaces.Discrete(2)), spaces.Dict({"x": spaces.Text(5)})]
)
def test_a_space_without_size_is_refused(space):
    with pytest.raises(ValueError, match="no fixed size"):
        Senses(space)


def test_what_is_no_number_is_refused_by_name():
    senses = Senses(gym.spaces.Box(-1, 1, (3,)))
    with pytest.raises(ValueError, match="the observation of environment 1 at step 7 is nan at place 2"):
        senses.check(np.array([[0, 0, 0], [0, 0, np.nan]], np.float32), "at step 7")


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \[2\]; the space .* has \[3\]"):
        Senses(gym.spaces.Box(-1, 1, (3,))).pack(np.zeros(2))
