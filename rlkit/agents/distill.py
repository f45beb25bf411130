"""Distillation: 1/N Σ_t D(teacher ‖ student) of next tokens, on answers that the student writes itself or on given ones; GKD, arXiv:2306.13649.

With the chance `own` an answer is the student's, drawn anew at temperature 1, as algorithm 1 has it for whole batches; no gradient passes
through the drawing. own = 0 is supervised: D on the answers of the data, which a teacher may have written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from rlkit.agent import Agent
from rlkit.pg.distillation import Divergence, distil
from rlkit.policies.distilled import Distilled
from rlkit.sample.config import Studies
from rlkit.sample.corpus import Corpus, Example, answers, opened
from rlkit.sample.language import Language
from rlkit.sample.lesson import Found, Lesson, Numbers, Renew, Said
from rlkit.sample.model_part import ModelPart
from rlkit.sample.opening import open_net
from rlkit.sample.speaking import Speaking
from rlkit.sample.student import Student
from rlkit.sample.studies import Answer, Prompt


@dataclass(frozen=True)
class Config(Studies):
    """Distillation."""

    teacher: str = ""  # the name or folder of a model; empty where the corpus has it
    divergence: Divergence = (
        "reverse"  # "forward": the student covers the teacher; "reverse": keeps to where it is; "js": between
    )
    beta: float = 0.5  # of "js", between 0 and 1
    temperature: float = 1.0  # divides the logits of both
    own: float = 1.0  # chance that an answer is the student's own; below 1 the data must hold answers


def loss(said: Said) -> Found:
    """Return Σ D; the student divides by all answer tokens of the batch."""
    return Found(said.steps.sum(), {})


def make(env: Corpus | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a corpus with a teacher, of Prompts, or of Answers where `own` is below 1; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration, or an item, that makes no sense.
    """
    if not 0.0 <= config.own <= 1.0:
        raise ValueError(f"own is {config.own}; it is a chance, between 0 and 1")
    divergence = partial(distil, divergence=config.divergence, beta=config.beta, temperature=config.temperature)
    divergence(
        torch.zeros(1, 1, 2), torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.bool)
    )  # it checks its arguments
    corpus, items = _opened(env, config)
    teacher = open_net(config.teacher) if config.teacher else corpus.teacher
    if teacher is None:
        raise ValueError("there is no teacher; name one, teacher='...', or give the corpus one")
    net, table = Distilled(corpus.policy.model, teacher, divergence), answers(corpus, items)
    room = corpus.policy.model.context - config.max_steps
    for i, (one,) in enumerate(table):
        if config.own and len(one.prompt) > room:
            raise ValueError(
                f"{corpus.name(i)} has {len(one.prompt)} tokens of prompt, and max_steps is {config.max_steps}; the model's "
                f"context is {corpus.policy.model.context}: lower max_steps or shorten it"
            )
    lesson = Lesson(table, loss, per="token", renew=_writer(corpus, config, table) if config.own else None)
    acting = Speaking(corpus, config.max_steps, seed)
    return Student(net, acting, lesson, config, seed, {"net": ModelPart(corpus)})


def _opened(env: Corpus | Language, config: Config) -> tuple[Corpus, list[Answer]]:
    """The data: answers where some are learned from, else prompts are enough."""
    if config.own < 1.0 or (isinstance(env, Corpus) and any(isinstance(item, Answer) for item in env.data)):
        return opened(env, config, Answer, "distill")
    corpus, prompts = opened(env, config, Prompt, "distill")
    return corpus, [Answer(item.prompt, "") for item in prompts]


def _writer(corpus: Corpus, config: Config, table: Sequence[tuple[Example]]) -> Renew:
    """What replaces answers of a batch by the student's own."""

    def renew(items: Numbers, places: Numbers, rng: np.random.Generator) -> list[tuple[Example, ...]]:
        own = rng.random(len(items)) < config.own
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        before = int(own[: places[0]].sum()) if len(places) else 0
        torch.rand(before, config.max_steps, generator=generator, dtype=torch.float64)  # the other processes'
        mine = places[own[places]]
        prompts, eos = [table[i][0].prompt for i in items[mine]], corpus.tokenizer.eos
        told = corpus.policy.generate(prompts, 1, config.max_steps, eos, generator) if prompts else []
        written = {k: ids for k, (ids, _) in zip(mine.tolist(), told, strict=True)}
        found: list[tuple[Example, ...]] = []
        for k in places.tolist():
            (one,) = table[items[k]]
            found.append((one._replace(answer=written.get(k, one.answer)),))
        return found

    return renew
