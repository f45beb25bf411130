"""A language model plays a 4x4 GridWorld in words, over several turns: a cold start of its form, then GRPO, against the optimum by value iteration.

    python benchmarks/llm_grid.py            (three seeds)

The model reads the number of its cell, answers with the letter of an action, reads where it has come, and so on; what the world says is masked in
the loss and kept in attention. The cold start shows that an answer is one letter, by letters drawn at random: nothing of the way. The optimum is
that of the world's MDP with so many turns, from the same starts.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

import rlkit
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.recipes.lessons import imitate
from rlkit.sample import tasks
from rlkit.sample.language import Language
from rlkit.sample.opening import letters_in
from rlkit.sample.studies import Answer
from rlkit.sample.text.ways import Ways
from rlkit.sample.tokenizers import Letters
from rlkit.sample.tokens import TokenSampler

LAYOUT = "....\n.X..\n..X.\n...T"
TURNS, LIMIT = 8, 2  # of an episode, and tokens of an answer: a letter and the end
STARTS, STEPS = 15, 100_000
WORDS = ("u", "r", "d", "l", "s")
REFUSAL = f"There is no such action; answer with one word: {', '.join(WORDS)}."  # as `EnvTask` says it


def world() -> tasks.EnvTask:
    """Return the game: any start; the target pays 1 and ends, a forbidden cell costs .2, a step .05, one into the edge too."""
    rewards: dict[str, Any] = {"r_step": -0.05, "r_forbidden": -0.2, "r_boundary": -0.05, "r_target": 1.0}
    settings = {"layout": LAYOUT, "target": "terminal", "start": "uniform", **rewards}
    return tasks.EnvTask(
        "GridWorld-v0", view="observation", actions=WORDS, turns=TURNS, invalid=-0.2, rules="", **settings
    )


def optimum(task: tasks.EnvTask) -> float:
    """Return what can be earned on average over starts, by backward induction in the world's MDP."""
    mdp = rlkit.from_env(task.make())
    if mdp is None:
        raise ValueError(f"{task.env} has no model to compute an optimum from")
    ways = Ways(mdp, TURNS)
    starts = np.diff(mdp.start_cdf, prepend=0.0)
    return float(sum(p * ways.value(s, TURNS) for s, p in enumerate(starts) if p > 0.0))


def earned(language: Language) -> float:
    """Return what the most probable answers earn on average over starts: the world is deterministic, one episode of each start is exact.

    Raises:
        ValueError: a start was not drawn.
    """
    sampler = TokenSampler(replace(language, policy=LanguagePolicy(language.policy.model, top_k=1)), 200, 1, LIMIT)
    sampler.collect(np.random.default_rng(12_345))
    if (
        sampler.last is None
        or len(found := dict(zip(sampler.last.prompts, sampler.last.rewards, strict=True))) < STARTS
    ):
        raise ValueError(f"not all of the {STARTS} starts were drawn; draw more episodes")
    return float(np.mean(list(found.values())))


def learner(seed: int) -> Language:
    """Return a new model, its letters, and the game."""
    letters = Letters(letters_in([REFUSAL, "0123456789\n", *WORDS]))
    return Language(LanguagePolicy(tiny(letters.size, np.random.default_rng(seed), width=64)), letters, world())


def cold_start(language: Language, seed: int) -> None:
    """Show what an answer looks like: letters of actions drawn at random, whatever the cell."""
    rng = np.random.default_rng([seed, 1])
    data = [Answer(language.task.start(rng).prompt, str(rng.choice(WORDS))) for _ in range(1_000)]
    imitate(language, data, lr=3e-3, seed=seed, epochs=2, batch=32)


def play(language: Language, seed: int, steps: int) -> None:
    """Learn from so many chosen tokens: REINFORCE++'s advantages, what is still to come of an episode, whitened."""
    sizes = {"envs": 64, "group": 8, "batch": 32, "max_steps": LIMIT, "epochs": 2, "threads": 1, "report": 10_000}
    how = {"advantage": "to-go", "whiten": True, "entropy": 0.02, "lr": f"linear(2e-3, 2e-4, {steps})"}
    agent = rlkit.make("grpo", language, seed=seed, **sizes, **how)
    for report in agent.updates(steps):
        print(f"  {report.step:,} tokens: return {report.scalars['return']:.3f}", file=sys.stderr, flush=True)


def measured(seed: int, steps: int) -> dict[str, float]:
    """Train one seed, and return what it earns when new, after the cold start and after play, beside the optimum."""
    begin, language = time.process_time(), learner(seed)
    new = earned(language)
    cold_start(language, seed)
    before = earned(language)
    play(language, seed, steps)
    after, best = earned(language), optimum(language.task)
    returns = {"new": new, "before": before, "after": after, "optimum": best, "share": after / best}
    return {"seed": seed, **returns, "cpu_s": time.process_time() - begin}


def main() -> None:
    """Train each seed, and print a table and one line of JSON each."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--steps", type=int, default=STEPS, help="tokens that the model chooses")
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    rows = []
    for seed in range(asked.first, asked.first + asked.seeds):
        rows.append({name: round(value, 3) for name, value in measured(seed, asked.steps).items()})
        print(json.dumps(rows[-1]), flush=True)
    print("\n| " + " | ".join(rows[0]) + " |\n|" + " ---: |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(f"{value:g}" for value in row.values()) + " |")


if __name__ == "__main__":
    main()
