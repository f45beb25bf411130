"""Renderer: what each mode returns, frames drawn by difference, copies, and headless use in a fresh interpreter."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from envs.draw import draw
from envs.layouts import load, parse
from envs.render import Renderer, ansi

BOOK = load("book-5x5")


@pytest.fixture
def _no_screen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def test_rgb_array_is_the_picture():
    frame = Renderer(BOOK, "rgb_array", 8).render(7)
    assert frame.dtype == np.uint8
    assert frame.shape == (600, 600, 3)
    assert np.array_equal(frame, draw(BOOK, agent=7))


@pytest.mark.parametrize("layout", [BOOK, load("four-rooms"), load("cliff"), load("book-line"), load("random")])
def test_frames_drawn_by_difference_equal_frames_drawn_anew(layout):
    renderer = Renderer(layout, "rgb_array", 8)
    rng = np.random.default_rng(0)
    walk = [0]
    for _ in range(12):
        walk.append(int(rng.integers(layout.n_states)))
        trail = walk[-4:]
        assert np.array_equal(renderer.render(walk[-1], trail), draw(layout, agent=walk[-1], trajectory=trail))


def test_frames_do_not_share_memory():
    renderer = Renderer(BOOK, "rgb_array", 8)
    first = renderer.render(0)
    kept = first.copy()
    second = renderer.render(24)
    assert np.array_equal(first, kept)
    assert not np.array_equal(first, second)
    first[:] = 0
    assert np.array_equal(renderer.render(24), second)


def test_ansi_is_the_text():
    assert Renderer(BOOK, "ansi", 8).render(7) == ansi(BOOK, agent=7)


@pytest.mark.usefixtures("_no_screen")
def test_human_opens_a_window_of_the_right_size_and_closes_it():
    import pygame

    renderer = Renderer(parse("S.T"), "human", 1000)
    assert renderer.render(0) is None
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    assert np.array_equal(shown, draw(parse("S.T"), agent=0, trajectory=None))
    assert renderer.render(1, [0, 1]) is None
    renderer.close()
    assert not pygame.display.get_init()
    renderer.close()


@pytest.mark.usefixtures("_no_screen")
def test_copies_and_pickles_have_no_window_and_draw_the_same():
    renderer = Renderer(BOOK, "rgb_array", 8)
    frame = renderer.render(3)
    for twin in (copy.deepcopy(renderer), pickle.loads(pickle.dumps(renderer))):  # noqa: S301 - made in this line
        assert np.array_equal(twin.render(3), frame)
    window = Renderer(parse("S.T"), "human", 1000)
    window.render(0)
    assert copy.deepcopy(window)._window is None
    window.close()


def test_drawing_goes_on_after_somebody_quits_pygame():
    import pygame

    renderer = Renderer(parse("3.T\nA.A"), "rgb_array", 8)
    before = renderer.render(1), draw(BOOK, value=np.arange(25.0))
    pygame.quit()
    assert np.array_equal(renderer.render(1), before[0])
    assert np.array_equal(draw(BOOK, value=np.arange(25.0)), before[1])


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode is 'rgb'"):
        Renderer(BOOK, "rgb", 8)


def test_headless_silent_and_light_in_a_fresh_interpreter():
    code = (
        "import sys, envs.render\n"
        "assert 'pygame' not in sys.modules\n"
        "from envs.layouts import load\n"
        "layout = load('book-5x5')\n"
        "assert envs.render.Renderer(layout, 'rgb_array', 8).render(0).shape == (600, 600, 3)\n"
        "envs.render.draw(layout, value=range(25))\n"
        "import pygame\n"
        "assert not pygame.display.get_init()\n"
    )
    clean = {
        k: v for k, v in os.environ.items() if k not in {"DISPLAY", "SDL_VIDEODRIVER", "PYGAME_HIDE_SUPPORT_PROMPT"}
    }
    done = subprocess.run(  # noqa: S603 - the command is this file's own
        [sys.executable, "-W", "error", "-c", code], env=clean, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
