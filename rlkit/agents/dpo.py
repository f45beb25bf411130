"""DPO: -log σ(β h), h = log π(y_w)/π_ref(y_w) - log π(y_l)/π_ref(y_l), sums over tokens; Rafailov et al., arXiv:2305.18290 eq. 7.

Its relatives differ in what they make of h: `loss` "cdpo" and "robust" expect wrong labels, "ipo" wants a margin of 1 / (2 β), "hinge"
one of 1 / β. The reference is the model at the start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import Tensor

from rlkit.agent import Agent
from rlkit.pg.preferences import dpo, hinge, ipo, log_ratio_margin, robust_dpo
from rlkit.sample.config import Studies
from rlkit.sample.corpus import Corpus, opened, pairs
from rlkit.sample.language import Language
from rlkit.sample.lesson import Found, Lesson, Said
from rlkit.sample.student import speaking
from rlkit.sample.studies import Pair

Loss = Literal["dpo", "cdpo", "robust", "ipo", "hinge"]


@dataclass(frozen=True)
class Config(Studies):
    """DPO."""

    beta: float = 0.1  # weight of the divergence from the reference
    loss: Loss = "dpo"
    smoothing: float = 0.1  # of "cdpo" and "robust": the chance that a label is wrong, below 1/2


def losses(config: Config) -> Callable[[Tensor], Tensor]:
    """Return the loss as a function of h.

    Raises:
        ValueError: naming a field that makes no sense.
    """
    if not config.beta > 0.0:
        raise ValueError(f"beta is {config.beta}; it must be above 0")
    if not 0.0 <= config.smoothing < 0.5:
        raise ValueError(
            f"smoothing is {config.smoothing}; it is the chance that a label is wrong, at least 0 and below 1/2"
        )
    known: dict[str, Callable[[Tensor], Tensor]] = {
        "dpo": partial(dpo, beta=config.beta),
        "cdpo": partial(dpo, beta=config.beta, smoothing=config.smoothing),
        "robust": partial(robust_dpo, beta=config.beta, smoothing=config.smoothing),
        "ipo": partial(ipo, beta=config.beta),
        "hinge": partial(hinge, beta=config.beta),
    }
    if config.loss not in known:
        raise ValueError(f"loss is {config.loss!r}; choose one of {', '.join(map(repr, known))}")
    return known[config.loss]


def make(env: Corpus | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a corpus of Pairs; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration, or an item, that makes no sense.
    """
    of_margin = losses(config)
    corpus, items = opened(env, config, Pair, "dpo")

    def loss(said: Said) -> Found:
        (chosen, rejected), (ref_chosen, ref_rejected) = said.sums.unbind(1), said.reference.unbind(1)
        h = log_ratio_margin(chosen, rejected, ref_chosen, ref_rejected)
        measures = {
            "accuracy": (h.detach() > 0.0).sum(),
            "margin": config.beta * h.detach().sum(),
            "chosen": (chosen.detach() - ref_chosen).sum(),
            "rejected": (rejected.detach() - ref_rejected).sum(),
        }
        return Found(of_margin(h).sum(), measures)

    lesson = Lesson(pairs(corpus, items), loss, reference=True)
    return speaking(corpus, lesson, config, seed)
