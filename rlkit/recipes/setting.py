"""Settings of a recipe by its model: tiny models repeat letters and are pretrained here, real ones add numbers."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from rlkit.policies.tiny_lm import tiny
from rlkit.recipes.school import School, letters, sums
from rlkit.sample.opening import TINY, Speech, letters_in, open_model
from rlkit.sample.tokenizers import Letters

_ALL = letters_in(["абцдэ"])
_CONTEXT = 96


class Setting(NamedTuple):
    """What a recipe takes from its model."""

    build: Callable[[], Speech]  # the base model
    student: Callable[[], Speech]  # a smaller one
    school: School
    pretrains: bool  # the base model is new, and must read first
    lr: float  # of imitation
    rl_lr: float  # of rewards
    updates: int  # by rewards, in a stage
    cold: int  # answers of the cold start
    prompts: int  # problems of rejection sampling
    seed: int

    def rng(self, stage: int) -> np.random.Generator:
        """Return the random numbers of a stage's data."""
        return np.random.default_rng([self.seed, stage])


def setting(model: str, seed: int) -> Setting:
    """Return the setting of a model: tiny, smollm2, or a folder."""
    if model == TINY:
        build, student = (partial(_small, width, layers, seed) for width, layers in ((64, 2), (32, 2)))
        return Setting(build, student, letters(), True, 3e-3, 1e-3, 30, 64, 256, seed)
    whole = partial(open_model, model)
    return Setting(whole, whole, sums(), False, 1e-5, 4e-5, 20, 200, 200, seed)


def _small(width: int, layers: int, seed: int) -> Speech:
    known = Letters(_ALL)
    net = tiny(known.size, np.random.default_rng(seed), width=width, layers=layers, context=_CONTEXT)
    return Speech(net, known)
