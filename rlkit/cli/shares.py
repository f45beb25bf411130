"""A policy in a few lines, for a world that has no map or one too large for the terminal."""

import numpy as np
from numpy.typing import NDArray
from rich.console import Group
from rich.table import Table
from rich.text import Text


def shares(optimal: NDArray[np.bool_], v: NDArray[np.float64], policy: NDArray[np.int64]) -> Group:
    """Say how often each action is optimal and taken, and how the values are spread.

    Args:
        optimal: [S, A] the optimal actions.
        v: [S] values.
        policy: [S] the action taken.
    """
    table = Table()
    for name in ("action", "optimal in", "taken in"):
        table.add_column(name, justify="right")
    taken = np.bincount(policy, minlength=optimal.shape[1])
    for a, (best, chosen) in enumerate(zip(optimal.mean(axis=0), taken / len(policy), strict=True)):
        table.add_row(str(a), f"{best:.1%}", f"{chosen:.1%}")
    low, middle, high = np.quantile(v, (0.0, 0.5, 1.0))
    words = f"values: {low:.4g} to {high:.4g}, median {middle:.4g}; no map fits here, the picture has it"
    return Group(table, Text(words, style="dim"))
