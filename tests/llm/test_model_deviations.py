"""The rows of the list of deviations that need a model or a tokenizer, numbered as in `test_deviations`.

7 the end token where padding looks like it, 8 padding, 9 token ids, 10 sampling transforms, 11 the sampler's rounding, 15 templates of several
turns, 16 dropout, 19 verifiers.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import rlkit
from rlkit.cli import main
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.sample import tasks, verifiers
from rlkit.sample.language import Language
from rlkit.sample.text.problem import Question
from rlkit.sample.text.templates import TEMPLATES
from rlkit.sample.tokenizers import Letters
from rlkit.sample.tokens import TokenSampler
from tests.bounded import within
from tests.policies.hf_nets import EOS, PROMPTS, V, gpt2, llama
from tests.policies.token_rows import random_rows, trajectories


def own():
    return tiny(V, np.random.default_rng(0), scale=8.0)


@pytest.fixture(scope="module", params=[own, llama, gpt2], ids=lambda made: made.__name__)
def model(request):
    return request.param()


def rows_of(found, prompts=PROMPTS):
    each = len(found) // len(prompts)
    return [
        (i // each, prompts[i // each] + one.ids, [False] * len(prompts[i // each]) + [True] * len(one.ids))
        for i, one in enumerate(found)
    ]


def shifted(model, traj, pad, *, blind=False):
    """What a model says of rows with `pad` tokens on their left: their positions begin after these, unless it is blind."""
    size = pad + traj.obs.shape[1]
    ids = torch.full((len(traj.obs), size), EOS)
    ids[:, pad:] = traj.obs
    places = torch.arange(size)
    positions = (places if blind else (places - pad).clamp(min=0)).expand_as(ids)
    allowed = torch.ones(size, size, dtype=torch.bool).tril()
    allowed[:, :pad] &= places[:, None] < pad  # a token of the row attends to none of the padding
    with torch.no_grad():
        logs = model.logits(model.hidden(ids, positions, allowed.expand(len(ids), -1, -1))).log_softmax(-1)
    said = logs[:, pad:].gather(2, traj.actions[..., None])[..., 0]
    return torch.where(traj.mask, said, 0)


def test_07_padding_that_is_the_end_token_hides_no_end():
    tokenizer = Letters("ab")
    policy = LanguagePolicy(tiny(tokenizer.size, np.random.default_rng(0), context=16))
    task = Asking(lambda text: 1.0 - len(text))
    traj = TokenSampler(Language(policy, tokenizer, task), 4, 8, 6).collect(np.random.default_rng(0))
    last = traj.terminated.int().argmax(1)[traj.terminated.any(1)]
    assert len(last) > 8
    assert traj.mask[traj.terminated].all()
    assert (traj.actions[traj.terminated] == tokenizer.eos).all()
    padding = torch.where(traj.mask, traj.actions, tokenizer.eos)  # as where pad = eos
    prompt = torch.arange(traj.mask.shape[1]) < traj.mask.int().argmax(1)[:, None]
    padded = type(traj)(**{**vars(traj), "actions": torch.where(prompt, traj.actions, padding)})
    assert torch.equal(policy.evaluate(padded).logprobs, policy.evaluate(traj).logprobs)
    assert (padded.actions[~padded.mask & ~prompt] == tokenizer.eos).any()


@pytest.mark.parametrize("pad", [1, 7, 20])
def test_08_neither_side_nor_amount_of_padding_changes_log_probabilities(model, pad):
    drawn = random_rows(np.random.default_rng(1), V, turns=2)
    plain = trajectories(drawn)
    policy, size = LanguagePolicy(model), plain.mask.shape[1]
    with torch.no_grad():
        expected = policy.evaluate(plain).logprobs
        right = policy.evaluate(trajectories(drawn, width=size + pad, padding=EOS)).logprobs
    assert expected.min() < -4.0
    torch.testing.assert_close(right[:, :size], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(shifted(model, plain, pad), expected, rtol=0, atol=1e-5)


def test_08_positions_that_count_the_padding_would_be_seen_where_they_are_absolute():
    """Rotary positions forgive it, GPT-2's do not: the test above is one that a library can fail."""
    plain = trajectories(random_rows(np.random.default_rng(1), V))
    off = [(shifted(m, plain, 7, blind=True) - shifted(m, plain, 7)).abs().max() for m in (llama(), gpt2())]
    assert off[0] < 1e-4
    assert off[1] > 0.1


def test_08_a_prompt_beside_longer_ones_is_answered_as_alone(model):
    policy = LanguagePolicy(model)
    together = policy.sample(PROMPTS, 3, 9, EOS, torch.Generator().manual_seed(0))
    alone = policy.sample(PROMPTS[:1], 3, 9, EOS, torch.Generator().manual_seed(0))
    assert [one.ids for one in alone] == [one.ids for one in together[:3]]
    for one, other in zip(alone, together[:3], strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)


class Merged:
    """Texts of a, b and their pair: "ab" is one token when it is read, and may be two when it is written."""

    eos, size = 4, 5
    _texts = ("a", "b", "ab", "", "")  # the fourth is no text at all

    def encode(self, text):
        found = []
        while text:
            found.append(2 if text.startswith("ab") else self._texts.index(text[0]))
            text = text[len(self._texts[found[-1]]) :]
        return found

    def decode(self, ids):
        return "".join(self._texts[i] for i in ids)


class Asking:
    """Questions of random letters; any score."""

    def __init__(self, score, letters="ab"):
        self.score, self.letters = score, letters

    def start(self, rng):
        return Question("".join(rng.choice(list(self.letters), rng.integers(1, 6))), None, self.score)


class Recorded:
    """A policy that remembers what it was asked to go on from, and what it wrote."""

    def __init__(self, policy):
        self.model, self.policy, self.turns = policy.model, policy, []

    def sample(self, prompts, samples, limit, eos, generator):
        found = self.policy.sample(prompts, samples, limit, eos, generator)
        self.turns.append(([list(ids) for ids in prompts for _ in range(samples)], [one.ids for one in found]))
        return found


@pytest.mark.parametrize("seed", range(8))
def test_09_ids_in_the_trajectories_are_those_that_were_drawn(seed):
    tokenizer = Merged()
    net = tiny(tokenizer.size, np.random.default_rng(seed), width=16, layers=1, heads=2, kv_heads=1, scale=4.0)
    policy = Recorded(LanguagePolicy(net))
    traj = TokenSampler(Language(policy, tokenizer, Asking(len)), 6, 4, 8).collect(np.random.default_rng(seed))
    ((prompts, written),) = policy.turns
    again = 0
    for b, (prompt, ids) in enumerate(zip(prompts, written, strict=True)):
        whole = prompt + ids
        row = [int(traj.obs[b, 0]), *traj.actions[b, : len(whole) - 1].tolist()]
        assert row == whole
        assert traj.actions[b][traj.mask[b]].tolist() == ids
        again += tokenizer.encode(tokenizer.decode(ids)) != [i for i in ids if i != tokenizer.eos]
    assert again > 3  # read again from their text, they would be others


TRANSFORMS = [
    {"temperature": 0.6},
    {"temperature": 1.7},
    {"top_k": 4},
    {"top_p": 0.8},
    {"temperature": 0.8, "top_k": 12, "top_p": 0.9},
]


def warped(logits, transform):
    """The distribution as transformers makes it: an implementation that is not ours."""
    kinds = {
        "temperature": transformers.TemperatureLogitsWarper,
        "top_k": transformers.TopKLogitsWarper,
        "top_p": transformers.TopPLogitsWarper,
    }
    for name, value in transform.items():
        logits = kinds[name](value)(None, logits)
    return logits.log_softmax(-1)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_10_recomputed_log_probabilities_are_those_of_the_distribution_drawn_from(model, transform):
    policy = LanguagePolicy(model, **transform)
    found = policy.sample(PROMPTS, 6, 10, EOS, torch.Generator().manual_seed(1))
    traj = trajectories(rows_of(found))
    with torch.no_grad():
        again = policy.evaluate(traj).logprobs
    drawn = torch.tensor([x for one in found for x in one.logprobs])
    torch.testing.assert_close(again[traj.mask], drawn, rtol=0, atol=1e-5)
    for b, one in enumerate(found):
        prompt = PROMPTS[b // 6]
        with torch.no_grad():
            logits = model.logits(model.hidden(torch.tensor([prompt + one.ids])))[0, len(prompt) - 1 : -1]
        theirs = warped(logits, transform).gather(1, torch.tensor(one.ids)[:, None])[:, 0]
        torch.testing.assert_close(theirs, torch.tensor(one.logprobs), rtol=0, atol=1e-5)
    plain = LanguagePolicy(model).evaluate(traj).logprobs.detach()
    assert (plain - again)[traj.mask].abs().max() > 0.05  # without the transform it is another number


@pytest.mark.parametrize("word", ["min_p=0.1", "min_new_tokens=2", "repetition_penalty=1.1", "temperature=0"])
def test_10_a_transform_that_is_not_known_is_refused(word, capsys):
    assert main(["train", "grpo", "--task", "addition", "--model", "tiny", "--arg", word]) == 2
    assert word.partition("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize("transform", [{}, {"temperature": 0.7, "top_p": 0.9}], ids=str)
def test_11_sampler_and_trainer_agree_in_process(transform):
    tokenizer = Letters("0123456789+=")
    policy = LanguagePolicy(tiny(tokenizer.size, np.random.default_rng(0), scale=6.0), **transform)
    language = Language(policy, tokenizer, tasks.make("addition"))
    agent = rlkit.make("grpo", language, envs=32, group=8, max_steps=6, recompute=True, lr=0.0, threads=1, seed=0)
    lesson = agent.prepare(agent.sampler.collect(np.random.default_rng(0)))
    off = (lesson.traj.logprobs - lesson.sampled)[lesson.traj.mask].abs().max()
    assert off < 1e-4
    (report,) = list(agent.updates(1))
    assert 0.0 <= report.scalars["kl_sampler"] < 1e-8


@pytest.mark.parametrize("template", TEMPLATES)
def test_15_every_template_goes_on_from_the_very_tokens_that_came_before(template):
    """Where a template is filled anew for each turn, the model's own turn may come back as other tokens, or without its thoughts."""
    letters = Letters("".join(map(chr, range(32, 127))) + "\n│─┌┐└┘├┤┬┴┼·↑→↓←○●★■□▲█▒░×")
    policy = Recorded(LanguagePolicy(tiny(letters.size, np.random.default_rng(0), width=8, heads=2, context=4096)))
    options = {"is_slippery": False, "view": "observation", "turns": 3}
    task = tasks.make("env:FrozenLake-v1", template=template, **options)
    traj = TokenSampler(Language(policy, letters, task), 1, 3, 4).collect(np.random.default_rng(0))
    assert len(policy.turns) == 3
    before = [prompt + ids for prompt, ids in zip(*policy.turns[0], strict=True)]
    for prompts, written in policy.turns[1:]:
        for old, prompt in zip(before, prompts, strict=True):
            assert prompt[: len(old)] == old
            assert len(prompt) > len(old)
        before = [prompt + ids for prompt, ids in zip(prompts, written, strict=True)]
    assert [int(traj.obs[0, 0]), *traj.actions[0].tolist()][: len(before[0])] == before[0]


def test_16_dropout_is_off_even_in_training():
    model, traj = gpt2(), trajectories(random_rows(np.random.default_rng(1), V))
    assert model.net.config.resid_pdrop > 0.0
    policy = LanguagePolicy(model.train())
    assert torch.equal(policy.evaluate(traj).logprobs, policy.evaluate(traj).logprobs)


HOSTILE = [
    "the answer is not 5, it is 6",
    "5 6",
    "__import__('pathlib').Path('rlkit-was-here').touch() or 6",
    "().__class__.__bases__[0].__subclasses__()",
    "<answer>__import__('pathlib').Path('rlkit-was-here').touch()</answer>",
    "<answer>5</answer><answer>6</answer>",
    "<answer>" * 20_000,
    "<think>" + "</think> <answer>" * 20_000,
    "<think>" * 20_000 + "</think>" * 20_000,
    "<answer>" + "</answer" * 20_000,
    "\\boxed{" * 20_000,
    "\\boxed{5} or \\boxed{6}",
    "(" * 50_000 + "6" + ")" * 50_000,
    "9**9**9**9",
    "1e999999999",
    "-" * 100_000 + "6",
    "6" * 200_000,
    "\u0665",  # five, in digits that int() takes
    "५",
    "5\u200b6",
    "0x5 6",
    "nan",
    "inf",
    "True",
    "\x00" * 10_000,
    "5" + "\n" * 200_000 + "6",
]


@pytest.fixture
def _bounded():
    """Kill what takes for ever."""
    with within(60):
        yield


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("name", ["exact", "number", "tagged", "boxed", "format"])
def test_19_no_answer_that_tries_is_taken_for_right(name):
    """What is wrong in these texts is the last number, the number of answers, or that it is code; none is run, and none takes long."""
    verify = verifiers.NAMED[name]
    assert [text[:40] for text in HOSTILE if verify(text, "5") > 0.0] == []
    assert not Path("rlkit-was-here").exists()
    assert verify(verifiers.shown([(verify, 1.0)], "5"), "5.0" if name != "exact" else "5") == 1.0


def test_19_nothing_that_judges_answers_can_run_them():
    folder = Path(verifiers.__file__).parent
    found = []
    for path in [*folder.glob("*.py"), *folder.glob("text/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found += [f"{path.name}: {node.func.id}"] * (node.func.id in {"eval", "exec", "compile", "__import__"})
    assert found == []


def test_19_what_the_prompt_says_is_no_answer():
    letters = Letters("5=")
    policy = Recorded(LanguagePolicy(tiny(letters.size, np.random.default_rng(0), width=8, heads=2)))
    task = Asking(lambda text: verifiers.last_number(text, "5"), letters="5")
    sampler = TokenSampler(Language(policy, letters, task), 4, 8, 3)
    sampler.collect(np.random.default_rng(0))
    silent = [not ids or ids[0] == letters.eos for ids in policy.turns[0][1]]
    assert any(silent)
    assert all(
        reward == 0.0 for reward, nothing in zip(sampler.last.rewards, silent, strict=True) if nothing
    )  # though its prompt ends with 5
