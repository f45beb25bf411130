"""What one rank of tests/test_deep_processes.py does: train agents with environments dealt out, and save their weights."""

import sys

import torch

import rlkit
from rlkit import dist
from tests.ladder import Awkward

RUNS = (
    ("ppo", lambda: "CartPole-v1", {"batch": 20, "epochs": 3, "engine": "torch"}),
    ("ppo", Awkward, {"batch": 20, "epochs": 2, "recurrent": 4, "normalise_obs": True, "normalise_rewards": True}),
    ("a2c", lambda: "Pendulum-v1", {"engine": "torch"}),
)


def train():
    """The weights of each agent after six updates, and its last report."""
    found = []
    for name, world, config in RUNS:
        agent = rlkit.make(name, world(), seed=0, envs=4, segment=16, hidden=(16,), lr=1e-3, **config)
        *_, report = agent.updates(6 * 64)
        found.append((torch.cat([p.detach().flatten() for p in agent.policy.parameters()]), report.scalars["episodes"]))
    return found


if __name__ == "__main__":
    torch.save(train(), sys.argv[1])
    dist.leave()
