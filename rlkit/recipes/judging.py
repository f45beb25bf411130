"""Reward models between the stages of a recipe: learned from pairs, kept in a stage's folder, read from it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rlkit.agents import make
from rlkit.policies.reward_model import RewardModel
from rlkit.policies.state import load_module, module_state
from rlkit.recipes.course import MODEL, Course
from rlkit.recipes.lessons import falling, run, threads
from rlkit.sample.corpus import Corpus
from rlkit.sample.judge import Judge
from rlkit.sample.language import Language
from rlkit.sample.model_part import ModelPart
from rlkit.sample.student import Student
from rlkit.sample.studies import Pair

_HEAD = "head.npz"


def learn_to_judge(
    speaker: Language, data: Sequence[Pair], folder: Path, *, lr: float, epochs: float, seed: int
) -> Judge:
    """Make a judge of a model, which is lost to it, keep it in a folder, and return it."""
    steps = max(1, round(epochs * len(data) / 16))
    corpus = Corpus(speaker.policy, speaker.tokenizer, data)
    agent = make("reward_model", corpus, batch=16, lr=falling(lr, steps), seed=seed, threads=threads(speaker))
    run(agent, steps)
    if not isinstance(agent, Student) or not isinstance(agent.net, RewardModel):
        raise TypeError(f"a reward model is a student, and not {agent}")
    (folder / MODEL).mkdir()
    ModelPart(speaker).write(folder / MODEL)
    np.savez(folder / _HEAD, **module_state(agent.net.head))  # type: ignore[arg-type]  # as in rlkit.run.checkpoint
    return Judge(agent.net, Corpus(speaker.policy, speaker.tokenizer))


def judge_of(course: Course, stage: str) -> Judge:
    """Return the judge of a finished stage."""
    speaker = course.language(stage)
    net = RewardModel(speaker.policy.model, np.random.default_rng(0))
    with np.load(course.folder(stage) / _HEAD) as arrays:
        load_module(net.head, dict(arrays))
    return Judge(net, Corpus(speaker.policy, speaker.tokenizer))
