"""PPO with a critic of tokens: an answer by hand, the exact gradient in expectation, its options, going on, and learning."""

import copy

import numpy as np
import pytest
import torch

import rlkit
from benchmarks.truth.expectation import exact_gradient
from benchmarks.truth.worlds import ONE, THREE, Table, log_chances, logits_of, rows_of
from rlkit.agents.token_ppo import Config, TokenPPO
from rlkit.data import Trajectories
from rlkit.policies.critic import Critic
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from rlkit.sample import tasks
from rlkit.sample.language import Language
from rlkit.sample.tokenizers import Letters
from tests.policies.token_rows import random_rows, trajectories


class Silent:
    """Acts nowhere, samples nothing."""

    act = attend = None

    def state_dict(self):
        return {}


class Told(torch.nn.Module):
    """A critic that says of each prefix what it was told."""

    def __init__(self, table, after=0.0):
        super().__init__()
        self.table, self.after = torch.nn.Parameter(table.clone()), after

    def values(self, traj):
        return torch.where(traj.mask, self.table[traj.obs], 0), torch.full(traj.mask.shape[:1], self.after).to(
            self.table
        )


def agent_of(policy, critic, **config):
    return TokenPPO(Silent(), policy, critic, Silent(), Config(**config), seed=0)


def one_answer(*, cut):
    """A prompt of two tokens, an answer of three, the last of which earns 1; under the model at the start it was likelier by these."""
    mask = torch.tensor([[False, True, True, True]])
    end = torch.tensor([[False, False, False, True]])
    obs = torch.tensor([[0, 1, 2, 3]])
    return Trajectories(
        obs,
        obs,
        torch.zeros_like(obs),
        torch.tensor([[9.0, -1.0, -1.0, -1.0]]),
        torch.tensor([[0.0, 0.0, 0.0, 1.0]]),
        end & (not cut),
        end & cut,
        mask,
        torch.tensor([0]),
    )


@pytest.mark.parametrize(("cut", "bootstrap"), [(False, False), (False, True), (True, False), (True, True)])
def test_the_advantages_of_an_answer_by_hand(cut, bootstrap):
    critic = Told(torch.tensor([7.0, 0.5, 0.25, 0.75]), after=0.4)
    agent = agent_of(Table(torch.zeros(1, 4, 2)), critic, lam=0.5, kl=0.1, whiten=False, bootstrap=bootstrap)
    agent.reference.logits.data = torch.tensor([[[0.0, 0.0], [0.0, 5.0], [0.0, 0.0], [5.0, 0.0]]])
    lesson = agent.prepare(one_answer(cut=cut))
    said = [-float(np.log1p(np.exp(x))) for x in (5.0, 0.0, -5.0)]
    rho = [-0.1 * (-1.0 - x) for x in said]
    rho[2] += 1.0
    later = 0.4 if cut and bootstrap else 0.0
    delta = [rho[0] + 0.25 - 0.5, rho[1] + 0.75 - 0.25, rho[2] + later - 0.75]
    expected = [delta[0] + 0.5 * delta[1] + 0.25 * delta[2], delta[1] + 0.5 * delta[2], delta[2]]
    assert lesson.advantages[0].tolist() == pytest.approx([0.0, *expected], abs=1e-6)
    assert lesson.targets[0].tolist() == pytest.approx([0.0, expected[0] + 0.5, expected[1] + 0.25, delta[2] + 0.75])


def mean_gradient(world, logits, critic, **config):
    """The expected gradient of a batch of one answer to each prompt: every answer weighted by its chance."""
    agent = agent_of(Table(logits), critic, whiten=False, how="constant", length=1, **config)
    if agent.reference is not None:
        agent.reference.logits.data = logits_of(world, 5)
    rows = rows_of(world, logits)
    chances = log_chances(rows, logits, len(world.prompts)).exp().flatten() / len(world.prompts)
    total = 0.0
    for b in range(len(chances)):
        found, _ = agent.gradient(agent.prepare(rows.select(slice(b, b + 1))), low=0.2, high=0.2)
        total = total - chances[b] * found
    return total


def true_values(world, logits):
    """V of every prefix, by summing over all answers that begin with it."""
    rows, size = rows_of(world, logits), len(world.prefixes)
    chances = log_chances(rows, logits, len(world.prompts)).exp().flatten()
    worth, weight = torch.zeros(2, len(world.prompts) * size, dtype=torch.float64)
    for b, chance in enumerate(chances):
        for state in rows.obs[b][rows.mask[b]]:
            worth[state] += chance * rows.rewards[b].sum()
            weight[state] += chance
    return worth / weight


@pytest.mark.parametrize("world", [ONE, THREE], ids=lambda world: world.name)
def test_the_mean_gradient_is_the_exact_one_where_theory_says_so(world):
    logits = logits_of(world, 2)
    truth, size = exact_gradient(world, logits), len(world.prompts) * len(world.prefixes)
    zero, any_values = torch.zeros(size, dtype=torch.float64), logits_of(world, 3)[..., 0].flatten()

    def error(values, target=truth, **config):
        return float((mean_gradient(world, logits, Told(values), **config) - target).norm() / target.norm())

    assert error(zero, lam=1.0, kl=0.0) < 1e-12  # REINFORCE with what is still to come
    assert error(any_values, lam=1.0, kl=0.0) < 1e-12  # a baseline changes nothing
    assert error(true_values(world, logits), lam=0.3, kl=0.0) < 1e-12  # a right critic may bootstrap
    assert error(any_values, lam=0.3, kl=0.0) > 0.05  # a wrong one may not
    charged = exact_gradient(world, logits, reference=logits_of(world, 5), beta=0.2)
    assert error(zero, charged, lam=1.0, kl=0.2) < 1e-12


def test_without_critic_it_is_reinforce():
    """V = 0, λ = 1, the verdict at the end: every token's advantage is what its answer earned."""
    logits = logits_of(ONE, 2)
    rows = rows_of(ONE, logits)
    size = len(ONE.prompts) * len(ONE.prefixes)
    agent = agent_of(Table(logits), Told(torch.zeros(size, dtype=torch.float64)), lam=1.0, kl=0.0, whiten=False)
    expected = torch.where(rows.mask, rows.rewards.sum(1, keepdim=True), 0)
    assert torch.equal(agent.prepare(rows).advantages, expected)


def test_a_critic_of_tokens_reads_each_prefix():
    model = tiny(7, np.random.default_rng(0), scale=8.0)
    critic = Critic(model)
    torch.nn.init.normal_(critic.weight)
    traj = trajectories(random_rows(np.random.default_rng(1), 7, turns=2), padding=3)
    values, last = critic.values(traj)
    for b in range(len(values)):
        ends = [*traj.mask[b].nonzero()[:, 0].tolist()]
        tokens = torch.cat([traj.obs[b, :1], traj.actions[b]])
        for t in [*ends, ends[-1] + 1]:
            alone = model.hidden(tokens[None, : t + 1])[0, -1] @ critic.weight + critic.bias
            assert torch.isclose(alone, values[b, t] if t in ends else last[b], atol=1e-5)
    assert not values[~traj.mask].any()


def speaking(seed=0, **options):
    task = tasks.make("copying", letters="ab", longest=1)
    letters = Letters("ab=")
    return Language(LanguagePolicy(tiny(4, np.random.default_rng(seed), context=16)), letters, task, **options)


def learn(seed=0, **config):
    settings = {"envs": 64, "batch": 64, "max_steps": 3, "lr": 2e-3, "critic_lr": 2e-3, "kl": 0.01, "threads": 1}
    return rlkit.make("token_ppo", speaking(seed), seed=seed, **{**settings, **config})


def test_the_critic_s_first_word_is_zero_and_its_weights_are_its_own():
    agent = learn()
    traj = agent.sampler.collect(np.random.default_rng(0))
    values, last = agent.critic.values(traj)
    assert not values.any()
    assert not last.any()
    theirs = {p.data_ptr() for p in agent.policy.parameters()}
    assert not theirs & {p.data_ptr() for p in agent.critic.parameters()}


def test_micro_batches_add_up():
    whole, parts = learn(), learn(micro=7)
    traj = whole.sampler.collect(np.random.default_rng(0))
    for critic in (whole.critic, parts.critic):
        torch.nn.init.constant_(critic.weight, 0.1)
    found = [agent.gradient(agent.prepare(traj), low=0.2, high=0.2) for agent in (whole, parts)]
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-7)
        assert one.any()


def test_it_learns_to_copy_and_its_critic_to_foresee():
    *_, last = learn(lr="linear(2e-3, 0, 3000)").updates(3_000)
    assert last.scalars["return"] > 0.7
    assert last.scalars["value_loss"] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_learns_on_any_seed(seed):
    *_, last = learn(seed, lr="linear(1e-3, 0, 10000)", critic_lr=1e-3, kl=0.02).updates(10_000)
    assert last.scalars["return"] > 0.9


def test_a_run_goes_on_exactly_where_it_stopped(tmp_path):
    whole, half, rest = (learn(envs=16, batch=8, report=1, whiten=True) for _ in range(3))
    reports = [report.scalars for report in whole.updates(200)]
    first = [report.scalars for report in half.updates(100)]
    rlkit.load(rest, rlkit.save(half, tmp_path / "half.npz"))
    second = [report.scalars for report in rest.updates(100)]
    assert first + second == reports
    for one, other in ((whole.policy, rest.policy), (whole.critic, rest.critic)):
        assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters(), strict=True))


def test_mistakes_are_named():
    for config, message in (
        ({"lam": 1.5}, "lam is 1.5"),
        ({"how": "sum"}, "how is 'sum'; choose one of 'token'"),
        ({"kl": -1.0}, "kl is -1.0; it must be at least 0"),
        ({"group": 5}, "group is 5, and 64 answers are written at a time"),
    ):
        with pytest.raises(ValueError, match=message):
            learn(**config)
    with pytest.raises(ValueError, match="learns with a language model and a task"):
        rlkit.make("token_ppo", "CartPole-v1")


def test_several_runs_are_apart():
    both = rlkit.make("token_ppo", speaking(), seeds=2, envs=8, batch=8, max_steps=3, threads=1)
    *_, last = both.updates(60)
    assert len(last.each["return"]) == 2
    assert copy.deepcopy(both.config).seeds == 2
