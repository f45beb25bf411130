"""Numbers for the elements of finite spaces: every element its own, 0 .. count - 1."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Tuple

from rlkit.learning.spaces import count, numbering


@pytest.mark.parametrize(
    ("space", "elements"),
    [
        (Discrete(4), [0, 1, 2, 3]),
        (Discrete(3, start=-1), [-1, 0, 1]),
        (MultiDiscrete([2, 3]), [np.array([i, j]) for i in range(2) for j in range(3)]),
        (MultiDiscrete([2, 2], start=[1, -1]), [np.array([i, j]) for i in (1, 2) for j in (-1, 0)]),
        (MultiDiscrete([[2, 1], [1, 3]]), [np.array([[i, 0], [0, j]]) for i in range(2) for j in range(3)]),
        (MultiBinary(3), [np.array([i, j, k]) for i in (0, 1) for j in (0, 1) for k in (0, 1)]),
        (Tuple((Discrete(2), Discrete(3, start=5))), [(i, j) for i in range(2) for j in (5, 6, 7)]),
    ],
)
def test_elements_are_counted_in_order(space, elements):
    assert count(space) == len(elements)
    assert [numbering(space)(x) for x in elements] == list(range(len(elements)))


def test_blackjack_has_704_observations():
    space = gym.make("Blackjack-v1").observation_space
    assert count(space) == 32 * 11 * 2
    assert numbering(space)((31, 10, 1)) == 703


def test_an_infinite_space_has_no_count():
    assert count(Box(0, 1, (2,))) is None
    assert count(Tuple((Discrete(2), Box(0, 1)))) is None
    with pytest.raises(ValueError, match="must be finite"):
        numbering(Box(0, 1, (2,)))
