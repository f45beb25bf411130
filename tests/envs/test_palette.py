"""The colours of envs.palette: even steps, an order that survives in grey, and ink that can be read."""

import numpy as np
import pytest

from envs import palette


def oklab(colour):
    channel = np.asarray(colour) / 255
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    to_cones = [[0.4122215, 0.5363325, 0.0514460], [0.2119035, 0.6806995, 0.1073970], [0.0883025, 0.2817188, 0.6299787]]
    to_lab = [
        [0.2104543, 0.7936178, -0.0040720],
        [1.9779985, -2.4285922, 0.4505937],
        [0.0259040, 0.7827718, -0.8086758],
    ]
    return np.array(to_lab) @ np.cbrt(np.array(to_cones) @ linear)


def test_equal_steps_of_value_look_equal():
    stops = np.array([oklab(colour) for colour in palette.RAMP])
    steps = np.linalg.norm(np.diff(stops, axis=0), axis=1)
    assert steps.max() < 1.1 * steps.min()


def test_the_ramp_darkens_all_the_way():
    ramp = palette.heat(np.linspace(0, 1, 256))
    light = np.array([palette.luminance(tuple(colour)) for colour in ramp.tolist()])
    assert np.all(np.diff(light) < 1e-3)  # to the rounding of a channel
    assert light[0] > 0.9
    assert light[-1] < 0.08


def test_walls_are_darker_than_every_value():
    assert palette.luminance(palette.WALL) < palette.luminance(palette.RAMP[-1])


@pytest.mark.parametrize("fraction", np.linspace(0, 1, 41))
def test_numbers_can_be_read_on_every_value(fraction):
    background = tuple(palette.heat(np.array(fraction)).tolist())
    light = sorted((palette.luminance(background), palette.luminance(palette.ink_on(background))))
    assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.0


def test_heat_ends_in_the_ends_of_the_ramp():
    assert palette.heat(np.array([0.0, 0.5, 1.0])).tolist() == [list(palette.RAMP[i]) for i in (0, 4, 8)]
