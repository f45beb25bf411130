"""Updates a second of agents that learn from samples, beside plain Python and JAX in the same run.

    python benchmarks/tabular_speed.py [--no-peers] [--json FILE] [--repeats 5] [--quick] [--stepped]

An update is one step of the world and all that the agent learns from it, exploration and random numbers included. Every row
is warmed up, then timed `repeats` times; the median counts. Rows of one core count the processor's time, which other work
on the machine does not add to; rows of many seeds count the clock on the wall. `floor` is the latency chain of the step: loads, compares and
multiply-adds that wait for each other from one state to the next, counted by hand (see `CHAIN`) at the clock measured here.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}

import gymnasium as gym
import numba
import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tabular_peers import jax_q_learning
from tutorial import NAME, plain_q_learning, plain_sarsa

import rlkit

# Cycles that wait for each other in one step of Q-learning or Sarsa on the 5x5 with its branches predicted: load q(s, a) just
# stored (5), discount (4), add the reward (4), subtract (4), step size (4), add (4): the value goes round that loop while the
# agent stays at the target, where it spends most of its time. The state's own loop (row, successor: 5 + 4) is shorter.
CHAIN = {"q_learning": 25, "sarsa": 25, "expected_sarsa": 25 + 20, "td0": 25}
GRID = "GridWorld-v0"
TOYS = ("FrozenLake-v1", "CliffWalking-v1", "Taxi-v4")


class Row(NamedTuple):
    """What was timed."""

    what: str
    agent: str
    world: str
    rate: float  # updates a second, median
    low: float
    high: float
    ratio: float | None  # to the row that `ratio_to` names
    ratio_to: str
    floor: float | None  # nanoseconds of the latency chain


def main() -> None:
    """Time everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peers", action="store_true", help="rlkit alone")
    parser.add_argument("--json", type=Path, help="write one JSON line for each row")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps, to see that it runs")
    parser.add_argument("--stepped", action="store_true", help="the stepped driver alone")
    asked = parser.parse_args()
    steps = 500_000 if asked.quick else 5_000_000
    clock = _clock()
    rows = _stepped(steps // 100, asked.repeats)
    if not asked.stepped:
        rows = [*_agents(steps, asked.repeats, clock), *_seeds(steps, asked.repeats), *rows]
    if not (asked.no_peers or asked.stepped):
        rows += _peers(steps, asked.repeats, rows)
    _show(rows, clock)
    if asked.json:
        asked.json.write_text("".join(json.dumps(row._asdict()) + "\n" for row in rows))


def _agents(steps: int, repeats: int, clock: float) -> list[Row]:
    """Time each agent on one core in the compiled driver."""
    found = []
    plans: list[tuple[str, str, dict[str, Any]]] = [
        *(
            (name, GRID, {"alpha": 0.1})
            for name in ("q_learning", "sarsa", "expected_sarsa", "double_q_learning", "td0")
        ),
        ("q_learning", GRID, {}),
        *((name, world, {"alpha": 0.1}) for world in TOYS for name in ("q_learning", "sarsa")),
        *((name, GRID, {}) for name in ("n_step_td", "n_step_sarsa", "tree_backup", "td_lambda", "sarsa_lambda")),
        ("td_lambda", "Taxi-v4", {}),
        ("sarsa_lambda", "Taxi-v4", {}),
        ("watkins_q_lambda", GRID, {}),
        ("dyna_q", GRID, {}),
        ("td_linear", GRID, {"features": "polynomial(3)"}),
        ("td_linear_lambda", GRID, {"features": "polynomial(3)"}),
        ("gradient_td", GRID, {"features": "polynomial(3)"}),
        ("sarsa_linear", GRID, {"features": "polynomial(3)"}),
        ("q_linear", GRID, {"features": "polynomial(3)"}),
    ]
    for name, world, options in plans:
        agent = rlkit.make(name, gym.make(world), report=steps, **options)
        rates = _rates(lambda agent=agent: _run(agent, steps), steps, repeats)
        words = ", ".join(f"{key} {value}" for key, value in options.items())
        floor = CHAIN[name] / clock if name in CHAIN and world == GRID and options else None
        found.append(_row("compiled" + (f", {words}" if words else ""), name, world, rates, floor=floor))
    return found


def _seeds(steps: int, repeats: int) -> list[Row]:
    """Time a hundred seeds in one call, over one core and over two."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    each = steps // 25
    agent = rlkit.make("q_learning", gym.make(GRID), alpha=0.1, seeds=100, report=each)
    rates = {}
    for used in (1, 2) if len(cores) > 1 else ():
        os.sched_setaffinity(0, cores[:used])
        rates[used] = _rates(lambda: _run(agent, each), 100 * each, repeats, time.perf_counter)
    if cores:
        os.sched_setaffinity(0, cores)
    one = statistics.median(rates[1]) if rates else None
    return [
        _row(f"100 seeds, {used} cores", "q_learning", GRID, found, one if used > 1 else None, "one core")
        for used, found in rates.items()
    ]


def _stepped(steps: int, repeats: int) -> list[Row]:
    """Time the stepped driver beside the environment's own step and reset under the same actions."""
    linear = "sarsa_linear", "q_linear", "n_step_sarsa_linear", "td_linear", "td_linear_lambda"
    plans = [(world, "q_learning", "") for world in (*TOYS, "Blackjack-v1")]
    for world, features in (
        ("CartPole-v1", "tiles(8, 8)"),
        ("CartPole-v1", "fourier(2)"),
        ("MountainCar-v0", "tiles(8, 8)"),
        ("MountainCar-v0", "fourier(3)"),
    ):
        plans += [(world, name, features) for name in linear]
    found: list[Row] = []
    for world, name, features in plans:
        options: dict[str, Any] = {"features": features} if features else {}
        if not name.startswith("td"):  # whose policy is uniform anyway
            options["epsilon"] = 1.0
        agent = rlkit.make(name, gym.make(world), engine="stepped", report=steps, **options)
        env = gym.make(world)
        actions = np.random.default_rng(0).integers(agent.setting.n_actions, size=steps).tolist()
        _play(env, actions)
        _run(agent, steps)
        own, rates = [], []
        for _ in range(repeats):  # in turn, so that what else the machine does falls on both
            own += _rates(lambda env=env, actions=actions: _play(env, actions), steps, 1, warm=False)
            rates += _rates(lambda agent=agent: _run(agent, steps), steps, 1, warm=False)
        ratio = statistics.median(alone / ours for alone, ours in zip(own, rates, strict=True))
        what = "stepped, random actions" + (f", {features}" if features else "")
        found.append(_row(what, name, world, rates)._replace(ratio=ratio, ratio_to="env.step's time"))
    return found


def _peers(steps: int, repeats: int, rows: list[Row]) -> list[Row]:
    """Time plain Python on its own world, on rlkit's, and on Gymnasium's; then JAX."""
    found = []
    ours = {(row.agent, row.world): row.rate for row in rows if row.what == "compiled, alpha 0.1"}
    for what, agent, make, worlds, few in (
        (
            "plain Python, world and agent as tutorials write them",
            "q_learning",
            plain_q_learning,
            (NAME,),
            steps // 100,
        ),
        ("plain Python, world and agent as tutorials write them", "sarsa", plain_sarsa, (NAME,), steps // 100),
        ("plain Python around env.step", "q_learning", plain_q_learning, (GRID, *TOYS), steps // 100),
        ("plain Python around env.step", "sarsa", plain_sarsa, (GRID, *TOYS), steps // 100),
        ("JAX, lax.scan over the model's arrays", "q_learning", jax_q_learning, (GRID, *TOYS), steps // 5),
    ):
        for world in worlds:
            run = make(world)
            if run is None:
                continue
            rates = _rates(lambda run=run, few=few: run(few), few, repeats)
            base = ours[agent, GRID if world == NAME else world]
            found.append(_row(what, agent, world, rates, base, "rlkit / this", inverse=True))
    return found


def _run(agent: Any, steps: int) -> None:
    for _ in agent.updates(steps):
        pass


def _play(env: gym.Env[Any, Any], actions: list[int]) -> None:
    env.reset(seed=0)
    start = int(getattr(env.action_space, "start", 0))
    for action in actions:
        _, _, terminated, truncated, _ = env.step(start + action)
        if terminated or truncated:
            env.reset()


def _rates(
    work: Callable[[], Any],
    steps: int,
    repeats: int,
    clock: Callable[[], float] = time.process_time,
    *,
    warm: bool = True,
) -> list[float]:
    if warm:
        work()
    rates = []
    for _ in range(repeats):
        begun = clock()
        work()
        rates.append(steps / (clock() - begun))
    return rates


def _row(
    what: str,
    agent: str,
    world: str,
    rates: list[float],
    base: float | None = None,
    ratio_to: str = "",
    *,
    floor: float | None = None,
    inverse: bool = False,
) -> Row:
    rate = statistics.median(rates)
    ratio = None if base is None else base / rate if inverse else rate / base
    return Row(what, agent, world, rate, min(rates), max(rates), ratio, ratio_to, floor)


def _clock() -> float:
    """Measure the processor's clock in GHz: a chain of dependent integer additions takes one cycle each."""

    @numba.njit
    def chain(n: int, x: int) -> int:
        for _ in range(n):
            x = (x ^ (x << 1)) + 1  # three dependent operations of one cycle, which no compiler shortens
        return x

    chain(10, 1)
    best = np.inf
    for _ in range(5):
        begun = time.perf_counter()
        chain(20_000_000, 1)
        best = min(best, time.perf_counter() - begun)
    return 3 * 20_000_000 / best / 1e9


def _show(rows: list[Row], clock: float) -> None:
    console = Console(width=150)
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("rlkit", "gymnasium", "numpy", "numba", "jax")
        if _installed(name)
    )
    console.print(
        f"{platform.processor() or platform.machine()}, {clock:.2f} GHz, Python {platform.python_version()}, {versions}"
    )
    table = Table("what", "agent", "world")
    for heading in ("updates/s", "min", "max", "ns", "chain ns", "ratio"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.what,
            row.agent,
            row.world,
            *(f"{value / 1e6:.3g} M" for value in (row.rate, row.low, row.high)),
            f"{1e9 / row.rate:.3g}",
            "" if row.floor is None else f"{row.floor:.3g}",
            "" if row.ratio is None else f"{row.ratio:.3g} x {row.ratio_to}",
        )
    console.print(table)


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
