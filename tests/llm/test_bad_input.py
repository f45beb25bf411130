"""What is wrong with a model, a tokenizer, a task or a file is named, with the remedy; what a run had learned is kept."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import rlkit
from rlkit.cli import main
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.run.checkpoint import read
from rlkit.sample import tasks
from rlkit.sample.language import Language
from rlkit.sample.text.problem import Question
from rlkit.sample.tokenizers import Letters

LETTERS = Letters("ab=")
TRAIN = ["train", "grpo", "--out", "one"]


class Asking:
    """One question; the score of its n-th answer is what a function of n says."""

    def __init__(self, score, prompt="a="):
        self.score, self.prompt, self.asked = score, prompt, 0

    def start(self, _rng):
        def judged(text):
            self.asked += 1
            return self.score(self.asked, text)

        return Question(self.prompt, None, judged)


def language(task, tokenizer=LETTERS):
    net = tiny(LETTERS.size, np.random.default_rng(0), width=16, layers=1, heads=2, kv_heads=1, context=16)
    return Language(LanguagePolicy(net), tokenizer, task)


def agent(task, **config):
    settings = {"envs": 8, "group": 4, "max_steps": 2, "epochs": 1, "lr": 1e-2, "report": 1, "threads": 1, **config}
    return rlkit.make("grpo", language(task), seed=0, **settings)


def right(_, text):
    return float(text.startswith("a"))


def test_a_tokenizer_without_an_end_is_refused():
    mute = SimpleNamespace(eos=None, size=3, encode=LETTERS.encode, decode=LETTERS.decode)
    with pytest.raises(ValueError, match="the tokenizer has no token that ends an answer; give it one"):
        language(tasks.make("copying", letters="ab"), mute)


def test_a_prompt_that_is_too_long_is_named_with_both_lengths():
    with pytest.raises(
        ValueError, match=r"prompt 0 has 15 tokens, and 2 may follow; the model's context is 16: shorten"
    ):
        list(agent(Asking(right, "a" * 15)).updates(10))


@pytest.mark.parametrize(("value", "said"), [(None, False), (float("nan"), False), (float("inf"), True)])
def test_rewards_that_are_none_are_left_out_and_infinite_ones_refused(value, said):
    one = agent(Asking(lambda n, text: value if n % 8 == 3 else right(n, text)))
    if said:
        with pytest.raises(ValueError, match="the task's reward is inf; it must be finite; on the answer"):
            list(one.updates(10))
        return
    reports = list(one.updates(60))
    assert one.sampler.last.unscored == 1
    assert all(np.isfinite(report.scalars["return"]) for report in reports)
    assert all(p.isfinite().all() for p in one.policy.parameters())


def test_a_reward_that_raises_stops_the_run_and_what_was_saved_goes_on(tmp_path):
    """The same numbers as without the failure, from the last checkpoint on."""

    def fails_late(n, text):
        if n > 40:
            raise KeyError("lost")
        return right(n, text)

    broken, whole = agent(Asking(fails_late)), agent(Asking(right))
    with pytest.raises(ValueError, match=r"the task raised KeyError: 'lost'; on the answer '.*' to 'a='"):
        rlkit.fit(broken, 1_000, out=tmp_path / "run", progress=False, every=1e-9)
    kept = read(tmp_path / "run" / "checkpoint.npz").state
    assert kept["step"] > 20
    mended = agent(Asking(right))
    rlkit.fit(mended, 100 - int(kept["step"]), out=tmp_path / "run", resume=True, progress=False)
    list(whole.updates(int(kept["step"])))
    list(whole.updates(100 - int(kept["step"])))
    for p, q in zip(mended.policy.parameters(), whole.policy.parameters(), strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize("advantage", ["population", "none", "leave-one-out"])
def test_a_group_of_one_has_nothing_to_compare_with_and_teaches_nothing(advantage):
    one = agent(Asking(right), group=1, advantage=advantage)
    before = [p.clone() for p in one.policy.parameters()]
    reports = list(one.updates(60))
    assert all(report.scalars["alike"] == 1.0 for report in reports)  # which is to be seen in the reports
    assert all(torch.equal(p, q) for p, q in zip(before, one.policy.parameters(), strict=True))


def test_a_broken_line_is_named_on_the_command_line_and_no_folder_is_left(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.jsonl").write_text('{"question": "1", "answer": "1"}\n{"question": "2", "answer\n')
    assert main([*TRAIN, "--task", "jsonl:some.jsonl", "--model", "tiny"]) == 2
    assert "some.jsonl, line 2 is no JSON" in " ".join(capsys.readouterr().err.split())
    assert main([*TRAIN, "--task", "addition", "--model", "./some.jsonl"]) == 2
    assert "./some.jsonl is no folder with a model" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "one").exists()
