"""Problems that a language model is never trained on: how many of them it solves, before and after."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rlkit.cli.languages import NOT_OF_TASKS
from rlkit.cli.worlds import argument

if TYPE_CHECKING:
    from rlkit.sample.language import Language

_PROMPTS, _SAMPLES, _SEED = 32, 4, 10_000
_APART = "held_out"


def held_out(language: Any, task: str, words: Sequence[str]) -> "Language | None":
    """Return the same model with the problems that its task keeps back; None where the task was not asked to part them.

    Args:
        language: that learns; anything else has no problems.
        task: its name.
        words: key=value, as they were given; held_out=False among them parts the problems.
    """
    given = dict(argument(word) for word in words)
    if given.get(_APART) is not False:
        return None
    from rlkit.sample import tasks  # noqa: PLC0415 - torch is loaded for those who need it
    from rlkit.sample.language import Language  # noqa: PLC0415

    if not isinstance(language, Language):
        return None
    own = {name: value for name, value in given.items() if name not in NOT_OF_TASKS}
    return replace(language, task=tasks.make(task, **own | {_APART: True}), dynamic=0, overlong=0, length_reward=0.0)


def pass_at_1(language: "Language", limit: int) -> float:
    """Return the share of answers, drawn as in training, that earn at least 1: four to each of 32 problems, the same every time.

    Args:
        language: the model and the problems.
        limit: the most tokens of an answer.
    """
    from rlkit.sample.tokens import TokenSampler  # noqa: PLC0415

    sampler = TokenSampler(language, _PROMPTS, _SAMPLES, limit)
    sampler.collect(np.random.default_rng(_SEED))
    return float(np.mean([reward >= 1.0 for reward in sampler.last.rewards])) if sampler.last is not None else 0.0
