"""Rejection sampling: what is kept, in what order, each once; pairs and verdicts of the same answers; and learning from it."""

import numpy as np
import pytest

import rlkit
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.sample.language import Language
from rlkit.sample.rejection import Scored, answers, pairs, rejection_sample, sampled, verdicts
from rlkit.sample.studies import Answer, Pair, Verdict, read
from rlkit.sample.tasks import make
from rlkit.sample.token_env import letters_of

SCORED = [
    Scored("p", "a", 1.0, True),
    Scored("p", "b", 0.0, True),
    Scored("p", "a", 1.0, True),
    Scored("p", "c", 2.0, True),
    Scored("q", "d", 0.0, True),
    Scored("q", "e", 0.2, True),
]


def test_each_answer_is_kept_once_the_best_first():
    assert answers(SCORED[:4]) == [Answer("p", "c"), Answer("p", "a"), Answer("p", "b")]
    assert answers(SCORED, most=1) == [Answer("p", "c"), Answer("q", "e")]


def test_pairs_are_of_one_prompt_and_far_enough_apart():
    assert pairs(SCORED) == [Pair("p", "c", "b", 2.0)]
    assert pairs(SCORED, gap=0.1) == [Pair("p", "c", "b", 2.0), Pair("q", "e", "d", 0.2)]


def test_verdicts_are_of_different_answers():
    assert verdicts(SCORED[:3]) == [Verdict("p", "a", True), Verdict("p", "b", False)]


def language(seed=0):
    task = make("copying", letters="ab", longest=1)
    letters = letters_of(task)
    return Language(
        LanguagePolicy(tiny(letters.size, np.random.default_rng(seed), width=32, context=32)), letters, task
    )


def test_right_answers_are_written_and_learned_from(tmp_path):
    path = tmp_path / "right.jsonl"
    speaker = language()
    found = rejection_sample(speaker, path, prompts=8, samples=32, limit=3, seed=1, batch=3)
    written, _ = read(path, Answer)
    golds = {problem.prompt: problem.gold for problem in speaker.task.problems()}
    assert (found.written, found.kept) == (256, len(written))
    assert found.right >= found.kept == found.solved == len({one.prompt for one in written}) > 0
    assert all(golds[one.prompt] == one.answer for one in written)
    agent = rlkit.make("sft", speaker, data=path, lr=1e-2, max_steps=3)
    for _ in agent.updates(40):
        pass
    assert all(agent.act(one.prompt) == one.answer for one in written)


def test_the_same_seed_gives_the_same_answers_and_a_condition_holds(tmp_path):
    one, other = (list(sampled(language(), prompts=4, samples=4, limit=3, seed=5)) for _ in range(2))
    assert one == other
    assert len(one) == 16
    found = rejection_sample(
        language(),
        tmp_path / "none.jsonl",
        prompts=4,
        samples=4,
        limit=3,
        least=0.0,
        wanted=lambda one: one.score > 1.0,
    )
    assert (found.kept, found.solved) == (0, 0)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="prompts is 0 and batch 16"):
        next(sampled(language(), prompts=0, samples=1, limit=3))
