"""What maps read off a model: where actions lead, and where something is decided."""

import gymnasium as gym
import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from rlkit.mdp import from_env
from rlkit.report.figures import value_and_policy
from rlkit.report.toy_text import decided, moves

LEFT, RIGHT, UP, DOWN = (0, -1), (0, 1), (-1, 0), (1, 0)


@pytest.mark.parametrize("slippery", [False, True])
def test_moves_of_frozen_lake(slippery):
    mdp = from_env(gym.make("FrozenLake-v1", is_slippery=slippery))
    assert moves(mdp, (4, 4)) == [LEFT, DOWN, RIGHT, UP]


def test_moves_of_cliff_walking():
    assert moves(from_env(gym.make("CliffWalking-v1")), (4, 12)) == [UP, RIGHT, DOWN, LEFT]


def test_decisions_on_frozen_lake():
    live = decided(from_env(gym.make("FrozenLake-v1"))).reshape(4, 4)
    assert live.tolist() == [[c not in "HG" for c in row] for row in ("SFFF", "FHFH", "FFFH", "HFFG")]


def test_decisions_on_cliff_walking():
    live = decided(from_env(gym.make("CliffWalking-v1"))).reshape(4, 12)
    assert live[:3].all()
    assert live[3].tolist() == [True] + [False] * 11


def arrows(axes):
    return sum(len(c.get_paths()) for c in axes.collections if isinstance(c, PolyCollection))


def test_frozen_lake_has_an_arrow_for_every_optimal_action_and_a_number_for_every_decision():
    policy = np.zeros((16, 4))
    policy[:, 1] = 1
    policy[0, 2] = 1
    axes = value_and_policy(gym.make("FrozenLake-v1"), np.linspace(0, 1, 16), policy).axes[0]
    assert arrows(axes) == 11 + 1
    numbers = {text.get_position(): text.get_text() for text in axes.texts}
    assert len(numbers) == 11
    assert numbers[0, 0.33] == "0.00"
    assert numbers[2, 3.33] == "0.93"  # (x, y): the cell before the goal


def test_taxi_is_twenty_maps_of_which_four_are_empty():
    env = gym.make("Taxi-v4") if "Taxi-v4" in gym.registry else gym.make("Taxi-v3")
    policy = np.zeros((500, 6))
    policy[:, 1] = 1
    figure = value_and_policy(env, np.arange(500.0), policy, title="Taxi")
    panels = figure.axes[:20]
    assert [arrows(axes) for axes in panels] == [0 if k // 4 == k % 4 else 25 for k in range(20)]
    walls = [c for c in panels[1].collections if type(c).__name__ == "LineCollection"]
    assert sorted(tuple(map(tuple, s)) for s in walls[0].get_segments()) == [
        ((x, row - 0.5), (x, row + 0.5)) for x, row in ((0.5, 3), (0.5, 4), (1.5, 0), (1.5, 1), (2.5, 3), (2.5, 4))
    ]
