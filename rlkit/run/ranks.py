"""Ranks: which of torchrun's processes this is, and what they agree on. torch is loaded only where there are several."""

import importlib
import os
from typing import Any


def several() -> bool:
    """Whether torchrun started more than one process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def writes() -> bool:
    """Whether this process is the one that writes files and talks."""
    return os.environ.get("RANK", "0") == "0" or not several()


def check_joined(agent: str) -> None:
    """Refuse an agent that has not joined the other processes.

    Args:
        agent: its name.

    Raises:
        ValueError: it learns alone.
    """
    if several() and _dist().world_size() == 1:
        raise ValueError(f"{agent} learns in one process; start it without torchrun, and take --seeds for several runs")


def anywhere(flag: bool) -> bool:
    """Return whether the flag is set on any process; each must ask."""
    return any(_dist().everyone(flag)) if several() else flag


def first(text: str) -> str:
    """Return what the first process says; each must ask."""
    return str(_dist().everyone(text)[0]) if several() else text


def meet() -> None:
    """Wait for the other processes, if any; each must come."""
    anywhere(False)


def leave() -> None:
    """Part from the other processes, if any; the last thing that one does."""
    if several():
        _dist().leave()


def _dist() -> Any:
    return importlib.import_module("rlkit.dist")
