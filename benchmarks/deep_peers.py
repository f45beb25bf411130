"""The peers of `deep_speed.py`, for an interpreter that has them: `python deep_peers.py ppo 10240`; or cleanrl, dqn, a2c;
then, if not one, the number of threads.

CleanRL is no library: its default PPO on CartPole (4 environments, 128 steps, 4 minibatches, 4 epochs) is written here in our own words,
with what it computes at each step, without its logging.
"""

import sys
import time

import gymnasium as gym
import numpy as np
import torch
from torch import nn


def ppo(steps: int) -> None:
    """Stable-Baselines3's PPO on the workload of `deep_speed.py`."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    env = make_vec_env("CartPole-v1", n_envs=8, seed=0)
    rates = {"learning_rate": lambda left: 1e-3 * left, "clip_range": lambda left: 0.2 * left}
    fields = {"n_steps": 32, "batch_size": 256, "n_epochs": 20, "gamma": 0.98, "gae_lambda": 0.8}
    model = PPO("MlpPolicy", env, seed=0, device="cpu", **rates, **fields)
    model.learn(512)
    timed(lambda: model.learn(steps), steps)


def dqn(steps: int) -> None:
    """Its DQN as its zoo has it on CartPole; the second call goes on, so that nothing is left out before `learning_starts`."""
    from stable_baselines3 import DQN

    fields = {"learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1000, "gamma": 0.99}
    when = {"target_update_interval": 10, "train_freq": 256, "gradient_steps": 128}
    explore = {"exploration_fraction": 0.16, "exploration_final_eps": 0.04}
    policy = {"net_arch": [256, 256]}
    model = DQN("MlpPolicy", "CartPole-v1", seed=0, device="cpu", policy_kwargs=policy, **fields, **when, **explore)
    model.learn(2048)
    timed(lambda: model.learn(steps, reset_num_timesteps=False), steps)


def a2c(steps: int) -> None:
    """Its A2C in 8 environments, as it comes."""
    from stable_baselines3 import A2C
    from stable_baselines3.common.env_util import make_vec_env

    model = A2C("MlpPolicy", make_vec_env("CartPole-v1", n_envs=8, seed=0), seed=0, device="cpu")
    model.learn(2000)
    timed(lambda: model.learn(steps), steps)


def cleanrl(steps: int) -> None:
    """CleanRL's defaults."""
    torch.manual_seed(0)
    envs = gym.vector.SyncVectorEnv(
        [lambda: gym.wrappers.RecordEpisodeStatistics(gym.make("CartPole-v1")) for _ in range(4)]
    )
    actor, critic = net(2, 0.01), net(1, 1.0)
    optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=2.5e-4, eps=1e-5)
    obs, over = torch.as_tensor(envs.reset(seed=0)[0]), torch.zeros(4)

    def learn(total: int) -> None:
        nonlocal obs, over
        for update in range(total // 512):
            optimizer.param_groups[0]["lr"] = 2.5e-4 * (1.0 - update * 512 / total)
            rows = []
            for _ in range(128):
                with torch.no_grad():
                    policy = torch.distributions.Categorical(logits=actor(obs))
                    action = policy.sample()
                    logprob, value = policy.log_prob(action), critic(obs).flatten()
                following, reward, terminated, truncated, _ = envs.step(action.numpy())
                rows.append((obs, action, logprob, torch.as_tensor(reward, dtype=torch.float32), over, value))
                obs, over = torch.as_tensor(following), torch.as_tensor(np.float32(terminated | truncated))
            update_nets(rows, over, critic(obs).flatten().detach(), actor, critic, optimizer)

    learn(512)
    timed(lambda: learn(steps), steps)


def net(outputs, gain):
    layers = [nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
    for layer, one in zip(layers[::2], (2**0.5, 2**0.5, gain), strict=True):
        nn.init.orthogonal_(layer.weight, one)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def update_nets(rows, over, ahead, actor, critic, optimizer):
    obs, action, logprob, reward, begins, value = (torch.stack(part) for part in zip(*rows, strict=True))
    advantage, later = torch.zeros_like(reward), torch.zeros(4)
    for t in reversed(range(128)):
        left = 1.0 - (over if t == 127 else begins[t + 1])
        delta = reward[t] + 0.99 * (ahead if t == 127 else value[t + 1]) * left - value[t]
        advantage[t] = later = delta + 0.99 * 0.95 * left * later
    goal = (advantage + value).flatten()
    obs, action, logprob, advantage, value = (x.flatten(0, 1) for x in (obs, action, logprob, advantage, value))
    for _ in range(4):
        for part in torch.randperm(512).split(128):
            policy, seen = torch.distributions.Categorical(logits=actor(obs[part])), critic(obs[part]).flatten()
            shift = policy.log_prob(action[part]) - logprob[part]
            ratio = shift.exp()
            with torch.no_grad():
                ((ratio - 1.0) - shift).mean(), ((ratio - 1.0).abs() > 0.2).float().mean().item()
            gain = advantage[part]
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            surrogate = torch.max(-gain * ratio, -gain * ratio.clamp(0.8, 1.2)).mean()
            near = value[part] + (seen - value[part]).clamp(-0.2, 0.2)
            error = 0.5 * torch.max((seen - goal[part]) ** 2, (near - goal[part]) ** 2).mean()
            loss = surrogate - 0.01 * policy.entropy().mean() + 0.5 * error
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([*actor.parameters(), *critic.parameters()], 0.5)
            optimizer.step()


def timed(call, steps):
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    print(steps / (time.perf_counter() - wall), steps / (time.process_time() - cpu))


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    {"ppo": ppo, "dqn": dqn, "a2c": a2c, "cleanrl": cleanrl}[sys.argv[1]](int(sys.argv[2]))
