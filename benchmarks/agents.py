"""How soon each tabular control agent is near the optimum: steps and seconds, with intervals over seeds.

    python benchmarks/agents.py [--seeds 20] [--worlds NAME ...] [--agents NAME ...] [--json FILE] [--scale 1.0]

"Near" is 95 % of the way from the uniformly random policy's exact value to the optimal one, in the exact value of the greedy
policy, so that nothing is noise about noise. Steps are those after which the agent is near for good, up to the end of the
budget; an agent that is not near at the end counts as not there. The median over seeds has a 95 % bootstrap interval.
Settings are the agents' defaults. Blackjack is the exact MDP of `blackjack.py`, so that it too runs compiled.
"""

import argparse
import json
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from blackjack import blackjack

import rlkit
from rlkit import agents, exact
from rlkit.learning.config import Learning
from rlkit.mdp import MDP

REPORTS = 150  # along each run, ever farther apart


class World(NamedTuple):
    """Where the agents are compared."""

    name: str
    gamma: float
    steps: int  # budget of each run

    def make(self) -> gym.Env[Any, Any] | MDP:
        """Build it."""
        if self.name == "Blackjack-v1":
            return blackjack()
        return gym.make(self.name, **({"max_episode_steps": 100} if self.name.startswith("Grid") else {}))


WORLDS = (
    World("GridWorld-v0", 0.9, 2_000_000),
    World("FrozenLake-v1", 0.99, 2_000_000),
    World("CliffWalking-v1", 1.0, 500_000),
    World("Taxi-v4", 0.99, 5_000_000),
    World("Blackjack-v1", 1.0, 5_000_000),
)


class Row(NamedTuple):
    """One agent in one world."""

    agent: str
    world: str
    seeds: int
    there: int  # seeds that are near the optimum at the end
    steps: float  # median; inf where fewer than half are there
    low: float
    high: float
    seconds: float  # of the median run, by the speed measured
    final: float  # median share of the way from the random to the optimal policy
    optimal: float  # share of seeds whose greedy policy is optimal everywhere


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--worlds", nargs="+", default=[world.name for world in WORLDS])
    parser.add_argument("--agents", nargs="+", default=_tabular())
    parser.add_argument("--json", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="of the budgets")
    asked = parser.parse_args()
    plan = [(world, name) for world in WORLDS if world.name in asked.worlds for name in asked.agents]
    rows = []
    for world, name in track(plan, "agents", console=Console(stderr=True), transient=True):
        scaled = world._replace(steps=int(world.steps * asked.scale))
        try:
            rows.append(measure(scaled, name, asked.seeds))
        except ValueError as error:
            Console(stderr=True).print(f"{name} on {world.name}: {error}")
    _show(rows)
    if asked.json:
        asked.json.write_text("".join(json.dumps(row._asdict()) + "\n" for row in rows))


def measure(world: World, name: str, seeds: int) -> Row:
    """Run an agent with many seeds, and say when each came near the optimum for good."""
    made = world.make()
    reports = np.unique(np.geomspace(50, world.steps, REPORTS).astype(int))
    agent = rlkit.make(name, made, gamma=world.gamma, seeds=seeds, report=world.steps)
    worst = exact.objective(
        _mdp(made), np.full((agent.setting.n_states, agent.setting.n_actions), 1 / agent.setting.n_actions), world.gamma
    )
    curve = []
    for steps_now in reports:
        list(agent.updates(int(steps_now) - agent.step))
        value, regret = agent.each["value"], agent.each["regret"]
        with np.errstate(invalid="ignore"):  # a policy that never ends lacks infinitely much
            curve.append(1.0 - regret / (value + regret - worst))
    share = np.where(np.isfinite(curve), curve, -np.inf)  # [reports, seeds]
    steps = np.append(reports, np.inf)[_last_below(share) + 1]
    low, high = _interval(steps)
    median = float(np.median(steps))
    return Row(
        name,
        world.name,
        seeds,
        int((share[-1] >= 0.95).sum()),
        median,
        low,
        high,
        median / _speed(name, made, world.gamma),
        float(np.median(share[-1])),
        float(agent.each["optimal"].mean()),
    )


def _last_below(share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the index [seeds] of the last report that is not near; -1 where all are."""
    below = share < 0.95
    return np.where(below.any(axis=0), len(share) - 1 - below[::-1].argmax(axis=0), -1)


def _interval(steps: NDArray[np.float64]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(steps, (10_000, len(steps))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975], method="nearest")
    return float(low), float(high)


def _speed(name: str, made: gym.Env[Any, Any] | MDP, gamma: float) -> float:
    agent = rlkit.make(name, made, gamma=gamma, report=200_000)
    list(agent.updates(10_000))
    begun = time.perf_counter()
    list(agent.updates(200_000))
    return 200_000 / (time.perf_counter() - begun)


def _mdp(made: gym.Env[Any, Any] | MDP) -> MDP:
    found = made if isinstance(made, MDP) else rlkit.from_env(made)
    if found is None:
        raise ValueError("the world has no model to judge by")
    return found


def _tabular() -> list[str]:
    found = [name for name in agents.names() if issubclass(agents.load(name).Config, Learning)]
    control = [name for name in found if "policy" not in {field.name for field in fields(agents.load(name).Config)}]
    return [name for name in control if not name.endswith(("_bandit", "linear")) and name != "lspi"]


def _show(rows: list[Row]) -> None:
    table = Table("world", "agent")
    for heading in ("there", "steps to 95 %", "95 % interval", "seconds", "share at the end", "optimal"):
        table.add_column(heading, justify="right")
    for i, row in enumerate(rows):
        if i and row.world != rows[i - 1].world:
            table.add_section()
        table.add_row(
            row.world,
            row.agent,
            f"{row.there}/{row.seeds}",
            _count(row.steps),
            f"{_count(row.low)} .. {_count(row.high)}",
            "" if np.isinf(row.seconds) else f"{row.seconds:.2g}",
            f"{100 * row.final:.1f} %",
            f"{100 * row.optimal:.0f} %",
        )
    Console(width=150).print(table)


def _count(steps: float) -> str:
    return "never" if np.isinf(steps) else f"{steps:,.0f}"


if __name__ == "__main__":
    main()
