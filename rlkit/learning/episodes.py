"""What Monte Carlo agents ask of their configuration and of their world."""

from typing import Literal, get_args

import numpy as np

from rlkit.arrays import Ints
from rlkit.learning.config import Learning, check
from rlkit.learning.setting import Setting
from rlkit.learning.truth import visitable

Visit = Literal["first", "every"]


def check_episodes(config: Learning, visit: str = "first", **at_least: float) -> None:
    """Refuse what no Monte Carlo agent can run with.

    Args:
        config: the configuration.
        visit: which visits of an episode count.
        at_least: fields and the least value of each.

    Raises:
        ValueError: naming the field and its value.
    """
    if visit not in get_args(Visit):
        raise ValueError(f"visit is {visit!r}; choose one of {', '.join(map(repr, get_args(Visit)))}")
    check(config, **at_least)
    for field in at_least:
        value = getattr(config, field)
        if value != int(value):
            raise ValueError(f"{field} is {value}; it must be a whole number")


def start_states(setting: Setting) -> Ints:
    """Return the states [N] that an episode can be made to start in: those in which some policy can have to act.

    Raises:
        ValueError: nobody knows them, the environment stating no model.
    """
    if setting.mdp is None:
        raise ValueError(
            "this agent starts episodes in every state, and the environment states no model (P or transitions) that "
            "tells which there are; take mc_epsilon_greedy, which starts where the environment does"
        )
    return np.flatnonzero(visitable(setting.mdp))
