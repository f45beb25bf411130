"""What another process does in tests/test_deep_agents.py: take every interrupted training to its end."""

import sys
from pathlib import Path

import rlkit
from tests.deep_cases import RESUMES

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, case in RESUMES.items():
        agent = rlkit.make(case.agent, case.env(), seed=1, **case.config)
        rlkit.load(agent, folder / f"{name}.npz")
        for _ in agent.updates(case.steps):
            pass
        rlkit.save(agent, folder / f"{name}-resumed.npz")
