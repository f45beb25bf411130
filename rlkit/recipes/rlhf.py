"""RLHF, three ways from the same preferences: fine-tuning, PPO by a reward model of them, DPO on them directly; arXiv:2203.02155, arXiv:2305.18290.

General questions have answers that are liked more or less (`rlkit.recipes.school.General`). A fine-tuned model writes pairs, the better of which is
known by Bradley and Terry's chances; a reward model, and DPO, see nothing but the pairs. All are compared by what is really liked, by KL(π ‖ sft) of
whole answers, and by how often an answer is liked more than the fine-tuned model's to the same question, ties half.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from rlkit.agents import make
from rlkit.recipes.course import Course, Row
from rlkit.recipes.judging import judge_of, learn_to_judge
from rlkit.recipes.lessons import imitate, iterations, run, threads
from rlkit.recipes.school import General
from rlkit.recipes.setting import setting
from rlkit.sample.corpus import Corpus
from rlkit.sample.judge import Judged
from rlkit.sample.language import Language
from rlkit.sample.rejection import Scored, sampled
from rlkit.sample.studies import Answer, Pair, read, write
from rlkit.sample.tokens import TokenSampler

PAIRS, LIMIT = "pairs.jsonl", 8
_SHARP = 8.0  # of Bradley and Terry's chances: how sure people are


def rlhf(model: str, out: Path, seed: int, console: Console) -> Course:
    """Do all stages, and return the course, whose table compares them.

    Args:
        model: tiny, smollm2, or a folder.
        out: where the stages are kept; those that are finished there are not done again.
        seed: of everything random.
        console: shows what each stage came to.
    """
    of = setting(model, seed)
    course = Course(out, {"recipe": "rlhf", "model": model, "seed": seed}, of.build, console)

    def exam(speaker: Language) -> Row:
        return _compare(speaker, course.language("sft") if (course.folder("sft")).is_dir() else speaker)

    def fine_tune(speaker: Language, _: Path) -> None:
        rng = of.rng(0)
        prompts = [General(held_out=False).start(rng).prompt for _ in range(2_000)]
        data = [Answer(prompt, prompt[:-1] + str(rng.choice(["", "!", ".", "a"]))) for prompt in prompts]
        imitate(speaker, data, lr=of.lr, seed=seed, epochs=3, batch=32)

    course.learn("sft", "", fine_tune, exam)

    def preferences(folder: Path) -> Row:
        speaker = replace(course.language("sft"), task=General(held_out=False))
        found = list(sampled(speaker, prompts=4 * of.prompts, samples=2, limit=LIMIT, seed=seed + 1, batch=64))
        pairs = _preferred(found, of.rng(1))
        write(folder / PAIRS, pairs)
        learn_to_judge(speaker, pairs, folder, lr=of.lr / 2, epochs=2, seed=seed + 1)
        return {"pairs": len(pairs)}

    course.stage("reward model", preferences)

    def ppo(speaker: Language, _: Path) -> None:
        judge = judge_of(course, "reward model")
        task = Judged(General(held_out=False), judge)
        sizes = {"envs": 64, "batch": 64, "max_steps": LIMIT, "threads": threads(speaker)}
        agent = make(
            "token_ppo",
            replace(speaker, task=task),
            lr=of.rl_lr,
            critic_lr=of.lr,
            kl=0.05,
            seed=seed,
            report=1,
            **sizes,
        )
        iterations(agent, of.updates)

    course.learn("ppo", "sft", ppo, exam)

    def dpo(speaker: Language, _: Path) -> None:
        data, _places = read(course.folder("reward model") / PAIRS, Pair)
        corpus = Corpus(speaker.policy, speaker.tokenizer, data)
        agent = make("dpo", corpus, beta=0.1, lr=of.rl_lr / 10, batch=16, seed=seed, threads=threads(speaker))
        run(agent, max(1, 2 * len(data) // 16))

    course.learn("dpo", "sft", dpo, exam)
    return course


def _preferred(found: list[Scored], rng: np.random.Generator) -> list[Pair]:
    """Pairs of two different answers to one question, the better one by chance, the likelier the more it is liked."""
    pairs = []
    for one, other in zip(found[::2], found[1::2], strict=True):
        if one.answer != other.answer:
            first = rng.random() < 1.0 / (1.0 + np.exp(-_SHARP * (one.score - other.score)))
            better, worse = (one, other) if first else (other, one)
            pairs.append(Pair(one.prompt, better.answer, worse.answer))
    return pairs


@torch.no_grad()
def _compare(speaker: Language, reference: Language, *, seed: int = 20_000, prompts: int = 128) -> Row:
    """What is liked, KL(π ‖ reference) by k1 of sampled answers, and the win rate against the reference on the same questions."""
    task = General(held_out=True)
    scores: list[NDArray[np.float64]] = []
    for one in (speaker, reference):
        sampler = TokenSampler(replace(one, task=task), prompts, 4, LIMIT)
        traj = sampler.collect(np.random.default_rng(seed))
        if not scores:
            said = (traj.logprobs - reference.policy.evaluate(traj).logprobs) * traj.mask
        scores.append((traj.rewards * traj.mask).sum(1).numpy())
    mine, theirs = scores[0], np.roll(scores[1].reshape(prompts, 4), 1, axis=1).ravel()
    return {
        "liked": float(mine.mean()),
        "KL": float(said.sum(1).mean()),
        "wins": float(np.mean(mine > theirs) + 0.5 * np.mean(mine == theirs)),
    }
