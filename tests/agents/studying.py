"""Corpora for the tests of agents that learn from what was written: a small model of letters, and a few lines of each kind."""

import copy

import numpy as np
import torch

from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.sample.corpus import Corpus
from rlkit.sample.studies import Answer, Pair, Verdict
from rlkit.sample.tokenizers import Letters

LETTERS = Letters("abcdefgh+=")
ANSWERS = [Answer("ab+", "cd"), Answer("a=", "bcdefgh"), Answer("ab+cd=", ""), Answer("h", "a"), Answer("fed", "cba")]
PAIRS = [
    Pair("ab=", "c", "defg", 0.5),
    Pair("a", "bcde", "b"),
    Pair("abcdefgh+", "", "ab"),
    Pair("ab=", "d", "e", 1.0),
    Pair("h+h", "gf", "fg"),
]
VERDICTS = [
    Verdict("ab=", "c", True),
    Verdict("ab=", "defg", False),
    Verdict("h", "gf", True),
    Verdict("h+", "", False),
    Verdict("a", "bcd", False),
]
KINDS = {"distill": ANSWERS, "sft": ANSWERS, "kto": VERDICTS}
FIXED = {"distill": {"own": 0.0}}  # what makes a gradient the same each time
AGENTS = ["distill", "dpo", "kto", "orpo", "reward_model", "sft", "simpo"]


def model(seed=0, kind=torch.float64):
    """A model that is far from uniform."""
    return tiny(LETTERS.size, np.random.default_rng(seed), width=16, context=96, scale=8.0).to(kind)


def corpus(name, seed=0, kind=torch.float64, data=None):
    """What the agent of this name learns from."""
    given = KINDS.get(name, PAIRS) if data is None else data
    return Corpus(LanguagePolicy(model(seed, kind)), LETTERS, given, model(9, kind) if name == "distill" else None)


def spoken(net, prompt, answer):
    """Log-probabilities of an answer's tokens, EOS among them, from one plain forward, [R]."""
    asked, said = LETTERS.encode(prompt), [*LETTERS.encode(answer), LETTERS.eos]
    ids = torch.tensor([asked + said])
    logs = net.logits(net.hidden(ids[:, :-1])).log_softmax(-1)[0]
    return logs[len(asked) - 1 :].gather(1, torch.tensor(said)[:, None])[:, 0]


def moved(agent, seed=1):
    """The agent with its net a little away from where it began, after the reference was asked; the net as it was, too."""
    agent._ask()
    before = copy.deepcopy(agent.net.model)
    agent.optimizer.flat.add_(
        torch.from_numpy(np.random.default_rng(seed).normal(0.0, 0.05, len(agent.optimizer.flat)))
    )
    return before
