"""Single lessons that recipes are made of: imitate, or be rewarded; each lets a model learn in place."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rlkit.agent import Agent
from rlkit.agents import make
from rlkit.sample.corpus import Corpus
from rlkit.sample.language import Language
from rlkit.sample.studies import Answer
from rlkit.sample.text.problem import TextTask

_SMALL = 1_000_000  # weights
_FOREVER = 10**9


def imitate(speaker: Language, data: Sequence[Answer], *, lr: float, seed: int, epochs: float, batch: int = 16) -> None:
    """Fine-tune a model on answers, so many times through all of them."""
    steps = max(1, round(epochs * len(data) / batch))
    agent = make(
        "sft",
        Corpus(speaker.policy, speaker.tokenizer, data),
        batch=batch,
        lr=falling(lr, steps),
        seed=seed,
        threads=threads(speaker),
    )
    run(agent, steps)


def reinforce(
    speaker: Language, task: TextTask, *, updates: int, limit: int, lr: float, seed: int, **config: Any
) -> None:
    """Let a model learn by GRPO (Dr. GRPO's advantage and sum), `updates` of 8 problems with 8 answers each."""
    settings = {"advantage": "none", "how": "constant", "envs": 64, "group": 8, "batch": 64, "epochs": 1, **config}
    agent = make(
        "grpo",
        replace(speaker, task=task),
        max_steps=limit,
        lr=lr,
        seed=seed,
        report=1,
        threads=threads(speaker),
        **settings,
    )
    iterations(agent, updates)


def run(agent: Agent, steps: int) -> None:
    """Let an agent learn."""
    for _ in agent.updates(steps):
        pass


def iterations(agent: Agent, number: int) -> None:
    """Let an agent that reports after every iteration make so many."""
    reports = agent.updates(_FOREVER)
    for _ in range(number):
        next(reports)


def threads(speaker: Language) -> int:
    """Return how many threads a model is worth: one for a small one, where a second only waits; 0 leaves it to the agent."""
    return int(sum(p.numel() for p in speaker.policy.parameters()) < _SMALL)


def falling(lr: float, steps: int) -> str:
    """Return a step size that falls to nothing in so many steps."""
    return f"linear({lr}, 0, {steps + 1})"
