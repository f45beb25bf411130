"""Steps a second of GridWorld on one core, beside Gymnasium, EnvPool and gymnax in the same run.

    python benchmarks/env_speed.py [--no-peers] [--json FILE] [--num-envs 4096] [--repeats 7]

The process pins itself to one core, and the peers get one thread, before anything that starts threads is imported. Actions are
drawn beforehand; what is timed is stepping, resets included. Every figure is the median over the repeats, each of which runs
for a quarter of a second or more after a warm-up. A ratio says how many times faster our row is than the peer's.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}

import gymnasium as gym
from env_peers import Job, envpool_jobs, gymnasium_jobs, gymnax_jobs, single, vector
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import envs  # noqa: F401 - registers the ids

SECONDS = 0.25  # of one repeat, at least
LARGE = {"layout": "random", "rows": 1000, "cols": 1000, "density": 0.2, "map_seed": 0}
LARGE_SOURCE = """
import json, resource, time
from pathlib import Path
import gymnasium as gym, numpy as np
{preparation}
def peak():
    status = Path("/proc/self/status")  # ru_maxrss remembers the parent's memory on Linux
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
before, begin = peak(), time.perf_counter()
env = {make}
print(json.dumps({{"seconds": time.perf_counter() - begin, "mb": peak() - before}}))
"""


def our_jobs(n: int) -> Iterator[Job]:
    yield single("GridWorld-v0, gym.make", lambda: gym.make("GridWorld-v0"), "single", ours=True)
    yield single("GridWorld-v0, slip, gym.make", lambda: gym.make("GridWorld-v0", slip=0.2), "single slip", ours=True)
    yield vector("GridWorld-v0, step", gym.make_vec("GridWorld-v0", n), n_actions=5)
    yield vector("GridWorld-v0, step, copy=False", gym.make_vec("GridWorld-v0", n, copy=False), n_actions=5)
    yield vector("GridWorld-v0, step, slip 0.2", gym.make_vec("GridWorld-v0", n, slip=0.2), n_actions=5)
    ending = {"slip": 0.2, "target": "terminal", "max_episode_steps": 100}
    for mode in ("NextStep", "SameStep"):
        env = gym.make_vec("GridWorld-v0", n, autoreset_mode=mode, **ending)
        yield vector(f"GridWorld-v0, step, slip, terminal, {mode}", env, n_actions=5)
    yield vector("1000 x 1000 random maze, step", gym.make_vec("GridWorld-v0", n, **LARGE), n_actions=5)
    for name, world in (("", {}), (", slip 0.2", {"slip": 0.2})):
        env = gym.make_vec("GridWorld-v0", n, **world).unwrapped
        env.reset(seed=0)
        out = env.rollout_random(256)
        yield Job("rollout", f"rollout_random(256){name}", 256 * n, lambda e=env, o=out: e.rollout_random(256, out=o))
        actions = out.actions.copy()
        yield Job("rollout", f"rollout(actions){name}", 256 * n, lambda e=env, o=out, a=actions: e.rollout(a, out=o))


def measured(job: Job, repeats: int) -> dict[str, Any]:
    job.call()
    begin = time.perf_counter()
    job.call()
    loops = max(1, round(SECONDS / (time.perf_counter() - begin)))
    rates = []
    for _ in range(repeats):
        begin = time.perf_counter()
        for _ in range(loops):
            job.call()
        rates.append(job.steps * loops / (time.perf_counter() - begin))
    return {
        "group": job.group,
        "name": job.name,
        "ours": job.ours,
        "steps_per_second": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
    }


def large_world(n: int) -> Iterator[dict[str, Any]]:
    """Seconds and peak memory of a grid of a million cells, each in a process of its own that has built a small one."""
    arguments = ", ".join(f"{key}={value!r}" for key, value in LARGE.items())
    for name, small, make in (
        ("single", "gym.make('envs:GridWorld-v0')", f"gym.make('GridWorld-v0', {arguments})"),
        ("vector", f"gym.make_vec('envs:GridWorld-v0', {n})", f"gym.make_vec('GridWorld-v0', {n}, {arguments})"),
    ):
        code = LARGE_SOURCE.format(preparation=small, make=make)
        path = os.pathsep.join([str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        yield {
            "group": "construct",
            "name": f"1000 x 1000 random maze, {name}",
            "ours": True,
            **json.loads(done.stdout),
        }


def versions() -> dict[str, str]:
    names = ("gymnasium", "numpy", "numba", "envpool", "gymnax", "jax")
    found = {name: importlib.metadata.version(name) for name in names if importlib.util.find_spec(name)}
    return {"python": platform.python_version(), **found}


def shown(results: list[dict[str, Any]]) -> Table:
    table = Table("what", "M steps/s", "slowest .. fastest", "ours is faster by", title="one core")
    for row in results:
        if "seconds" in row:
            table.add_row(row["name"], f"{row['seconds']:.2f} s", f"peak +{row['mb']:.0f} MB", "")
            continue
        own = next((r for r in results if r["ours"] and r["group"] == row["group"]), None)
        ratio = "" if row["ours"] or own is None else f"{own['steps_per_second'] / row['steps_per_second']:.1f} x"
        spread = f"{row['slowest'] / 1e6:.3f} .. {row['fastest'] / 1e6:.3f}"
        table.add_row(row["name"], f"{row['steps_per_second'] / 1e6:.3f}", spread, ratio)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="run the peers as well")
    parser.add_argument("--json", type=Path, help="write the rows here, one JSON object a line")
    parser.add_argument("--num-envs", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    n = arguments.num_envs
    results = [measured(job, arguments.repeats) for job in our_jobs(n)]
    for peer, jobs in (("gymnasium", gymnasium_jobs), ("envpool", envpool_jobs), ("gymnax", gymnax_jobs)):
        if not arguments.peers:
            break
        if importlib.util.find_spec(peer) is None:
            print(f"{peer} is not installed: its rows are left out")
            continue
        results += [measured(job, arguments.repeats) for job in jobs(n)]
    results += large_world(n)
    lines = [json.dumps({**row, "num_envs": n, "versions": versions()}) for row in results]
    Console(width=110).print(shown(results))
    print(*lines, sep="\n")
    if arguments.json:
        arguments.json.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
