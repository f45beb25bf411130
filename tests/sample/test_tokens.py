"""TokenSampler: the same tokens, rewards and flags as TokenEnv stepped by hand; groups, turns, and what nobody can score."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

import rlkit
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.sample import tasks
from rlkit.sample.language import Language
from rlkit.sample.text.problem import Question, Turn
from rlkit.sample.tokenizers import Letters
from rlkit.sample.tokens import TokenEnv, TokenSampler, enumerate_tokens


def language(task, letters, context=32, top_k=0, **options):
    tokenizer = Letters(letters)
    model = tiny(
        tokenizer.size, np.random.default_rng(0), width=16, layers=1, heads=2, kv_heads=1, context=context, scale=8.0
    )
    return Language(LanguagePolicy(model, top_k=top_k), tokenizer, task, **options)


@dataclass
class Talk:
    """Says a number; whoever answers with the same one is told the next, three turns long."""

    def start(self, rng):
        return Told(int(rng.integers(3)))


class Told:
    gold = None

    def __init__(self, number):
        self.number, self.turns, self.prompt = number, 0, f"{number}:"

    def answer(self, completion):
        self.turns += 1
        reward = completion.count(str(self.number)) - 0.5
        self.number = (self.number + 1 + len(completion)) % 3
        return Turn(reward, f";{self.number}:" if self.turns < 3 else None)


@dataclass
class Asking:
    score: object
    prompts: tuple = ("a", "b", "ab")

    def start(self, rng):
        prompt = self.prompts[rng.integers(len(self.prompts))]
        return Question(prompt, None, lambda text: self.score(prompt, text))


CASES = {
    "copying": (tasks.make("copying", letters="ab"), "ab=", {}),
    "dense": (tasks.make("copying", letters="ab", dense=True), "ab=", {}),
    "overlong": (tasks.make("copying", letters="ab"), "ab=", {"overlong": 2}),
    "addition": (tasks.make("addition"), "0123456789+=", {}),
    "several turns": (Talk(), "012:;", {}),
    "short of context": (Talk(), "012:;", {"context": 11}),
    "top k": (tasks.make("copying", letters="ab"), "ab=", {"top_k": 2}),
}


@pytest.mark.parametrize("name", CASES)
def test_stepping_the_environment_gives_the_same_tokens_rewards_and_flags(name):
    task, letters, options = CASES[name]
    lang = language(task, letters, **options)
    sampler = TokenSampler(lang, prompts=8, group=3, limit=4)
    traj = sampler.collect(np.random.default_rng(1))
    assert traj.mask.shape[0] == 24
    seeds = np.random.default_rng(1).integers(2**31, size=8).tolist()
    env = TokenEnv(task, lang.tokenizer, 4, context=lang.policy.model.context, overlong=lang.overlong)
    ends = set()
    for b in range(24):
        problem = task.start(np.random.Generator(np.random.PCG64(seeds[b // 3])))
        obs, _ = env.reset(options={"problem": problem})
        steps = traj.mask[b].nonzero()[:, 0].tolist()
        for t in steps:
            size = int((obs < lang.tokenizer.size).sum())
            assert traj.obs[b, :size].tolist() == obs[:size].tolist()
            assert size == t + 1  # the prefix ends with token t, and the action is the next one
            assert traj.actions[b, t] == traj.next_obs[b, t]
            obs, reward, terminated, truncated, _ = env.step(int(traj.actions[b, t]))
            assert traj.rewards[b, t].item() == pytest.approx(reward, abs=1e-6)
            assert (bool(traj.terminated[b, t]), bool(traj.truncated[b, t])) == (terminated, truncated)
            assert (terminated or truncated) == (t == steps[-1])
        ends.add((terminated, truncated))
        counted = traj.mask[b]
        assert not traj.rewards[b][~counted].any()
        assert not (traj.terminated[b] | traj.truncated[b])[~counted].any()
        assert sampler.last.rewards[b] == pytest.approx(float(traj.rewards[b].sum()), abs=1e-6)
        assert sampler.last.lengths[b] == len(steps)
    assert len(ends) == (1 if name == "short of context" else 2)
    assert traj.group.tolist() == [b // 3 for b in range(24)]


@pytest.mark.parametrize("name", CASES)
def test_the_policy_says_again_what_it_said_when_it_wrote(name):
    task, letters, options = CASES[name]
    lang = language(task, letters, **options)
    traj = TokenSampler(lang, prompts=4, group=4, limit=4).collect(np.random.default_rng(0))
    with torch.no_grad():
        logprobs = lang.policy.evaluate(traj).logprobs
    np.testing.assert_allclose(logprobs[traj.mask], traj.logprobs[traj.mask], atol=1e-5)


def test_tokens_of_the_other_side_are_read_but_not_learned():
    lang = language(Talk(), "012:;")
    traj = TokenSampler(lang, prompts=3, group=2, limit=3).collect(np.random.default_rng(0))
    semicolon = lang.tokenizer.encode(";")[0]
    for b in range(6):
        last = int(traj.mask[b].nonzero().max())
        unchosen = [t for t in range(1, last) if not traj.mask[b, t]]
        assert len(unchosen) == 6  # two replies of three letters
        assert traj.actions[b, unchosen[0]] == semicolon
        rewarded = traj.rewards[b].nonzero()[:, 0].tolist()
        assert len(rewarded) == 3
        assert all(traj.mask[b, t] for t in rewarded)


def test_the_same_random_numbers_give_the_same_answers():
    lang = language(tasks.make("addition"), "0123456789+=")
    sampler = TokenSampler(lang, 4, 2, 3)
    first, second = (sampler.collect(np.random.default_rng(seed)) for seed in (0, 0))
    assert torch.equal(first.actions, second.actions)
    assert not torch.equal(
        first.actions, sampler.collect(np.random.default_rng(1)).actions[:, : first.actions.shape[1]]
    )


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_what_nobody_can_score_is_in_no_baseline_and_teaches_nothing(unknown):
    lang = language(Asking(lambda _, text: unknown if "a" in text else float("b" in text)), "ab", context=16)
    sampler = TokenSampler(lang, 4, 6, 2)
    traj = sampler.collect(np.random.default_rng(0))
    bad = torch.tensor(["a" in text for text in sampler.last.completions])
    assert 0 < sampler.last.unscored == int(bad.sum()) < 24
    assert not traj.mask[bad].any()
    assert traj.mask[~bad].any(1).all()
    assert len(set(traj.group[bad].tolist())) == int(bad.sum())
    agent = rlkit.make("grpo", lang, threads=1, envs=24, group=6, max_steps=2, advantage="none", seed=0)
    advantages = agent.prepare(traj).advantages
    assert not advantages[bad].any()
    for g in range(4):  # the baseline is the mean of those that were scored
        rows = ~bad & (traj.group == g)
        scores = traj.rewards[rows].sum(1)
        np.testing.assert_allclose(advantages[rows].sum(1) / traj.mask[rows].sum(1), scores - scores.mean(), atol=1e-6)
    all_unknown = language(Asking(lambda *_: unknown), "ab", context=16)
    agent = rlkit.make("grpo", all_unknown, threads=1, envs=8, group=4, max_steps=2, seed=0)
    before = [p.clone() for p in all_unknown.policy.parameters()]
    agent.prepare(agent.sampler.collect(np.random.default_rng(0)))
    gradient = agent.gradient(
        *[agent.prepare(agent.sampler.collect(np.random.default_rng(0)))[i] for i in (0, 1, 2)], low=0.2, high=0.2
    )
    assert not gradient.any()
    assert all(torch.equal(p, q) for p, q in zip(before, all_unknown.policy.parameters(), strict=True))


def test_a_task_that_fails_is_told_and_nothing_is_lost():
    lang = language(Asking(lambda *_: 1 / 0), "ab", context=16)
    agent = rlkit.make("grpo", lang, envs=4, group=2, max_steps=2, seed=0)
    before = [p.clone() for p in lang.policy.parameters()]
    with pytest.raises(
        ValueError, match=r"the task raised ZeroDivisionError: division by zero; on the answer '.*' to '(a|b|ab)'"
    ):
        list(agent.updates(10))
    assert all(torch.equal(p, q) for p, q in zip(before, lang.policy.parameters(), strict=True))


def test_dynamic_sampling_fills_the_batch_with_groups_that_teach():
    task = Asking(lambda prompt, text: 0.0 if prompt == "a" else float(text.startswith("b")))
    lang = language(task, "ab", context=16)
    plain, dynamic = TokenSampler(lang, 8, 4, 2), TokenSampler(replace(lang, dynamic=20), 8, 4, 2)

    def spreads(traj):
        scores = traj.rewards.sum(1).reshape(8, 4)
        return (scores.max(1).values > scores.min(1).values).tolist()

    assert not all(spreads(plain.collect(np.random.default_rng(0))))
    assert plain.last.rounds == 1
    assert plain.last.dropped == 0
    assert all(spreads(dynamic.collect(np.random.default_rng(0))))
    assert dynamic.last.rounds > 1
    assert dynamic.last.dropped > 0


def test_dynamic_sampling_gives_up_in_the_end():
    lang = language(Asking(lambda *_: 0.0), "ab", context=16, dynamic=3)
    sampler = TokenSampler(lang, 4, 2, 2)
    traj = sampler.collect(np.random.default_rng(0))
    assert traj.mask.shape[0] == 8
    assert (sampler.last.rounds, sampler.last.dropped) == (3, 12)
    assert traj.group.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_short_answers_are_rewarded_within_their_group_as_kimi_does():
    lang = language(Asking(lambda *_: 1.0), "ab", context=16, length_reward=2.0)
    sampler = TokenSampler(lang, 3, 6, 8)
    sampler.collect(np.random.default_rng(0))
    differing = 0
    for g in range(3):
        lengths = np.array(sampler.last.lengths[g * 6 :][:6])
        shortest, longest = lengths.min(), lengths.max()
        differing += shortest < longest
        gains = 0.5 - (lengths - shortest) / max(1, longest - shortest) if shortest < longest else np.zeros(6)
        np.testing.assert_allclose(sampler.last.rewards[g * 6 :][:6], 1.0 + 2.0 * gains)
    assert differing


def test_bad_numbers_are_named():
    task = tasks.make("copying", letters="ab")
    lang = language(task, "ab=")
    for arguments, message in (((0, 1, 1), "prompts is 0"), ((1, 0, 1), "group is 0"), ((1, 1, 0), "limit is 0")):
        with pytest.raises(ValueError, match=message):
            TokenSampler(lang, *arguments)
    with pytest.raises(ValueError, match="overlong is 9; it must not exceed the limit, 4"):
        TokenSampler(replace(lang, overlong=9), 1, 1, 4)
    with pytest.raises(ValueError, match="group is 1, give at least 2"):
        TokenSampler(replace(lang, dynamic=2), 1, 1, 4)
    with pytest.raises(ValueError, match="dynamic is -1; it must be at least 0"):
        replace(lang, dynamic=-1)
    with pytest.raises(ValueError, match=r"the tokenizer's eos is 12; the model has the tokens 0 \.\. 3"):
        Language(lang.policy, Letters("0123456789+="), task)
    with pytest.raises(
        ValueError, match="group is 8, and 12 answers are written at a time; they must make whole groups"
    ):
        rlkit.make("grpo", lang, envs=12, max_steps=4)
    with pytest.raises(ValueError, match="the model's context is 32"):
        TokenSampler(lang, 1, 1, 40).collect(np.random.default_rng(0))


def test_grpo_makes_a_language_model_better_at_its_task_and_it_acts_in_the_environment():
    task = tasks.make("copying", letters="ab", longest=1)
    lang = language(task, "ab=")
    agent = rlkit.make(
        "grpo",
        lang,
        envs=64,
        group=8,
        batch=64,
        max_steps=3,
        epochs=1,
        lr=1e-2,
        advantage="none",
        how="constant",
        threads=1,
        seed=0,
    )
    reports = list(agent.updates(5_000))
    assert reports[-1].scalars["return"] > 0.9
    env = TokenEnv(task, lang.tokenizer, 3)
    assert rlkit.evaluate(agent, env, 20).mean == 1.0
    assert agent.act("a=") == "a"
    assert agent.act(["a=", "b="]) == ["a", "b"]
    assert all(len(text) <= 3 and set(text) <= set("ab=") for text in agent.act(["a="] * 50, explore=True))
    mdp = enumerate_tokens(task, lang.tokenizer, 3)
    assert mdp.n_states == 2 * (1 + 3 + 9) + 1


def test_a_run_goes_on_exactly_where_it_stopped():
    def agent():
        return rlkit.make(
            "grpo",
            language(tasks.make("copying", letters="ab"), "ab="),
            envs=16,
            group=4,
            max_steps=2,
            epochs=1,
            report=1,
            threads=1,
            seed=3,
        )

    whole, half, rest = agent(), agent(), agent()
    reports = [report.scalars for report in whole.updates(200)]
    first = [report.scalars for report in half.updates(100)]
    rest.load_state_dict(half.state_dict())
    second = [report.scalars for report in rest.updates(200 - 100)]
    assert first + second == reports
    for p, q in zip(whole.policy.parameters(), rest.policy.parameters(), strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize(
    ("config", "read"),
    [
        ({"advantage": "none", "how": "constant"}, "some"),
        ({"how": "token", "loss": "cispo"}, "some"),
        ({"how": "sequence", "loss": "reinforce", "advantage": "leave-one-out"}, "some"),
        ({"how": "sequence", "loss": "gspo"}, "some"),
        ({"kl": 0.1, "estimator": "k3"}, "all"),  # a divergence, entropy and OPMD's square pull at every row
        ({"entropy": 0.1}, "all"),
        ({"loss": "opmd", "how": "constant", "advantage": "none"}, "all"),
    ],
)
def test_groups_of_equal_rewards_are_not_read_and_the_gradient_is_the_same(config, read, monkeypatch):
    lang = language(Asking(lambda prompt, text: float(prompt == "a" and "b" in text)), "ab", context=16)
    lang.policy.model.double()
    agent = rlkit.make("grpo", lang, threads=1, envs=24, group=4, max_steps=3, seed=0, **config)
    lesson = agent.prepare(agent.sampler.collect(np.random.default_rng(0)))
    generator = torch.Generator().manual_seed(0)
    for weight in lang.policy.parameters():  # ratios are not 1 any more
        weight.data += 0.05 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
    seen = []
    plain = lang.policy.evaluate
    monkeypatch.setattr(lang.policy, "evaluate", lambda traj: seen.append(int(traj.mask.any(1).sum())) or plain(traj))
    found = [agent.gradient(*lesson[:3], low=0.2, high=0.2).clone()]
    agent._advantages_only = False
    found.append(agent.gradient(*lesson[:3], low=0.2, high=0.2))
    assert found[0].abs().max() > 1e-4
    torch.testing.assert_close(*found, rtol=1e-11, atol=1e-14)
    assert seen[1] == 24
    assert (seen[0] < 24) == (read == "some")
