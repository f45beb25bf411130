"""What one process of tests/test_ranks.py does: trainings that several processes share, and a way on from a checkpoint of theirs."""

import os
import sys
from pathlib import Path

import rlkit
from rlkit.cli import main
from rlkit.run import ranks

TOGETHER = {
    "a2c": {"segment": 4, "normalise_rewards": True, "recurrent": 3},
    "dqn": {"warmup": 32, "batch": 16, "train_every": 4, "capacity": 200, "target_every": 40},
    "grpo": {"group": 2, "batch": 3, "kl": 0.1},
    "off_policy_ac": {"segment": 4},
    "ppo": {"segment": 8, "batch": 12, "epochs": 2, "normalise_obs": True},
    "qac": {"segment": 4},
    "reinforce": {},
}
STEPS = 256
TRAIN = "train ppo --env CartPole-v1 --envs 4 --segment 8 --batch 16 --epochs 2 --hidden 8 --no-show --steps"


def trained(name, steps=STEPS):
    """An agent after so many steps."""
    env = "FrozenLake-v1" if name == "qac" else "CartPole-v1"
    agent = rlkit.make(name, env, seed=3, envs=4, hidden=(8,), **TOGETHER[name])
    for _ in agent.updates(steps):
        pass
    return agent


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in TOGETHER:
        agent = trained(name)
        rlkit.save(agent, folder / f"{name}.npz")
        rlkit.load(agent, rlkit.save(agent, folder / f"{name}-again.npz"))
        for _ in agent.updates(STEPS):
            pass
        rlkit.save(agent, folder / f"{name}-twice.npz")
    os.chdir(folder)
    assert main([*TRAIN.split(), "256"]) == 0
    assert main(["train", "--resume", "runs/ppo-CartPole-v1-0", "--no-show", "--steps", "512"]) == 0
    ranks.leave()
