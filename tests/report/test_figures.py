"""Value and policy as a picture: which drawing an environment gets, and pixels that stay as they were drawn."""

import gymnasium as gym
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from envs.draw import draw
from envs.gridworld import GridWorld
from rlkit.report.figures import value_and_policy

V = np.arange(25.0)
PI = np.full((25, 5), 0.2)


class World(GridWorld):
    """A grid world whose drawing is written out here."""

    def draw(self, *, value, policy, trajectory, limits):
        return draw(self.layout, value=value, policy=policy, trajectory=trajectory, limits=limits)


def rendered(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def test_a_grid_world_draws_itself_pixel_by_pixel():
    world = World()
    pixels = rendered(value_and_policy(world, V, PI, title="book", trajectory=[0, 1]))
    drawn = draw(world.layout, value=V, policy=PI, trajectory=[0, 1], limits=(0.0, 24.0))
    assert np.array_equal(pixels[56:656, 24:624], drawn)


def test_the_colours_span_the_cells_where_something_is_decided():
    world = World("cliff")
    v = np.linspace(-14, -1, 48)
    v[37:] = 1000.0  # the cliff and the goal: no state of a decision
    bar = value_and_policy(world, v).axes[0]
    assert bar.get_ylim() == pytest.approx((-14, v[36]))


def test_a_world_without_a_grid_gets_curves():
    rng = np.random.default_rng(0)
    figure = value_and_policy(gym.make("Blackjack-v1"), rng.normal(size=704), rng.random((704, 2)))
    values, actions = figure.axes
    assert np.all(np.diff(values.lines[0].get_ydata()) <= 0)
    assert sum(bar.get_height() for bar in actions.patches) == pytest.approx(1.0)


def test_a_value_alone_is_enough():
    for env, n in ((gym.make("FrozenLake-v1"), 16), (gym.make("Blackjack-v1"), 704)):
        assert value_and_policy(env, np.arange(float(n))).axes
    assert value_and_policy(World(), V).axes


@pytest.mark.parametrize(
    ("value", "policy", "complaint"),
    [
        (np.zeros((4, 4)), None, "value has shape"),
        (np.full(16, np.nan), None, "at least one finite"),
        (np.zeros(15), None, "value has 15 states, the environment has 16"),
        (np.zeros(16), np.zeros((15, 4)), "policy has shape"),
        (np.zeros(16), np.zeros((16, 3)), "the policy has 3 actions"),
    ],
)
def test_what_does_not_fit_is_named(value, policy, complaint):
    if policy is not None:
        policy = policy + 0.25
    with pytest.raises(ValueError, match=complaint):
        value_and_policy(gym.make("FrozenLake-v1"), value, policy)
