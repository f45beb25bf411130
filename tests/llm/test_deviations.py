"""Where libraries of language-model RL deviate from their papers, and from each other: a test for each, numbered as the list is.

1 aggregation, 2 micro-batches and ranks, 3 groups that teach nothing, 4 CISPO's bound, 5 GSPO's form, 6 answers that were cut, 7 the end
token, 11 and 12 a sampler that differs, 13 old log-probabilities, 14 where a divergence stands, 15 what an environment said, 16 DPO's
reference, 17 rewards that are missing, 18 going on. Padding, token ids, sampling transforms, templates and verifiers (8, 9, 10, 19, and
the rest of 7, 11, 15 and 16) need a model or a tokenizer, and are tested beside those.
"""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from benchmarks.truth import divergences
from benchmarks.truth.worlds import ONE, THREE, Table, log_chances, logits_of, rows_of, worth
from rlkit import dist
from rlkit.agents.grpo import GRPO, Config
from rlkit.pg.baselines import group_advantages
from rlkit.pg.losses import gspo
from rlkit.pg.preferences import log_ratio_margin
from rlkit.pg.reduce import aggregate, count
from rlkit.run.presets import preset

CLIP = {"low": 0.2, "high": 0.2}
HOWS = ("token", "sequence", "constant")


class Drawn:
    """Draws answers to all prompts of a token world from a table, `group` to each, with an own state to go on from."""

    def __init__(self, world, policy, group, sampler=None):
        self.world, self.policy, self.group, self.sampler, self.calls = world, policy, group, sampler, 0

    def collect(self, rng):
        self.calls += 1
        logits = self.policy.logits.detach() if self.sampler is None else self.sampler
        rows, prompts = rows_of(self.world, logits), len(self.world.prompts)
        chances = log_chances(rows, logits, prompts).exp().numpy()
        answers = len(self.world.answers)
        chosen = [answers * p + rng.choice(answers, self.group, p=c / c.sum()) for p, c in enumerate(chances)]
        return rows.select(torch.from_numpy(np.concatenate(chosen)))

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]


def agent_of(world=ONE, logits=None, group=4, sampler=None, name=None, **config):
    known = preset("grpo", name, [field.name for field in fields(Config)]).config if name else {}
    policy = Table(logits_of(world, 0) if logits is None else logits)
    settings = {"lr": 0.05, "max_grad_norm": 1e9, "max_steps": world.length, **known, **config}
    return GRPO(Drawn(world, policy, group, sampler), policy, None, Config(**settings), seed=0)


def drawn(agent, seed=0):
    return agent.sampler.collect(np.random.default_rng(seed))


def gradient_of(agent, traj):
    lesson = agent.prepare(traj)
    return agent.gradient(lesson.traj, lesson.advantages, lesson.reference, **CLIP)


def moved(agent, seed=9, spread=0.5):
    """Move the policy, so that ratios are not one."""
    agent.optimizer.flat += logits_of(agent.sampler.world, seed, spread).flatten()
    return agent


LOSS = torch.tensor([[6.0, 0, 0], [1.0, 3.0, 0], [1.0, 2.0, 3.0]], dtype=torch.float64)
ROWS = torch.tensor([[1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=torch.bool)


@pytest.mark.parametrize(
    ("how", "length", "expected"),
    [
        ("token", 0, 16 / 6),  # DAPO; verl's and OpenRLHF's default, TRL's "dapo"
        ("sequence", 0, (6 + 2 + 2) / 3),  # GRPO's paper, TRL's "grpo"
        ("constant", 4, 16 / 12),  # Dr. GRPO with a budget of 4, TRL's "dr_grpo"
        ("constant", 1, 16 / 3),  # RLOO: an answer is one action
    ],
)
def test_01_sums_by_hand(how, length, expected):
    assert aggregate(LOSS, ROWS, how, count(ROWS, how, length)).item() == pytest.approx(expected, rel=1e-15)
    parts = [slice(0, 1), slice(1, 3)]
    whole = count(ROWS, how, length)
    total = sum(aggregate(LOSS[part], ROWS[part], how, whole) for part in parts)
    assert float(total) == pytest.approx(expected, rel=1e-15)


def test_01_a_mean_of_local_means_is_another_number():
    """TRL's "bnpo", and what a division by each micro-batch's own tokens gives: it depends on how the batch was cut."""
    found = [
        np.mean([float(aggregate(LOSS[p], ROWS[p], "token", count(ROWS[p], "token"))) for p in parts])
        for parts in ([slice(0, 1), slice(1, 3)], [slice(0, 2), slice(2, 3)])
    ]
    assert found == pytest.approx([(6 + 2) / 2, (10 / 3 + 2) / 2])


def test_01_deviations_by_hand():
    """Scores 1, 0, 0, 0: the population's deviation is √3 / 4, the sample's 1/2; TRL adds 1e-4, verl 1e-6, OpenRLHF 1e-9."""
    scores, group = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64), torch.zeros(4, dtype=torch.int64)
    for scale, epsilon, deviation in (
        ("population", 1e-6, math.sqrt(3) / 4),
        ("sample", 1e-4, 0.5),
        ("sample", 1e-9, 0.5),
    ):
        found = group_advantages(scores, group, scale=scale, epsilon=epsilon)
        assert found[0].item() == pytest.approx(0.75 / (deviation + epsilon), rel=1e-14)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("loss", ["clip", "cispo", "opmd", "reinforce"])
def test_02_micro_batches_and_order_change_nothing(how, loss):
    config = {"how": how, "loss": loss, "kl": 0.1, "batch": 64}
    whole = moved(agent_of(group=16, **config))
    traj = drawn(agent_of(group=16))
    assert len(set(traj.lengths.tolist())) == 3
    expected = gradient_of(whole, traj)
    order = torch.randperm(len(traj.mask), generator=torch.Generator().manual_seed(0))
    for micro in (7, 16):
        found = gradient_of(moved(agent_of(group=16, **config, micro=micro)), traj.select(order))
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("how", HOWS)
def test_02_two_ranks_are_one_batch(how, monkeypatch):
    """Each rank divides by the mean of all counts; the mean of their gradients is the joint batch's."""
    config = {"how": how, "kl": 0.1, "batch": 64}
    agent = moved(agent_of(THREE, group=8, **config))
    traj = drawn(agent_of(THREE, group=8))
    lesson, ranks = agent.prepare(traj), (slice(0, 3), slice(3, 16))
    whole = agent.gradient(lesson.traj, lesson.advantages, lesson.reference, **CLIP)
    counts = [count(traj.mask[rows], how, THREE.length) for rows in ranks]
    monkeypatch.setattr(dist, "mean", lambda _: torch.stack(counts).mean())
    parts = [
        agent.gradient(lesson.traj.select(rows), lesson.advantages[rows], lesson.reference[rows], **CLIP)
        for rows in ranks
    ]
    torch.testing.assert_close(torch.stack(parts).mean(0), whole, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("advantage", ["population", "sample", "none", "leave-one-out"])
def test_03_groups_that_are_alike_or_alone_give_exactly_nothing_and_are_counted(advantage):
    world = ONE._replace(prompts=(ONE.prompts[0], worth({}), worth(dict.fromkeys(ONE.answers, 0.1))))
    agent = agent_of(world, group=6, advantage=advantage)
    traj = drawn(agent)
    lesson = agent.prepare(traj)
    assert (lesson.advantages[6:] == 0.0).all()
    assert lesson.advantages[:6].abs().sum() > 0
    up = gradient_of(agent, traj).view(world.shape)
    assert (up[1:] == 0.0).all()
    *_, last = agent.updates(1)
    assert last.scalars["alike"] >= 2 / 3 - 1e-6
    alone = agent_of(group=1, advantage=advantage)  # some let the raw reward of a group of one through
    assert (gradient_of(alone, drawn(alone)) == 0.0).all()


def test_04_cispo_s_weight_is_one_on_policy_and_only_bounded_above():
    agent = agent_of(name="cispo", advantage="return", kl=0.0)
    plain = agent_of(name="cispo", advantage="return", loss="reinforce", kl=0.0)
    traj, bounds = drawn(agent), {"low": agent.config.clip, "high": agent.config.clip_high}
    for one in (agent, plain):
        one.found = one.gradient(traj, one.advantages(traj, traj.logprobs), traj.logprobs, **bounds)
    torch.testing.assert_close(agent.found, plain.found)
    assert agent.found.norm() > 0.01  # a weight of .2, as by an absolute bound that was never set, would be a fifth
    moved(agent, spread=2.0)
    ratio = (agent.policy.evaluate(traj).logprobs - traj.logprobs).exp().detach()[traj.mask]
    assert ratio.min() < 0.5  # small ratios are not lifted to 1 - clip


def test_05_gspo_is_its_closed_form():
    """The mean over answers of -min(s A, clip(s) A), s = (π(o) / π_old(o))^{1/|o|}, differentiated by itself."""
    agent = moved(agent_of(name="gspo", kl=0.0, clip=0.3, clip_high=0.4, group=8))
    traj = drawn(agent_of(group=8))
    advantages = agent.advantages(traj, traj.logprobs)
    found = agent.gradient(traj, advantages, traj.logprobs, low=0.3, high=0.4)
    leaf = Table(agent.policy.logits.detach())
    logs = torch.where(traj.mask, leaf.evaluate(traj).logprobs - traj.logprobs, 0).sum(1)
    s = (logs / traj.lengths).exp()
    gain = advantages[torch.arange(len(s)), 0]
    assert ((s > 1.4) | (s < 0.7)).any()
    loss = -torch.minimum(s * gain, s.clamp(0.7, 1.4) * gain).mean()
    (expected,) = torch.autograd.grad(loss, leaf.logits)
    torch.testing.assert_close(found, expected.flatten())
    by_token = gspo(leaf.evaluate(traj).logprobs, traj.logprobs, advantages, traj.mask, low=0.3, high=0.4)
    weighed = aggregate(by_token, traj.mask, "token", count(traj.mask, "token"))  # what a sum by token makes of it
    assert not torch.allclose(torch.autograd.grad(weighed, leaf.logits)[0].flatten(), found, rtol=0.01)


def test_06_cut_answers_stay_in_the_baseline_and_leave_the_loss():
    kept, masked = agent_of(group=8), agent_of(group=8, mask_truncated=True)
    traj = drawn(kept)
    cut = traj.truncated.any(1)
    assert cut.any()
    lesson = masked.prepare(traj)
    assert torch.equal(lesson.advantages, kept.prepare(traj).advantages)
    only = kept.prepare(traj)
    rows = ~cut
    expected = kept.gradient(only.traj.select(rows), only.advantages[rows], only.reference[rows], **CLIP)
    torch.testing.assert_close(gradient_of(masked, traj), expected)
    assert traj.mask[cut].any()  # the trajectories themselves, what a model attends to, are as they were


@pytest.mark.parametrize("how", HOWS)
def test_06_where_all_were_cut_there_is_nothing_and_no_nan(how):
    agent = agent_of(mask_truncated=True, how=how)
    traj = drawn(agent)
    everything = replace(traj, truncated=traj.terminated | traj.truncated, terminated=torch.zeros_like(traj.mask))
    assert (gradient_of(agent, everything) == 0.0).all()


@pytest.mark.parametrize("name", ["rloo", "grpo", "drgrpo", "dapo", "gspo", "cispo"])
def test_07_the_end_token_is_learned_though_padding_looks_like_it(name):
    """Padding and end are both 0 here; a reward for brevity must raise the end's chance after the first prefix."""
    brief = ONE._replace(prompts=tuple(worth({(0,): 1.0, (1, 0): 0.5}) for _ in range(3)))
    agent = agent_of(brief, torch.zeros(brief.shape, dtype=torch.float64), group=8, name=name, epochs=1, batch=64)
    traj = drawn(agent)
    ends = traj.terminated & (traj.actions == 0)
    assert traj.mask[ends].all()
    assert (traj.actions[~traj.mask] == 0).any()
    before = torch.softmax(agent.policy.logits.detach(), -1)[:, 0, 0]
    for _ in agent.updates(600):
        pass
    after = torch.softmax(agent.policy.logits.detach(), -1)[:, 0, 0]
    assert (after > before + 0.1).all()


@pytest.mark.parametrize("name", ["rloo", "grpo", "dapo", "gspo"])
def test_07_what_stands_in_the_padding_is_never_read(name):
    agent = agent_of(name=name, kl=0.1)
    traj = drawn(agent)
    bad = torch.where(traj.mask, 0.0, math.nan)
    tokens = torch.where(traj.mask, traj.actions, 1)
    dirty = replace(traj, actions=tokens, rewards=traj.rewards + bad, logprobs=traj.logprobs + bad)
    assert torch.equal(gradient_of(agent, dirty), gradient_of(agent, traj))


def test_11_the_sampler_s_divergence_from_the_trainer_is_reported():
    logits = logits_of(ONE, 0)
    sampler = logits + logits_of(ONE, 3, 0.3)
    same, other = (agent_of(logits=logits, sampler=s, recompute=True, group=64, lr=0.0) for s in (None, sampler))
    reports = [list(agent.updates(1))[-1].scalars for agent in (same, other)]
    assert abs(reports[0]["kl_sampler"]) < 1e-12
    assert 0.001 < reports[1]["kl_sampler"] < 0.5


def test_12_weights_are_reported_before_and_after_their_bound():
    logits = logits_of(ONE, 0)
    agent = agent_of(
        logits=logits,
        sampler=logits + logits_of(ONE, 3, 1.0),
        recompute=True,
        correction="token-tis",
        correction_high=1.1,
        group=32,
        lr=0.0,
    )
    scalars = list(agent.updates(1))[-1].scalars
    assert scalars["weight"] < scalars["weight_raw"] - 0.01
    assert scalars["weight"] <= 1.1


def test_13_the_first_pass_of_many_is_the_only_pass_of_one():
    traj = drawn(agent_of())
    for loss in ("clip", "dual-clip", "cispo", "opmd"):
        config = {"loss": loss, "kl": 0.1}
        one, many, again = (
            agent_of(**config, **more) for more in ({"epochs": 1}, {"epochs": 4}, {"epochs": 4, "recompute": True})
        )
        first = gradient_of(one, traj)
        assert torch.equal(gradient_of(many, traj), first)
        torch.testing.assert_close(gradient_of(again, traj), first, rtol=1e-12, atol=1e-14)


def test_14_k1_belongs_into_the_reward_and_the_log_ratio_of_the_answer_into_the_loss():
    logits, reference = logits_of(ONE, 0), logits_of(ONE, 5)
    _, slope = divergences.exact(ONE, logits, reference)
    found = {form.name: form.mean for form in divergences.forms(ONE, logits, reference)}
    assert found["k1 in the loss"].abs().max() < 1e-12
    for name in ("k1 in the reward", "k2-sequence in the loss"):
        torch.testing.assert_close(found[name], slope, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["rloo", "grpo", "drgrpo", "dapo", "gspo", "cispo", "opmd", "reinforce++"])
def test_15_what_an_environment_said_is_not_in_the_loss(name):
    """The second token was not the policy's: its log-probability and reward of no step there can move anything."""
    agent = agent_of(name=name, group=8, kl=0.1)
    traj = drawn(agent)
    gap = traj.mask.clone()
    gap[traj.lengths == 3, 1] = False
    said = replace(traj, mask=gap)
    other = replace(
        said,
        actions=torch.where(gap, said.actions, 1 - said.actions),
        logprobs=torch.where(gap, said.logprobs, -7.0),
    )
    assert (gap != traj.mask).any()
    assert torch.equal(gradient_of(agent, said), gradient_of(agent, other))
    lesson = agent.prepare(said)
    assert (lesson.advantages[~gap] == 0.0).all()
    assert not torch.equal(gradient_of(agent, said), gradient_of(agent, traj))


def test_16_no_gradient_reaches_dpo_s_reference():
    policy, reference = [torch.randn(3, requires_grad=True) for _ in range(2)], torch.randn(3, requires_grad=True)
    log_ratio_margin(*policy, reference, reference).sum().backward()
    assert reference.grad is None
    assert policy[0].grad is not None


@pytest.mark.parametrize(
    "name", ["reinforce", "reinforce++", "rloo", "grpo", "drgrpo", "dapo", "gspo", "cispo", "opmd"]
)
def test_17_an_answer_without_a_reward_teaches_nothing_and_spoils_nothing(name):
    agent = agent_of(name=name, kl=0.0)
    traj = drawn(agent)
    rewards = traj.rewards.clone()
    rewards[0, traj.lengths[0] - 1] = math.nan
    lesson, others = agent.prepare(replace(traj, rewards=rewards)), torch.arange(1, len(traj.mask))
    assert (lesson.advantages[0] == 0.0).all()
    torch.testing.assert_close(lesson.advantages[1:], agent.prepare(traj.select(others)).advantages)
    assert gradient_of(agent, replace(traj, rewards=rewards)).isfinite().all()


@pytest.mark.parametrize("name", ["grpo", "opmd", "reinforce++"])
def test_18_going_on_is_never_having_stopped(name):
    config = {"name": name, "kl": 0.05, "epochs": 2, "batch": 5}
    whole = agent_of(**config)
    half = agent_of(**config)
    for agent, steps in ((whole, 40), (whole, 40), (half, 40)):
        for _ in agent.updates(steps):
            pass
    other = agent_of(logits=logits_of(ONE, 77), **config)
    other.load_state_dict(half.state_dict())
    for _ in other.updates(40):
        pass
    assert torch.equal(other.policy.logits, whole.policy.logits)
    assert not torch.equal(half.policy.logits, whole.policy.logits)
    assert other.training.step == whole.training.step
    assert other.sampler.calls == whole.sampler.calls
