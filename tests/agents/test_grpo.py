"""GRPO: exact gradients in expectation, its options one by one, micro-batches, a language model's sampler, and learning."""

import dataclasses
import importlib
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from rlkit import exact
from rlkit.agents.grpo import GRPO, Config
from rlkit.data import Trajectories
from rlkit.pg.losses import clipped_surrogate
from rlkit.policies.protocol import Evaluation
from rlkit.run.presets import preset, shipped
from tests.agents.gradients import GAMMA, error, made


def world():
    return gym.make("GridWorld-Book3x3-v0", target="terminal", start="uniform", slip=0.1)


def surrogate(agent, traj):
    """The loss at the policy that acted, before its first update."""
    clip = {"low": 0.2, "high": 0.2}
    return agent.gradient(traj, agent.advantages(traj, torch.zeros_like(traj.logprobs)), traj.logprobs, **clip)


def test_the_mean_gradient_is_the_exact_one():
    steps = 60
    config = {"envs": 2000, "group": 4, "max_steps": steps, "how": "constant", "advantage": "leave-one-out"}
    agent, mdp, pi = made("grpo", world(), **config)
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(12):
        flat = surrogate(agent, agent.sampler.collect(rng))
        samples.append(-steps * flat[: pi.size].view(mdp.n_actions, mdp.n_states).T.double().numpy())
    assert error(np.mean(samples, axis=0), exact.policy_gradient(mdp, pi, GAMMA)) < 0.09


def rows(agent):
    return agent.sampler.collect(np.random.default_rng(0))


def test_without_leaving_one_out_it_is_shorter_by_one_in_the_group():
    without, *_ = made("grpo", world(), envs=12, group=4, max_steps=50, advantage="leave-one-out")
    mean, *_ = made("grpo", world(), envs=12, group=4, max_steps=50, advantage="none")
    traj = rows(without)
    found = mean.advantages(traj, traj.logprobs)
    assert torch.allclose(found, 0.75 * without.advantages(traj, traj.logprobs), atol=1e-6)


def test_every_step_of_a_row_has_the_advantage_of_its_row_within_its_group():
    agent, *_ = made("grpo", world(), envs=12, group=4, max_steps=50)
    traj = rows(agent)
    found = agent.advantages(traj, traj.logprobs)
    weights = GAMMA ** torch.arange(traj.mask.shape[1])
    scores = (traj.rewards * traj.mask * weights).sum(1).view(3, 4)
    expected = (scores - scores.mean(1, keepdim=True)) / scores.std(1, correction=0, keepdim=True).clamp(min=1e-9)
    assert torch.allclose(found, expected.view(12, 1) * traj.mask, atol=1e-4)


@pytest.mark.parametrize("how", ["token", "sequence", "constant"])
@pytest.mark.parametrize("estimator", ["k2", "k3"])
def test_micro_batches_add_up(how, estimator):
    whole, *_ = made("grpo", world(), envs=12, max_steps=50, group=4, how=how, kl=0.1, estimator=estimator)
    parts, *_ = made("grpo", world(), envs=12, max_steps=50, group=4, how=how, kl=0.1, estimator=estimator, micro=5)
    traj = rows(whole)
    assert torch.allclose(surrogate(whole, traj), surrogate(parts, traj), atol=1e-6)


def test_the_divergence_from_the_start_is_charged_to_the_reward_or_to_the_loss():
    plain, *_ = made("grpo", world(), envs=12, max_steps=50, group=4, advantage="none")
    charged, *_ = made("grpo", world(), envs=12, max_steps=50, group=4, advantage="none", kl=0.5, estimator="k1")
    traj = rows(plain)
    same = charged.advantages(traj, traj.logprobs)
    assert torch.allclose(same, plain.advantages(traj, traj.logprobs), atol=1e-6)
    reference = traj.logprobs - torch.arange(12.0)[:, None]
    cost = 0.5 * (torch.arange(12.0)[:, None] * traj.mask * GAMMA ** torch.arange(traj.mask.shape[1])).sum(1)
    lower = cost - cost.view(3, 4).mean(1).repeat_interleave(4)
    assert torch.allclose(charged.advantages(traj, reference), same - lower[:, None] * traj.mask, atol=1e-4)


@pytest.mark.parametrize("estimator", ["k2", "k3"])
def test_a_large_weight_holds_the_policy_where_it_began(estimator):
    moved = []
    for kl in (0.0, 5.0):
        agent = rlkit.make("grpo", "CartPole-v1", seed=0, kl=kl, estimator=estimator, envs=32, epochs=2, hidden=(16,))
        *_, _ = agent.updates(2_000)
        start = rlkit.make("grpo", "CartPole-v1", seed=0, hidden=(16,)).policy
        traj = rows(agent)
        moved.append(
            float((agent.policy.evaluate(traj).logprobs - start.evaluate(traj).logprobs).detach().abs().mean())
        )
    assert moved[1] < 0.7 * moved[0]


class Speaker(torch.nn.Module):
    """The smallest language model: the next token's logits depend on the last one."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(5, 5))

    def evaluate(self, traj):
        logs = torch.log_softmax(self.table[traj.obs], -1)
        return Evaluation(logs.gather(-1, traj.actions[..., None])[..., 0], -(logs.exp() * logs).sum(-1))


class Prompts:
    """Prompts of two tokens and answers of three; an answer is worth how many of its tokens are one more than the last."""

    def __init__(self, policy):
        self.policy = policy

    def collect(self, rng):
        prompts = np.repeat(rng.integers(0, 5, (4, 2)), 6, axis=0)
        text = torch.from_numpy(np.concatenate([prompts, np.zeros((24, 3), np.int64)], 1))
        logprobs = torch.zeros(24, 4)
        for t in range(1, 4):
            probs = torch.softmax(self.policy.table[text[:, t]].detach(), -1)
            text[:, t + 1] = (probs.cumsum(1)[:, :-1] <= torch.from_numpy(rng.random((24, 1)))).sum(1)
            logprobs[:, t] = probs.gather(1, text[:, t + 1, None])[:, 0].log()
        right = text[:, 2:] == (text[:, 1:-1] + 1) % 5
        rewards, ends = torch.zeros(24, 4), torch.zeros(24, 4, dtype=torch.bool)
        rewards[:, 3], ends[:, 3] = right.sum(1).float(), True
        mask = torch.tensor([False, True, True, True]).expand(24, 4)
        group = torch.arange(4).repeat_interleave(6)
        never = torch.zeros_like(ends)
        return Trajectories(text[:, :-1], text[:, 1:], text[:, 1:], logprobs, rewards, ends, never, mask, group)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        assert not state


@pytest.mark.parametrize(("recompute", "micro"), [(False, 0), (True, 5)])
def test_the_same_file_teaches_a_language_model(recompute, micro):
    policy = Speaker()
    config = Config(lr=0.1, batch=12, epochs=2, micro=micro, kl=0.001, recompute=recompute, max_grad_norm=1.0)
    agent = GRPO(Prompts(policy), policy, acting=None, config=config, seed=0)
    *_, last = agent.updates(4_000)
    assert last.scalars["return"] > 2.8
    assert last.scalars["length"] == 3
    state = agent.state_dict()
    other = GRPO(Prompts(policy), Speaker(), acting=None, config=config, seed=1)
    other.load_state_dict(state)
    assert torch.equal(other.policy.table, policy.table)


def test_ppo_and_grpo_descend_one_and_the_same_function(monkeypatch):
    logprobs = torch.tensor([[-0.1, -0.5, -1.0]])
    old, advantages = torch.tensor([[-0.5, -0.5, -0.5]]), torch.tensor([[1.0, 1.0, -1.0]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    for name, file, config in (("ppo", "ppo.learner", {"segment": 8, "engine": "torch"}), ("grpo", "grpo", {})):
        module, calls = importlib.import_module(f"rlkit.agents.{file}"), []
        assert module.clipped_surrogate is clipped_surrogate
        found = module.clipped_surrogate(logprobs, old, advantages, mask)
        assert torch.allclose(found, torch.tensor([[-1.2, -1.0, 0.8]]))
        monkeypatch.setattr(
            module, "clipped_surrogate", lambda *a, _c=calls, **k: _c.append(1) or clipped_surrogate(*a, **k)
        )
        for _ in rlkit.make(name, "CartPole-v1", envs=8, **config).updates(8):
            pass
        assert calls


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"group": 5}, "group is 5, and 64 episodes"),
        ({"advantage": "best"}, "advantage is 'best'; choose one of 'population'"),
        ({"how": "sum"}, "how is 'sum'; choose one of 'token'"),
        ({"estimator": "k4"}, "estimator is 'k4'; choose one of 'k1'"),
        ({"kl": -1.0}, "kl is -1.0; it must be at least 0"),
        ({"loss": "ppo"}, "loss is 'ppo'; choose one of 'clip'"),
        ({"correction": "tis"}, "correction is 'tis'; choose one of 'none', 'token-tis'"),
        ({"correction": "token-tis"}, "recompute False.*take recompute True"),
        ({"correction_low": 3.0}, "correction_high is 2.0; it must be at least 3"),
        ({"kl_in": "loss", "estimator": "k1"}, r"E\[∇ log π\] = 0, nothing but noise.*take estimator 'k2-sequence'"),
        ({"kl_in": "reward"}, "estimator is 'k3' and kl_in 'reward'.*take estimator 'k1'"),
        ({"loss": "gspo"}, "loss is 'gspo' and how 'token'.*take how 'sequence'"),
        ({"cap": 0.5}, "cap is 0.5; it must be at least 1"),
    ],
)
def test_bad_fields_are_named(config, complaint):
    with pytest.raises(ValueError, match=complaint):
        rlkit.make("grpo", "CartPole-v1", **config)


NAMES = ("reinforce", "reinforce++", "reinforce++-baseline", "rloo", "grpo", "drgrpo", "dapo", "gspo", "cispo", "opmd")


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_teaches(name):
    fields = [field.name for field in dataclasses.fields(Config)]
    config = preset("grpo", name, fields).config
    policy = Speaker()
    agent = GRPO(Prompts(policy), policy, None, Config(lr=0.6, batch=24, max_steps=4, **config), seed=0)
    first, *_, last = agent.updates(864)
    assert last.scalars["return"] > max(1.2, first.scalars["return"] + 0.5)  # of 3; chance gives 0.6
    assert {*NAMES, "smollm2"} == set(shipped("grpo"))


class Cut(Prompts):
    """The same, where the first answers of each prompt were cut off, as many as are said."""

    def __init__(self, policy, number):
        super().__init__(policy)
        self.number = number

    def collect(self, rng):
        traj = super().collect(rng)
        cut = (torch.arange(24) % 6 < self.number)[:, None] & traj.terminated
        return replace(traj, terminated=traj.terminated & ~cut, truncated=cut)


def test_answers_that_were_cut_are_in_the_baseline_and_not_in_the_loss():
    policy = Speaker()
    agents = [GRPO(Cut(policy, 2), policy, None, Config(mask_truncated=cut), seed=0) for cut in (False, True)]
    traj = agents[0].sampler.collect(np.random.default_rng(0))
    plain, masked = (agent.prepare(traj) for agent in agents)
    assert torch.equal(plain.advantages, masked.advantages)
    assert torch.equal(masked.traj.mask, plain.traj.mask & ~traj.truncated.any(1, keepdim=True))
    clip = {"low": 0.2, "high": 0.2}
    kept = ~traj.truncated.any(1)
    found = agents[1].gradient(masked.traj, masked.advantages, masked.reference, **clip)
    only = agents[0].gradient(plain.traj.select(kept), plain.advantages[kept], plain.reference[kept], **clip)
    assert torch.allclose(found, only, atol=1e-7)


@pytest.mark.parametrize("how", ["token", "sequence", "constant"])
def test_where_all_answers_were_cut_nothing_is_learned(how):
    policy = Speaker()
    agent = GRPO(Cut(policy, 6), policy, None, Config(mask_truncated=True, how=how), seed=0)
    *_, last = agent.updates(72)
    assert last.scalars["length"] == 3
    assert (policy.table == 0.0).all()


def test_the_sampler_s_log_probabilities_are_corrected_for():
    policy = Speaker()
    config = Config(recompute=True, correction="token-tis", correction_high=1.5)
    agent = GRPO(Prompts(policy), policy, None, config, seed=0)
    traj = agent.sampler.collect(np.random.default_rng(0))
    sampled = traj.logprobs - torch.linspace(-1, 1, 4)  # the sampler says something else
    lesson = agent.prepare(replace(traj, logprobs=sampled))
    assert torch.allclose(lesson.traj.logprobs[traj.mask], traj.logprobs[traj.mask])
    weight = torch.linspace(-1, 1, 4).exp().clamp(max=1.5)
    assert torch.allclose(lesson.advantages, agent.advantages(traj, traj.logprobs) * weight, atol=1e-6)
    *_, last = agent.updates(72)
    assert last.scalars["kl_sampler"] < 1e-9
    assert last.scalars["weight"] == pytest.approx(1.0)


def test_a_fresh_optimizer_takes_its_first_step_again():
    """Adam's first step is lr times the gradient's sign, whatever it was before."""
    policy = Speaker()
    agent = GRPO(Prompts(policy), policy, None, Config(lr=0.1, epochs=1, reset=True, max_grad_norm=1e6), seed=0)
    for _ in range(3):
        before = policy.table.detach().clone()
        *_, _ = agent.updates(72)
        moved = (policy.table.detach() - before).abs()
        assert torch.isclose(moved, torch.tensor(0.1), atol=1e-3).sum() > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_learns_cartpole(seed):
    agent = rlkit.make("grpo", "CartPole-v1", seed=seed)
    for _ in agent.updates(200_000):
        pass
    assert rlkit.evaluate(agent, "CartPole-v1", 32).mean >= 450
