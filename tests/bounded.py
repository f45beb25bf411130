"""A bound on time, for what may never come back."""

import contextlib
import signal


@contextlib.contextmanager
def within(seconds):
    """Raise TimeoutError in what has not ended after so many seconds."""

    def ring(_signal, _frame):
        raise TimeoutError(f"it has not ended after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
