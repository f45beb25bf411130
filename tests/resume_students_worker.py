"""What another process does in tests/agents/test_students.py: take every interrupted training to its end."""

import sys
from pathlib import Path

import torch

import rlkit
from tests.agents.studying import AGENTS, corpus

STEPS = 4
CONFIG = {"lr": "linear(1e-2, 0, 20)", "batch": 3, "max_steps": 6}
OWN = {"distill": {"own": 0.5}}


def made(name, steps):
    """An agent after so many updates."""
    agent = rlkit.make(name, corpus(name, kind=torch.float32), seed=1, **CONFIG, **OWN.get(name, {}))
    for _ in agent.updates(steps):
        pass
    return agent


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in AGENTS:
        agent = rlkit.make(name, corpus(name, kind=torch.float32), seed=1, **CONFIG, **OWN.get(name, {}))
        rlkit.load(agent, folder / f"{name}.npz")
        for _ in agent.updates(STEPS):
            pass
        rlkit.save(agent, folder / f"{name}-resumed.npz")
