"""What one process of tests/test_ranks_language.py does: language models learn, with as many processes as there are, and go on."""

import sys
from pathlib import Path

import numpy as np

import rlkit
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.run import ranks
from rlkit.sample.language import Language
from rlkit.sample.tasks import make
from rlkit.sample.token_env import letters_of
from tests.agents.studying import AGENTS, corpus

STUDENTS: dict[str, dict[str, object]] = {name: {"batch": 5, "lr": 1e-3, "micro": 2, "max_steps": 6} for name in AGENTS}
STUDENTS["distill"]["own"] = 0.7
SPEAKERS = {"grpo": {"envs": 16, "group": 4, "batch": 8, "epochs": 2, "max_steps": 3, "lr": 1e-3, "kl": 0.1}}
STEPS = {**dict.fromkeys(STUDENTS, 6), **dict.fromkeys(SPEAKERS, 200)}


def built(name):
    """An agent that has learned nothing."""
    if name in STUDENTS:
        return rlkit.make(name, corpus(name), seed=3, **STUDENTS[name])
    task = make("copying", letters="ab", longest=1)
    letters = letters_of(task)
    model = tiny(letters.size, np.random.default_rng(0), width=16, context=16).double()
    return rlkit.make(name, Language(LanguagePolicy(model), letters, task), seed=3, **SPEAKERS[name])


def trained(name):
    """An agent after its steps, and the losses or returns that it reported."""
    agent = built(name)
    key = "loss" if name in STUDENTS else "return"
    return agent, [report.scalars[key] for report in agent.updates(STEPS[name])]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in STEPS:
        agent, reports = trained(name)
        rlkit.save(agent, folder / f"{name}.npz")
        if ranks.writes():
            np.save(folder / f"{name}.npy", np.array(reports))
    ranks.leave()
