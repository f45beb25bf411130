"""PPO: an update is the paper's, written out; clips, seeds, memory, images, early stopping; and CartPole to the end (slow)."""
# ruff: noqa: ARG002 - the signatures are Gymnasium's

import copy

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

import rlkit
from rlkit.agents.ppo import learner
from rlkit.pg import losses

SETTINGS = {
    "envs": 8,
    "segment": 32,
    "batch": 256,
    "epochs": 20,
    "lr": "linear(0.001, 0, 100000)",
    "clip": "linear(0.2, 0, 100000)",
    "gamma": 0.98,
    "lam": 0.8,
}


def train(agent, steps):
    return list(agent.updates(steps))


def weights(agent):
    return torch.cat([p.detach().flatten() for p in agent.policy.parameters()])


class Recall(gym.Env):
    """Shows +1 or -1 once, then nothing for two steps; a reward for the action that fits what was shown."""

    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.cue = 0, int(self.np_random.integers(2))
        return np.array([2.0 * self.cue - 1.0], np.float32), {}

    def step(self, action):
        self.t += 1
        return np.zeros(1, np.float32), float(self.t == 3 and action == self.cue), self.t == 3, False, {}


class Corner(gym.Env):
    """A picture with a bright corner, and a number that means nothing; the action is the corner."""

    observation_space = spaces.Dict(
        {"picture": spaces.Box(0, 255, (6, 6, 1), np.uint8), "number": spaces.Box(-1, 1, (1,))}
    )
    action_space = spaces.MultiDiscrete([2, 2])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.corner = self.np_random.integers(2, size=2)
        picture = np.zeros((6, 6, 1), np.uint8)
        picture[5 * self.corner[0], 5 * self.corner[1]] = 255
        return {"picture": picture, "number": np.array([self.np_random.uniform(-1, 1)], np.float32)}, {}

    def step(self, action):
        reward = float(np.mean(action == self.corner))
        return self.reset()[0], reward, True, False, {}


@pytest.mark.parametrize("options", [{}, {"clip_high": 0.3, "value_clip": 0.1, "entropy": 0.01}], ids=["plain", "all"])
def test_an_update_is_the_papers_written_out(options):
    config = {**SETTINGS, "envs": 2, "segment": 16, "batch": 12, "epochs": 3, "lr": 0.01, "clip": 0.2, **options}
    agent = rlkit.make("ppo", gym.make("CartPole-v1", max_episode_steps=11), seed=0, engine="torch", **config)
    train(agent, 32)
    before = copy.deepcopy((agent.policy, agent.player.segments, agent.player.rng, agent.player.optimizer.state_dict()))
    train(agent, 32)
    policy, segments, rng, memory = before
    segments.policy = policy
    traj = segments.collect(16, rng)
    values, following = policy.values(traj).detach().numpy(), policy.next_values(traj).detach().numpy()
    ends, advantages = (traj.terminated | traj.truncated).numpy(), np.zeros((2, 16))
    assert traj.truncated.any()
    assert traj.terminated.any()
    for n in range(2):
        running = 0.0
        for t in reversed(range(16)):
            ahead = 0.0 if traj.terminated[n, t] else following[n, t]
            delta = traj.rewards[n, t].item() + 0.98 * ahead - values[n, t]
            running = delta + 0.98 * 0.8 * running * (not ends[n, t])
            advantages[n, t] = running
    targets = torch.tensor((advantages + values).ravel())
    scaled = torch.tensor((advantages - advantages.mean()).ravel() / advantages.std())
    parameters = list(policy.parameters())
    optimizer = torch.optim.Adam(parameters, lr=0.01, eps=1e-5)
    for p, mean, square in zip(
        parameters, *(split(memory[key], parameters) for key in ("mean", "square")), strict=True
    ):
        optimizer.state[p] = {"step": torch.tensor(float(memory["count"])), "exp_avg": mean, "exp_avg_sq": square}
    flat, old_values = traj.flat(), torch.tensor(values.ravel())
    for _ in range(3):
        order = np.argsort(rng.random(32), kind="stable")
        for start in range(0, 32, 12):
            rows = torch.from_numpy(order[start : start + 12])
            logits = policy.actor(flat.obs[rows, 0])
            law = torch.distributions.Categorical(logits=logits)
            ratio = (law.log_prob(flat.actions[rows, 0]) - flat.logprobs[rows, 0]).exp()
            held = ratio.clamp(0.8, 1.0 + options.get("clip_high", 0.2))
            surrogate = torch.min(ratio * scaled[rows], held * scaled[rows])
            value = policy.critic(flat.obs[rows, 0])[:, 0]
            error = (value - targets[rows]) ** 2
            if "value_clip" in options:
                near = old_values[rows] + (value - old_values[rows]).clamp(-0.1, 0.1)
                error = torch.max(error, (near - targets[rows]) ** 2)
            loss = (-surrogate + 0.25 * error - options.get("entropy", 0.0) * law.entropy()).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 0.5)
            optimizer.step()
    torch.testing.assert_close(
        weights(agent), torch.cat([p.detach().flatten() for p in parameters]), atol=2e-6, rtol=1e-4
    )


def split(flat, parameters):
    pieces = torch.split(torch.from_numpy(flat), [p.numel() for p in parameters])
    return [piece.view_as(p).clone() for piece, p in zip(pieces, parameters, strict=True)]


def test_the_surrogate_is_the_one_in_the_core():
    assert learner.clipped_surrogate is losses.clipped_surrogate


def test_a_seed_alone_is_that_seed_among_several():
    config = {"envs": 2, "segment": 8, "batch": 8, "epochs": 2, "hidden": (8,), "engine": "torch"}
    several = rlkit.make("ppo", "CartPole-v1", seed=4, seeds=2, **config)
    alone = rlkit.make("ppo", "CartPole-v1", seed=5, **config)
    reports, single = train(several, 160), train(alone, 160)
    assert torch.equal(weights(several.runs[1]), weights(alone))
    assert reports[-1].each["entropy"][1] == single[-1].scalars["entropy"]


def test_it_stops_when_it_has_moved_far_enough():
    config = {**SETTINGS, "lr": 0.01, "engine": "torch"}
    free, held = (rlkit.make("ppo", "CartPole-v1", target_kl=kl, **config) for kl in (0.0, 0.01))
    far, near = (max(report.scalars["kl"] for report in train(agent, 1024)) for agent in (free, held))
    assert near < far
    assert held.player.optimizer.count < free.player.optimizer.count == 4 * 20


def test_a_policy_with_memory_recalls_and_one_without_cannot():
    for units, steps, least, most in ((16, 6000, 0.95, 1.0), (0, 2000, 0.3, 0.7)):
        agent = rlkit.make(
            "ppo",
            Recall(),
            recurrent=units,
            segment=24,
            batch=96,
            epochs=8,
            lr="linear(0.01,0,6000)",
            hidden=(16,),
            lam=1.0,
        )
        train(agent, steps)
        assert least <= rlkit.evaluate(agent, Recall(), 50).mean <= most


def test_it_sees_pictures_among_other_things():
    agent = rlkit.make("ppo", Corner(), segment=16, batch=64, epochs=4, lr=0.003, hidden=(32,), gamma=0.0)
    train(agent, 4000)
    assert rlkit.evaluate(agent, Corner(), 50).mean > 0.95


@pytest.mark.parametrize("where", [{"normalise_obs": True, "normalise_rewards": True}, {"shared": True}], ids=str)
def test_every_kind_of_world_is_taken(where):
    for env in ("Pendulum-v1", "FrozenLake-v1", "GridWorld-v0", "Blackjack-v1"):
        world = gym.make(env, max_episode_steps=20)
        agent = rlkit.make("ppo", world, envs=2, segment=8, batch=8, epochs=1, hidden=(8,), engine="torch", **where)
        (report,) = train(agent, 32)[-1:]
        assert np.isfinite(report.scalars["value_loss"])
        assert world.action_space.contains(agent.act(world.reset(seed=0)[0], explore=True))


def test_a_net_that_diverges_is_told():
    agent = rlkit.make("ppo", "CartPole-v1", envs=2, segment=8, engine="torch")
    agent.policy.critic[0].weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="the net has diverged; lower lr"):
        train(agent, 160)


@pytest.mark.slow
def test_cartpole_is_solved_by_ten_seeds():
    first = []  # steps at which a look, one every 1,024 steps, first finds it solved
    for seed in range(10):
        agent = rlkit.make("ppo", "CartPole-v1", seed=seed, report=1024, **SETTINGS)
        solved = 0
        for report in agent.updates(100_000):
            if not solved and rlkit.evaluate(agent, "CartPole-v1", 32, seed=1000 + seed).mean >= 475.0:
                solved = report.step
        first.append(solved or np.inf)
        assert rlkit.evaluate(agent, "CartPole-v1", 32, seed=1000 + seed).mean >= 475.0
    assert np.median(first) <= 20_000
