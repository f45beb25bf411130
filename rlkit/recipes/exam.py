"""The exam: what a model does on problems that it was never trained on: pass@1, pass@k, its form, its language, and how it is liked."""

from dataclasses import replace

import numpy as np

from rlkit.recipes.school import General, School
from rlkit.sample.language import Language
from rlkit.sample.rejection import sampled
from rlkit.sample.verifiers import language as latin
from rlkit.sample.verifiers import thinks_and_answers

PROMPTS, SAMPLES = 64, 8


def examine(speaker: Language, school: School, *, seed: int = 10_000) -> dict[str, float]:
    """Return the marks of a model on held-out problems.

    pass@1 is the mean over problems of the share of their k answers that are right, pass@k the share of problems with any that is.

    Args:
        speaker: model and tokenizer.
        school: has the problems.
        seed: of problems and answers.
    """
    language = replace(speaker, task=school.task(held_out=True))
    scored = list(sampled(language, prompts=PROMPTS, samples=SAMPLES, limit=school.limit, seed=seed, batch=PROMPTS))
    right = np.array([one.ended and one.score >= 1.0 for one in scored]).reshape(PROMPTS, SAMPLES)
    return {
        "pass@1": float(right.mean()),
        f"pass@{SAMPLES}": float(right.any(axis=1).mean()),
        "format": float(np.mean([thinks_and_answers(one.answer) for one in scored])),
        "latin": float(np.mean([latin(one.answer) for one in scored])),
    }


def pleases(speaker: Language, *, seed: int = 20_000) -> float:
    """Return how much a model's answers to general questions that are held out are liked, 0 to 1."""
    language = replace(speaker, task=General(held_out=True))
    found = sampled(language, prompts=PROMPTS, samples=SAMPLES, limit=8, seed=seed, batch=PROMPTS)
    return float(np.mean([one.score if one.ended else 0.0 for one in found]))
