"""What bandit agents ask of their world: one state."""

from rlkit.learning.setting import Setting


def check_one_state(setting: Setting, remedy: str) -> None:
    """Refuse a world in which the state matters.

    Raises:
        ValueError: naming how many states there are, and what to take instead.
    """
    if setting.n_states != 1:
        raise ValueError(f"a bandit has one state, and this world has {setting.n_states}; take {remedy}")
