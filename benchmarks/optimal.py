"""Who finds the optimum: of 20 seeds with default settings on the book's 5x5, how many are optimal in every cell, ties counted.

python benchmarks/optimal.py [NAME ...] [--seed 0]
"""

import argparse
import time
from typing import Any, NamedTuple

import gymnasium as gym

import rlkit

SEEDS = 20


class Budget(NamedTuple):
    """Steps of each seed, and the time limit of an episode; 0 is none, one endless episode."""

    steps: int
    limit: int


BUDGETS = {
    "double_q_learning": Budget(4_000_000, 20),
    "dyna_prioritized": Budget(20_000, 0),
    "dyna_q": Budget(20_000, 0),
    "dyna_q_plus": Budget(20_000, 0),
    "expected_sarsa": Budget(10_000_000, 100),
    "lspi": Budget(10_000, 0),
    "mc_basic": Budget(200_000, 0),
    "mc_epsilon_greedy": Budget(16_000_000, 20),
    "mc_exploring_starts": Budget(1_000_000, 0),
    "n_step_sarsa": Budget(4_000_000, 20),
    "n_step_sarsa_linear": Budget(8_000_000, 5),
    "q_learning": Budget(10_000_000, 100),
    "q_linear": Budget(8_000_000, 100),
    "sarsa": Budget(10_000_000, 100),
    "sarsa_lambda": Budget(4_000_000, 20),
    "sarsa_linear": Budget(8_000_000, 20),
    "tree_backup": Budget(2_000_000, 20),
    "watkins_q_lambda": Budget(2_000_000, 20),
}
ELSEWHERE = {
    "gradient_bandit": "is for worlds of one state",
    "mc_off_policy": "learns the value of a given policy and improves none",
    "ucb_bandit": "is for worlds of one state",
}


def optimal(name: str, seed: int = 0) -> int:
    """Return how many of 20 seeds, from `seed` on, have learned a policy all of whose actions are optimal."""
    steps, limit = BUDGETS[name]
    env = gym.make("GridWorld-v0", max_episode_steps=limit) if limit else gym.make("GridWorld-v0")
    agent: Any = rlkit.make(name, env, seeds=SEEDS, seed=seed, report=steps)
    for _ in agent.updates(steps):
        pass
    return int(agent.each["optimal"].sum())


def main() -> None:
    """Print the table of docs/learning.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="agents; default all")
    parser.add_argument("--seed", type=int, default=0, help="the first of the 20")
    asked = parser.parse_args()
    print(
        "| | steps of a seed | max_episode_steps | optimal | seconds, all seeds |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for name in asked.names or BUDGETS:
        begun = time.process_time()
        found = optimal(name, asked.seed)
        steps, limit = BUDGETS[name]
        print(
            f"| `{name}` | {steps:,} | {limit or 'none'} | {found}/{SEEDS} | {time.process_time() - begun:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
