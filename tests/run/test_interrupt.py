"""Ctrl-C: the first is obeyed at the next report, with all saved; the second at once; without a file, as ever."""

import os
import signal
import threading

import numpy as np
import pytest

import rlkit
from rlkit.run.checkpoint import read
from rlkit.run.interrupt import Interrupt


class Pressed:
    """An agent during whose k-th report someone presses Ctrl-C."""

    def __init__(self, inner, k, number=signal.SIGINT):
        self.inner, self.k, self.number, self.config = inner, k, number, inner.config

    def state_dict(self):
        return self.inner.state_dict()

    def updates(self, steps):
        for k, report in enumerate(self.inner.updates(steps), 1):
            if k == self.k:
                os.kill(os.getpid(), self.number)
            yield report


def agent():
    return rlkit.make("q_learning", "FrozenLake-v1", report=10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_ctrl_c_saves_everything(tmp_path, number):
    before = signal.getsignal(number)
    inner = agent()
    with pytest.raises(KeyboardInterrupt):
        rlkit.fit(Pressed(inner, 3, number), 1000, checkpoint=tmp_path / "a.npz")
    assert signal.getsignal(number) is before
    assert read(tmp_path / "a.npz").state["step"] == 30
    np.testing.assert_array_equal(read(tmp_path / "a.npz").state["memory"]["q"][0], inner.values)


def test_two_stop_at_once():
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_without_a_file_it_is_as_ever():
    with pytest.raises(KeyboardInterrupt), Interrupt(deferred=False):
        os.kill(os.getpid(), signal.SIGINT)


def test_in_another_thread_nothing_is_touched():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def inside():
        with Interrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [before]
