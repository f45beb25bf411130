"""Gymnasium's autoreset modes as numbers that kernels know, and what a batch's step returns when it did nothing."""

from typing import Final

from gymnasium.vector import AutoresetMode

NEXT_STEP: Final = 0
SAME_STEP: Final = 1
DISABLED: Final = 2
MODES: Final = {
    AutoresetMode.NEXT_STEP: NEXT_STEP,
    AutoresetMode.SAME_STEP: SAME_STEP,
    AutoresetMode.DISABLED: DISABLED,
}
BAD_ACTION: Final = -1
NEEDS_RESET: Final = -2
NO_LIMIT: Final = -2  # a number of steps that no episode has
