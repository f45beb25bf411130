"""Ctrl-C at a good moment: asked once, a run stops at its next report, where all of it is saved; asked twice, at once."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Within its `with` block, notes the first Ctrl-C (or SIGTERM) in `asked`, and raises KeyboardInterrupt at the second.

    Args:
        deferred: False leaves Ctrl-C as it is; so does any thread but the main one, which alone hears it.
    """

    def __init__(self, *, deferred: bool = True) -> None:
        self.asked = False
        self._deferred = deferred and threading.current_thread() is threading.main_thread()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if self._deferred:
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
