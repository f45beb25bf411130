"""The progress bar: after a while, on a terminal, and nowhere else."""

import io
import sys
import time

import pytest

from rlkit.run.progress import Bar


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "shown", "patience", "appears"),
    [
        (Terminal, True, 0.0, True),
        (Terminal, True, 60.0, False),
        (Terminal, False, 0.0, False),
        (io.StringIO, True, 0.0, False),
    ],
)
def test_when_it_appears(monkeypatch, stream, shown, patience, appears):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream())
    with Bar("planning", 10, shown=shown, patience=patience) as bar:
        time.sleep(0.05)
        bar.show(3, {"bound": 0.5})
        time.sleep(0.15)
    written = sys.stderr.getvalue()
    assert ("planning" in written) == appears
    assert ("bound 0.5" in written) == appears


def test_an_error_passes_through(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(RuntimeError, match="inside"), Bar("planning", patience=0.0):
        raise RuntimeError("inside")
