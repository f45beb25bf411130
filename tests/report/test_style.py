"""The figures and the grids that draw themselves have the same colours."""

import itertools
import subprocess
import sys

import numpy as np
from matplotlib.colors import to_rgb

from envs import palette
from rlkit.report import style


def byte(colour):
    return tuple(round(255 * channel) for channel in to_rgb(colour))


def test_the_colours_of_reports_and_environments_agree():
    assert tuple(map(byte, style.RAMP)) == palette.RAMP
    for ours, theirs in (
        (style.SURFACE, palette.FLOOR),
        (style.INK, palette.INK),
        (style.GRID, palette.PAPER),
        (style.WALL, palette.WALL),
        (style.FORBIDDEN, palette.FORBIDDEN),
        (style.TARGET, palette.TARGET),
        (style.WARNING, palette.WARNING),
        (style.ACCENT, palette.AGENT),
    ):
        assert byte(ours) == theirs


def test_the_ramps_agree_between_their_stops_too():
    fractions = np.linspace(0, 1, 101)
    ours = np.rint(255 * style.HEAT(fractions)[:, :3])
    assert np.abs(ours - palette.heat(fractions)).max() <= 2


def test_neighbouring_lines_differ_in_grey():
    light = [palette.luminance(byte(colour)) for colour in style.LINES]
    assert all(abs(one - other) > 0.05 for one, other in itertools.pairwise(light))
    assert len(set(style.DASHES)) == len(style.DASHES)


def test_no_global_state():
    code = (
        "import sys; from rlkit.report import style; style.figure(2, 2, 'x'); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter
    assert done.stdout.strip() == "False"
