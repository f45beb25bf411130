"""How well deep agents learn with the presets that come with rlkit: returns of greedy episodes over seeds, beside published levels.

    python benchmarks/levels.py [--agent ppo ...] [--env CartPole-v1 ...] [--first 10] [--seeds 3] [--episodes 100] [--json FILE]

A published level is the mean return in the benchmark table of RL Baselines3 Zoo (Stable-Baselines3's tuned agents), read for the
same environment or its version before; on the frozen lake it is the exact chance to arrive within the time limit. Presets were
chosen by runs with other seeds than these (those of TD3, and on the frozen lake, were chosen after seeing some of 10 to 16: take --first 20). Every run is one process; seconds are the processor's. LunarLander, MuJoCo and MiniGrid need the extra `bench`.
"""

import argparse
import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium as gym
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import rlkit
from rlkit.agents import load
from rlkit.run.presets import preset, shipped

LIMIT = 10_000  # steps of an episode that nothing else ends
ROOM = {
    "MiniGrid": "minigrid",
    "LunarLander": "Box2D",
    "Swimmer": "imageio",  # with MuJoCo, which cannot be imported without
    "InvertedPendulum": "imageio",
}  # environments -> the module that they need


class Task(NamedTuple):
    """An agent in an environment, and what to hold it against."""

    agent: str
    env: str
    level: float  # published mean return
    source: str
    episodes: int = 100  # greedy ones that a run is judged by


TASKS = [
    Task("ppo", "CartPole-v1", 475.0, "Gymnasium: solved"),
    Task("dqn", "CartPole-v1", 475.0, "Gymnasium: solved"),
    Task("ppo", "Acrobot-v1", -73.5, "zoo, ppo"),
    Task("dqn", "Acrobot-v1", -76.6, "zoo, dqn"),
    Task("dqn", "MountainCar-v0", -100.8, "zoo, dqn"),
    Task("ppo", "LunarLander-v3", 242.1, "zoo, ppo on v2"),
    Task("ppo", "Pendulum-v1", -172.2, "zoo, ppo", episodes=500),
    Task("sac", "Pendulum-v1", -160.0, "asked; zoo has -157.0", episodes=500),
    Task("td3", "Pendulum-v1", -160.0, "asked; zoo has -151.9", episodes=500),
    Task("ppo", "MountainCarContinuous-v0", 88.3, "zoo, ppo"),
    Task("td3", "MountainCarContinuous-v0", 93.5, "zoo, td3"),
    Task("sac", "MountainCarContinuous-v0", 94.7, "zoo, sac"),
    Task("ppo", "FrozenLake8x8-v1", 0.863, "exact: best policy at gamma .99", episodes=2_000),
    Task("ppo", "MiniGrid-Empty-8x8-v0", 0.95, "the shortest way, 11 steps, earns 0.961"),
    Task("ppo", "InvertedPendulum-v5", 950.0, "Gymnasium: solved"),
    Task("ppo", "Swimmer-v5", 281.6, "zoo, ppo on v3"),
]


def make_env(name: str) -> gym.Env[Any, Any]:
    if name.startswith("MiniGrid"):
        from minigrid.wrappers import ImgObsWrapper

        # 7 x 7 cells of three codes: a net of numbers learns them as well as convolutions do, for a tenth of the work
        return gym.wrappers.FlattenObservation(ImgObsWrapper(gym.make(name)))
    return gym.make(name)


def learned(task: Task, seed: int, episodes: int) -> tuple[float, float]:
    """Train one run, and return the mean return of greedy episodes and the processor's seconds of training."""
    fields = [field.name for field in dataclasses.fields(load(task.agent).Config)]
    found = preset(task.agent, task.env, fields)
    assert found.steps is not None
    config = {"horizon": found.steps, **found.config} if "horizon" in fields else found.config
    agent = rlkit.make(task.agent, make_env(task.env), seed=seed, **config)
    clock = time.process_time()
    for _ in agent.updates(found.steps):
        pass
    seconds = time.process_time() - clock
    return rlkit.evaluate(agent, make_env(task.env), episodes, seed=10_000 + seed, max_steps=LIMIT).mean, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", nargs="+", help="only these")
    parser.add_argument("--env", nargs="+", help="only these")
    parser.add_argument("--first", type=int, default=10, help="seed of the first run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--episodes",
        type=int,
        help="greedy ones a run; left out: 100; on Pendulum, whose starts differ most, 500, on the lake 2,000",
    )
    parser.add_argument("--json", type=Path, help="write the rows here, one JSON object a line")
    asked = parser.parse_args()
    versions = {name: importlib.metadata.version(name) for name in ("gymnasium", "numpy", "torch", "rlkit")}
    table = Table(title="Greedy returns with the presets, beside published levels", title_justify="left")
    for column in ("agent", "environment", "steps", "median", "lowest", "highest", "level", "source", "seconds a run"):
        table.add_column(column, justify="left" if column in {"agent", "environment", "source"} else "right")
    rows = []
    for task in TASKS:
        needed = next((module for part, module in ROOM.items() if part in task.env), None)
        if (asked.agent and task.agent not in asked.agent) or (asked.env and task.env not in asked.env):
            continue
        if needed and not importlib.util.find_spec(needed):
            Console(stderr=True).print(f"{task.env} left out: it needs {needed}, of the extra bench")
            continue
        if task.env not in shipped(task.agent):
            Console(stderr=True).print(f"{task.agent} has no preset for {task.env}")
            continue
        episodes = asked.episodes or task.episodes
        runs = [learned(task, seed, episodes) for seed in range(asked.first, asked.first + asked.seeds)]
        returns = [run[0] for run in runs]
        rows.append(
            task._asdict()
            | {
                "first": asked.first,
                "returns": returns,
                "seconds": [run[1] for run in runs],
                "episodes": episodes,
                "versions": versions,
            }
        )
        print(json.dumps(rows[-1]), flush=True)
        steps = preset(task.agent, task.env, [f.name for f in dataclasses.fields(load(task.agent).Config)]).steps
        table.add_row(
            task.agent, task.env, f"{steps:,}", *(f"{x:.4g}" for x in (statistics.median(returns), min(returns), max(returns))),
            f"{task.level:.4g}", task.source, f"{statistics.median(run[1] for run in runs):.0f}",
        )  # fmt: skip
    Console(width=130).print(table)
    if asked.json:
        asked.json.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
