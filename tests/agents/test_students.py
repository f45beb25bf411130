"""Agents that learn from what was written: losses by hand, invariances to how a batch is cut, ordered and padded, going on, and mistakes."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import rlkit
from rlkit.policies import likelihood
from rlkit.policies.reward_model import RewardModel
from rlkit.policies.tiny_lm import tiny
from rlkit.sample import student
from rlkit.sample.corpus import Corpus, trajectories
from rlkit.sample.studies import Pair, Prompt, Verdict
from rlkit.sample.tokenizers import Letters
from tests.agents.studying import AGENTS, ANSWERS, FIXED, LETTERS, PAIRS, VERDICTS, corpus, model, moved, spoken
from tests.resume_students_worker import STEPS, made

ROOT = Path(__file__).parents[2]
ALL = np.arange(5)


def built(name, kind=torch.float64, **config):
    agent = rlkit.make(name, corpus(name, kind=kind), seed=3, **{**FIXED.get(name, {}), **config})
    return agent, moved(agent)


def sums(net, pairs=PAIRS):
    return torch.stack(
        [torch.stack([spoken(net, one.prompt, text).sum() for text in (one.chosen, one.rejected)]) for one in pairs]
    )


def means(net):
    return torch.stack(
        [torch.stack([spoken(net, one.prompt, text).mean() for text in (one.chosen, one.rejected)]) for one in PAIRS]
    )


def logsigmoid(x):
    return -torch.log1p(torch.exp(-x))


def sft(net, _):
    said = [spoken(net, *one) for one in ANSWERS]
    return -torch.cat(said).sum() / sum(len(one.answer) + 1 for one in ANSWERS)


def margin(net, before):
    found, start = sums(net), sums(before).detach()
    return (found - start)[:, 0] - (found - start)[:, 1]


def dpo(net, before):
    return -logsigmoid(0.1 * margin(net, before)).mean()


def cdpo(net, before):
    h = margin(net, before)
    return -(0.8 * logsigmoid(0.1 * h) + 0.2 * logsigmoid(-0.1 * h)).mean()


def robust(net, before):
    h = margin(net, before)
    return -((0.8 * logsigmoid(0.1 * h) - 0.2 * logsigmoid(-0.1 * h)) / 0.6).mean()


def ipo(net, before):
    return ((margin(net, before) - 5.0) ** 2).mean()


def hinge(net, before):
    return torch.clamp(1.0 - 0.1 * margin(net, before), min=0.0).mean()


def simpo(net, _):
    found = means(net)
    return -logsigmoid(2.5 * (found[:, 0] - found[:, 1]) - 1.375).mean()


def orpo(net, _):
    found = means(net)
    odds = found - torch.log(1.0 - torch.exp(found))
    return (-found[:, 0] - 0.1 * logsigmoid(odds[:, 0] - odds[:, 1])).mean()


def kto(net, before):
    def gain(prompt, answer):
        return spoken(net, prompt, answer).sum() - spoken(before, prompt, answer).sum().detach()

    # the next answer of the list that belongs to another prompt
    others = ["gf", "gf", "", "bcd", "c"]
    point = torch.stack([gain(one.prompt, other) for one, other in zip(VERDICTS, others, strict=True)]).mean()
    point = point.detach().clamp(min=0.0)
    gains = [gain(one.prompt, one.answer) for one in VERDICTS]
    signed = [g - point if one.desirable else point - g for one, g in zip(VERDICTS, gains, strict=True)]
    weights = [1.0 if one.desirable else 1.5 for one in VERDICTS]
    return sum(w * (1.0 - torch.sigmoid(0.1 * s)) for w, s in zip(weights, signed, strict=True)) / 5.0


def divergence(kind):
    def found(net, _):
        total = 0.0
        for one in ANSWERS:
            p, q = (said_of(speaker, one).exp() for speaker in (model(9), net))
            m = 0.25 * p + 0.75 * q
            forward, reverse = (p * (p / q).log()).sum(), (q * (q / p).log()).sum()
            js = 0.25 * (p * (p / m).log()).sum() + 0.75 * (q * (q / m).log()).sum()
            total = total + {"forward": forward, "reverse": reverse, "js": js}[kind]
        return total / sum(len(one.answer) + 1 for one in ANSWERS)

    return found


def said_of(net, one):
    """Log-probabilities of all tokens at each place of an answer, [R, V]."""
    asked, said = LETTERS.encode(one.prompt), LETTERS.encode(one.answer)
    return net.logits(net.hidden(torch.tensor([asked + said]))).log_softmax(-1)[0, len(asked) - 1 :]


LOSSES = [
    *(("distill", {"divergence": kind, "beta": 0.25}, divergence(kind)) for kind in ("forward", "reverse", "js")),
    ("sft", {}, sft),
    ("dpo", {}, dpo),
    ("dpo", {"loss": "cdpo", "smoothing": 0.2}, cdpo),
    ("dpo", {"loss": "robust", "smoothing": 0.2}, robust),
    ("dpo", {"loss": "ipo"}, ipo),
    ("dpo", {"loss": "hinge"}, hinge),
    ("simpo", {}, simpo),
    ("orpo", {}, orpo),
    ("kto", {"weight_undesirable": 1.5}, kto),
]


@pytest.mark.parametrize(("name", "config", "expected"), LOSSES)
def test_the_loss_and_its_gradient_are_those_of_plain_forwards(name, config, expected):
    agent, before = built(name, **config)
    gradient, found = agent.gradient(ALL)
    loss = expected(agent.net.model, before)
    assert float(found["loss"]) == pytest.approx(float(loss.detach()), rel=1e-10)
    torch.testing.assert_close(gradient, agent.optimizer.gradient(loss), rtol=1e-8, atol=1e-10)


def reward(net, prompt, answer):
    ids = torch.tensor([[*LETTERS.encode(prompt + answer), LETTERS.eos]])
    return net.model.hidden(ids)[0, -1] @ net.head.weight[0] + net.head.bias[0]


@pytest.mark.parametrize("centre", [0.0, 0.3])
def test_the_reward_models_loss_and_gradient_are_those_of_plain_forwards(centre):
    agent, _ = built("reward_model", centre=centre)
    gradient, found = agent.gradient(ALL)
    better, worse = (
        torch.stack([reward(agent.net, one.prompt, getattr(one, text)) for one in PAIRS])
        for text in ("chosen", "rejected")
    )
    margins = torch.tensor([one.margin for one in PAIRS])
    loss = (-logsigmoid(better - worse - margins) + centre * (better + worse) ** 2).mean()
    assert float(found["loss"]) == pytest.approx(float(loss.detach()), rel=1e-10)
    assert float(found["accuracy"]) == float((better > worse).double().mean())
    torch.testing.assert_close(gradient, agent.optimizer.gradient(loss), rtol=1e-8, atol=1e-10)


def test_all_logits_at_once_say_the_same_as_a_block_of_them_at_a_time(monkeypatch):
    agent, _ = built("dpo")
    gradient, found = agent.gradient(ALL)
    monkeypatch.setattr(likelihood, "serves", lambda matrix: matrix is None)
    same, also = agent.gradient(ALL, torch.ones_like(gradient))
    torch.testing.assert_close(same, gradient, rtol=1e-9, atol=1e-12)
    assert float(also["loss"]) == pytest.approx(float(found["loss"]), rel=1e-12)


def test_at_the_start_dpo_is_at_log_two_and_kto_at_a_half():
    for name, value in (("dpo", np.log(2.0)), ("kto", 0.5)):
        agent = rlkit.make(name, corpus(name), seed=0)
        agent._ask()
        assert float(agent.gradient(ALL)[1]["loss"]) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("name", AGENTS)
def test_neither_cuts_nor_order_nor_padding_change_a_gradient(name, monkeypatch):
    agent, _ = built(name, kind=torch.float32)
    whole, found = agent.gradient(ALL)
    agents = [built(name, kind=torch.float32, micro=micro)[0] for micro in (1, 2)]
    others = [agents[0].gradient(ALL), agents[1].gradient(ALL), agent.gradient(ALL[::-1].copy())]
    monkeypatch.setattr(student, "_SPARE", 0)  # no padding at all
    others.append(agent.gradient(ALL))
    for gradient, same in others:
        assert float((gradient - whole).norm() / whole.norm()) < 1e-6
        assert float(same["loss"]) == pytest.approx(float(found["loss"]), rel=1e-6)


@pytest.mark.parametrize("name", AGENTS)
def test_what_stands_in_the_padding_is_not_read(name):
    agent, _ = built(name)
    traj = trajectories([one for item in agent.lesson.table for one in item], torch.device("cpu"))
    filled = replace(traj, obs=traj.obs.clone(), actions=traj.actions.clone())
    length = torch.tensor([len(one.prompt) + len(one.answer) for item in agent.lesson.table for one in item])
    beyond = torch.arange(traj.mask.shape[1]) >= length[:, None] - 1
    assert beyond.any()
    filled.obs[beyond] = filled.actions[beyond] = 7
    torch.testing.assert_close(agent.net.say(filled), agent.net.say(traj), rtol=0, atol=0)


@pytest.mark.parametrize("name", AGENTS)
def test_it_learns(name):
    agent = rlkit.make(
        name, corpus(name, kind=torch.float32), seed=0, lr=3e-3, batch=4, report=1, **FIXED.get(name, {})
    )
    losses = [report.scalars["loss"] for report in agent.updates(60)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:3])
    if name in {"dpo", "reward_model", "simpo"}:
        assert report_of(agent)["accuracy"] == 1.0


def report_of(agent):
    return {key: float(value) for key, value in agent.gradient(ALL)[1].items()}


def test_a_pass_takes_every_item_once_in_an_order_of_its_own():
    agent = rlkit.make("sft", corpus("sft"), seed=0, batch=2)
    seen = np.concatenate([agent._next() for _ in range(5)])
    assert sorted(seen[:5]) == sorted(seen[5:]) == [0, 1, 2, 3, 4]
    assert list(seen[:5]) != list(seen[5:])


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A folder with every training stopped half way, and taken to its end by another process."""
    folder = tmp_path_factory.mktemp("students")
    for name in AGENTS:
        rlkit.save(made(name, STEPS), folder / f"{name}.npz")
    command = [sys.executable, "-m", "tests.resume_students_worker", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - our own interpreter
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", AGENTS)
def test_another_process_goes_on_to_the_last_bit(name, resumed):
    mine, there = made(name, 2 * STEPS).state_dict(), made(name, 0)
    rlkit.load(there, resumed / f"{name}-resumed.npz")
    theirs = there.state_dict()
    assert mine["step"] == theirs["step"] == 2 * STEPS
    for part in ("net", "optimizer", *(["head"] if "head" in mine else [])):
        assert all(np.array_equal(value, theirs[part][key]) for key, value in mine[part].items())
    for part in ("order", "reference"):
        assert np.array_equal(mine[part], theirs[part])


def test_a_state_of_other_data_is_refused():
    state = made("dpo", 1).state_dict()
    other = rlkit.make("dpo", corpus("dpo", data=PAIRS[::-1]))
    with pytest.raises(ValueError, match="the state is of other data"):
        other.load_state_dict(state)


def test_a_reward_model_scores_text_in_any_company():
    agent, _ = built("reward_model")
    prompts, answers = ["ab=", "ab=", "h", "ab="], ["cd", "", "gfedc", "e"]
    found = agent.acting.score(prompts, answers)
    expected = [float(reward(agent.net, p, a).detach()) for p, a in zip(prompts, answers, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_allclose(agent.acting.score(prompts[::-1], answers[::-1], batch=3), expected[::-1], rtol=1e-10)
    assert agent.act(("ab=", "cd")) == pytest.approx(expected[0], rel=1e-10)
    with pytest.raises(ValueError, match="1 prompts and 2 answers"):
        agent.acting.score(["a"], ["b", "c"])


def test_the_reward_is_read_at_the_end_and_not_where_the_same_token_stands_before():
    """EOS as a letter of its own within the answer, as where pad and EOS are one token: by position, not by value."""
    agent, _ = built("reward_model")
    inner = replace_eos(agent)
    ids = torch.tensor([[*LETTERS.encode("ab="), LETTERS.eos, 1, LETTERS.eos]])
    expected = agent.net.model.hidden(ids)[0, -1] @ agent.net.head.weight[0] + agent.net.head.bias[0]
    assert float(inner.detach()) == pytest.approx(float(expected.detach()), rel=1e-10)


def replace_eos(agent):
    example = agent.lesson.table[0][0]._replace(answer=[LETTERS.eos, 1, LETTERS.eos])
    longer = agent.lesson.table[1][0]._replace(answer=[1] * 9 + [LETTERS.eos])
    traj = trajectories([example, longer], torch.device("cpu"))
    return agent.net.say(traj)[0].sum()


def test_a_student_answers_text():
    agent = rlkit.make("sft", corpus("sft", kind=torch.float32, data=[ANSWERS[0]]), lr=1e-2, max_steps=8)
    for _ in agent.updates(40):
        pass
    assert agent.act("ab+") == "cd"
    assert agent.act(["ab+", "ab+"]) == ["cd", "cd"]


def test_a_head_is_drawn_from_the_seed():
    nets = [rlkit.make("reward_model", corpus("reward_model"), seed=seed).net for seed in (0, 0, 1)]
    assert isinstance(nets[0], RewardModel)
    assert torch.equal(nets[0].head.weight, nets[1].head.weight)
    assert not torch.equal(nets[0].head.weight, nets[2].head.weight)


PROMPTS = [Prompt("ab="), Prompt("a+")]


def test_on_its_own_answers_a_student_comes_near_its_teacher():
    agent = rlkit.make("distill", corpus("distill", kind=torch.float32, data=PROMPTS), lr=3e-3, batch=16, max_steps=6)
    losses = [report.scalars["loss"] for report in agent.updates(100)]
    assert np.mean(losses[-5:]) < 0.3 * losses[0]


def test_own_answers_take_the_place_of_given_ones_by_chance_and_their_gradient_is_that_of_the_text():
    agent = rlkit.make("distill", corpus("distill"), own=0.5, max_steps=5, batch=200)
    items, places = np.arange(200) % 5, np.arange(200)
    found = agent.lesson.renew(items, places, np.random.default_rng(0))
    kept = [
        item is agent.lesson.table[i][0] or item == agent.lesson.table[i][0]
        for (item,), i in zip(found, items, strict=True)
    ]
    assert 70 < sum(kept) < 130
    assert all(len(item.answer) <= 5 for (item,), same in zip(found, kept, strict=True) if not same)
    halves = [agent.lesson.renew(items, part, np.random.default_rng(0)) for part in (places[:70], places[70:])]
    assert halves[0] + halves[1] == found  # as two processes would


def test_a_teacher_of_other_tokens_and_none_at_all_are_refused():
    world = corpus("distill")
    with pytest.raises(ValueError, match="there is no teacher"):
        rlkit.make("distill", replace(world, teacher=None))
    other = tiny(5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="the student has 11 tokens and the teacher 5"):
        rlkit.make("distill", replace(world, teacher=other))


class Endless(Letters):
    """A tokenizer without EOS."""

    def __init__(self):
        super().__init__("ab")
        self.eos = None


MISTAKES = [
    ("distill", {}, {"own": 1.5}, "own is 1.5; it is a chance"),
    ("distill", {}, {"divergence": "sideways"}, "divergence is 'sideways'"),
    ("distill", {}, {"divergence": "js", "beta": 1.0}, "beta is 1.0; it must lie between 0 and 1"),
    ("distill", {}, {"temperature": 0.0}, "temperature is 0.0"),
    ("distill", {}, {"max_steps": 95}, "item 0 has 3 tokens of prompt, and max_steps is 95; the model's context is 96"),
    ("distill", {"data": PROMPTS}, {"own": 0.5}, "item 0 is a Prompt; distill learns from Answers"),
    ("sft", {"data": []}, {}, "there are no data; sft learns from Answers"),
    ("sft", {"data": PAIRS}, {}, "item 0 is a Pair; sft learns from Answers"),
    ("dpo", {"data": [("a", "b", "c")]}, {}, "item 0 is a tuple; dpo learns from Pairs"),
    ("dpo", {}, {"beta": 0.0}, "beta is 0.0; it must be above 0"),
    ("dpo", {}, {"loss": "ppo"}, "loss is 'ppo'; choose one of 'dpo'"),
    ("dpo", {}, {"loss": "cdpo", "smoothing": 0.5}, "smoothing is 0.5"),
    ("dpo", {}, {"batch": 0}, "batch is 0; it must be at least 1"),
    ("dpo", {}, {"max_grad_norm": 0.0}, "max_grad_norm is 0.0; it must be above 0"),
    ("dpo", {}, {"lr": "linear(1, 0)"}, "say over how many steps"),
    ("dpo", {"data": [Pair("", "a", "b")]}, {}, "item 0 has an empty prompt"),
    (
        "dpo",
        {"data": [PAIRS[0], Pair("a", "b" * 100, "b")]},
        {},
        "item 1 has 1 tokens of prompt and 101 of answer; the model's context is 96",
    ),
    ("simpo", {}, {"beta": -1.0}, "beta is -1.0"),
    ("orpo", {}, {"weight": -1.0}, "weight is -1.0"),
    ("reward_model", {}, {"centre": -1.0}, "centre is -1.0"),
    ("kto", {}, {"batch": 1}, "a batch of 1 has no mismatched pairs"),
    ("kto", {"data": [one._replace(desirable=True) for one in VERDICTS]}, {}, "all 5 answers are desirable"),
    (
        "kto",
        {"data": [Verdict("a", "b", True), Verdict("a", "c", False)]},
        {},
        "item 0 has no answer to another prompt",
    ),
    ("kto", {}, {"weight_desirable": 0.0}, "weight_desirable is 0.0"),
    ("sft", {}, {"template": "chatty"}, "template is 'chatty'"),
]


@pytest.mark.parametrize(("name", "given", "config", "message"), MISTAKES)
def test_mistakes_are_named(name, given, config, message):
    with pytest.raises(ValueError, match=message):
        rlkit.make(name, corpus(name, **given), **config)


def test_an_environment_is_refused_and_so_is_a_tokenizer_without_an_end():
    with pytest.raises(ValueError, match="the world is a int; give a Corpus, a Language, or the name of a model"):
        rlkit.make("sft", 3)
    with pytest.raises(ValueError, match="no token that ends an answer"):
        Corpus(corpus("sft").policy, Endless(), ANSWERS)
