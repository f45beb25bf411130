"""KTO: λ (1 - σ(±β (Δ - z0))) of single answers that are wanted (+) or not (-), Δ = log π/π_ref; Ethayarajh et al., arXiv:2402.01306.

z0 is the mean of Δ over answers to other prompts, not below 0, a constant. The paper takes the next answer of the batch for that; here it
is the next answer of the data that belongs to another prompt, so that z0 does not depend on how a batch is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from rlkit.agent import Agent
from rlkit.pg.preferences import kto, kto_reference, shifted
from rlkit.sample.config import Studies
from rlkit.sample.corpus import Corpus, Example, answers, opened
from rlkit.sample.language import Language
from rlkit.sample.lesson import Found, Lesson, Said
from rlkit.sample.student import speaking
from rlkit.sample.studies import Verdict


@dataclass(frozen=True)
class Config(Studies):
    """KTO."""

    beta: float = 0.1  # weight of the divergence from the reference
    weight_desirable: float = 1.0  # λ_D; λ_D n_D / (λ_U n_U) should lie between 1 and 4/3
    weight_undesirable: float = 1.0  # λ_U


def mismatched(table: Sequence[tuple[Example]], context: int) -> list[Example]:
    """Return each prompt with the next answer that belongs to another prompt and fits the context.

    Raises:
        ValueError: there is none.
    """
    found = []
    for i, (own,) in enumerate(table):
        following = (table[(i + ahead) % len(table)][0] for ahead in range(1, len(table)))
        fitting = (
            one for one in following if one.prompt != own.prompt and len(own.prompt) + len(one.answer) <= context
        )
        other = next(fitting, None)
        if other is None:
            raise ValueError(
                f"item {i} has no answer to another prompt beside it, which kto's reference point needs: give more prompts"
            )
        found.append(Example(i, own.prompt, other.answer))
    return found


def make(env: Corpus | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a corpus of Verdicts; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration, or an item, that makes no sense.
    """
    for name in ("beta", "weight_desirable", "weight_undesirable"):
        if not getattr(config, name) > 0.0:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be above 0")
    shifted(config.batch)
    corpus, items = opened(env, config, Verdict, "kto")
    if len({item.desirable for item in items}) < 2:
        only = "desirable" if items[0].desirable else "undesirable"
        raise ValueError(
            f"all {len(items)} answers are {only}; kto compares desirable answers with undesirable ones: give both"
        )
    wanted = torch.tensor([item.desirable for item in items])

    def loss(said: Said) -> Found:
        gain, good = (said.sums - said.reference)[:, 0], wanted.to(said.items.device)[said.items]
        point = kto_reference(said.point)
        weights = {"weight_desirable": config.weight_desirable, "weight_undesirable": config.weight_undesirable}
        signed = config.beta * torch.where(good, gain - point, point - gain).detach()
        measures = {"accuracy": (signed > 0.0).sum(), "point": point * len(good)}
        return Found(kto(gain, good, point, beta=config.beta, **weights).sum(), measures)

    table = answers(corpus, items)
    lesson = Lesson(table, loss, reference=True, contrast=mismatched(table, corpus.policy.model.context))
    return speaking(corpus, lesson, config, seed)
