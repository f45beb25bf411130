"""Answers for a reader: tokens with their texts and advantages, the best and the worst of a group first, what others said left grey."""

import numpy as np
import torch

from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.sample import tasks
from rlkit.sample.answers import END, answers, pieces
from rlkit.sample.language import Language
from rlkit.sample.text.problem import Question, Turn
from rlkit.sample.tokenizers import Letters
from rlkit.sample.tokens import TokenSampler


def sampled(task, letters="ab=", prompts=3, group=4, limit=3):
    tokenizer = Letters(letters)
    net = tiny(tokenizer.size, np.random.default_rng(0), width=16, layers=1, heads=2, kv_heads=1, context=32)
    sampler = TokenSampler(Language(LanguagePolicy(net), tokenizer, task), prompts, group, limit)
    traj = sampler.collect(np.random.default_rng(0))
    return sampler.last, traj, tokenizer


def test_tokens_stand_with_their_advantages_and_make_up_the_answer():
    seen, traj, tokenizer = sampled(tasks.make("copying", letters="ab"))
    advantages = torch.arange(traj.mask.numel(), dtype=torch.float32).view(traj.mask.shape)
    found = answers(seen, traj, advantages, tokenizer, 99)
    assert len(found) == 12
    for one in found:
        b = next(
            b
            for b in range(12)
            if (seen.prompts[b], seen.completions[b])
            == (one["prompt"], "".join(x for x, _ in one["tokens"]).rstrip(END))
            and advantages[b][traj.mask[b]].tolist() == [value for _, value in one["tokens"]]
        )
        assert (one["gold"], one["reward"]) == (seen.golds[b], seen.rewards[b])
        assert ("".join(text for text, _ in one["tokens"])).endswith(END) == bool(traj.terminated[b].any())
    assert all(value is None for one in answers(seen, traj, None, tokenizer, 2) for _, value in one["tokens"])


def test_the_best_and_the_worst_of_each_group_come_first():
    class Counting:
        def start(self, rng):
            return Question("ab"[rng.integers(2)] * int(rng.integers(1, 9)), None, lambda text: float(text.count("a")))

    seen, traj, tokenizer = sampled(Counting())
    found = answers(seen, traj, None, tokenizer, 6)
    groups = [seen.rewards[4 * g : 4 * g + 4] for g in range(3)]
    assert all(max(rewards) > min(rewards) for rewards in groups)
    assert [one["reward"] for one in found] == [x for rewards in groups for x in (max(rewards), min(rewards))]


def test_what_the_other_side_said_has_no_advantage():
    class Talk:
        def start(self, _rng):
            return Told()

    class Told:
        prompt, gold, turns = "a", None, 0

        def answer(self, _completion):
            self.turns += 1
            return Turn(1.0, "=b=" if self.turns == 1 else None)

    seen, traj, tokenizer = sampled(Talk(), prompts=1)
    (one,) = answers(seen, traj, torch.ones(traj.mask.shape), tokenizer, 1)
    other = "".join(text for text, value in one["tokens"] if value is None)
    assert other == "=b="


class Bytes:
    """Letters of two tokens each, as a tokenizer of bytes has them."""

    eos, size = 256, 257

    def encode(self, text):
        return list(text.encode())

    def decode(self, ids):
        return bytes(ids).decode(errors="replace")


def test_a_letter_of_several_tokens_appears_with_its_last_one():
    ids = [*Bytes().encode("aé"), 256]
    assert pieces(Bytes(), ids) == ["a", "", "é", END]
