"""Seconds to solve a large slippery grid to a true error of 1e-6, beside QuantEcon and mdpsolver in the same run.

    python benchmarks/planning.py [--no-peers] [--json FILE] [--sizes 100 316 1000] [--repeats 5] [--no-planners]

The family: N x N cells, four moves, the intended direction with probability 0.8 and each perpendicular with 0.1; a cell is a
wall with probability 0.15 or a pit with 0.10; the goal in the far corner pays 1 and ends the episode, a pit pays -1, any other
step -0.01. What is timed is solving; building the model and compiling come before. Every solution is held against an
independent one: the exact solve of its greedy policy by sparse LU, improved until Bellman's residual proves it to 1e-9.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "2"}

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from planning_peers import mdpsolver_solver, quantecon_solver
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import splu

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import envs  # noqa: F401 - registers the ids
from rlkit.agents import make
from rlkit.cli.planners import planners
from rlkit.mdp import MDP, from_env

TOLERANCE = 1e-6
BUDGET = 60.0  # seconds; a planner that took longer once is not repeated
MOST_STATES = {
    "linear_programming": 10_000,
    "policy_iteration": 10_000,
    "inexact_policy_iteration": 100_000,
}  # patience


class Run(NamedTuple):
    """One way to solve: `prepare` is not timed, what it returns is called once and returns v and the proven bound."""

    name: str
    prepare: Callable[[], Callable[[], tuple[NDArray[np.float64], float]]]
    ours: bool


def world(size: int) -> gym.Env[Any, Any]:
    draws = np.random.default_rng(0).random((size, size))
    cells = np.where(draws < 0.15, "#", np.where(draws < 0.25, "X", "."))
    cells[0, 0], cells[-1, -1] = "S", "T"
    return gym.make(
        "GridWorld-v0",
        layout=["".join(row) for row in cells],
        actions=4,
        slip=0.2,
        target="terminal",
        r_boundary=-0.01,
        r_step=-0.01,
        r_forbidden=-1.0,
        r_target=1.0,
        disable_env_checker=True,
    )


def planner(name: str, source: Any, gamma: float, label: str, **options: Any) -> Run:
    def prepare() -> Callable[[], tuple[NDArray[np.float64], float]]:
        agent = make(name, source, gamma=gamma, tolerance=TOLERANCE, **options)

        def solve() -> tuple[NDArray[np.float64], float]:
            for _ in agent.updates(10**9):
                pass
            return agent.v, agent.bound

        return solve

    return Run(label, prepare, ours=True)


def our_runs(env: gym.Env[Any, Any], mdp: MDP | None, gamma: float, every_planner: bool) -> Iterator[Run]:
    name = "prioritized_sweeping"
    yield planner(name, env, gamma, f"{name}, GridWorld")
    yield planner(name, env, gamma, f"{name}, GridWorld, 2 threads", threads=2)
    if mdp is None:
        return
    yield planner(name, mdp, gamma, f"{name}, structure found in arrays")
    yield planner(name, mdp, gamma, f"{name}, sparse arrays", structure=False)
    yield planner(name, mdp, gamma, f"{name}, sparse arrays, 2 threads", structure=False, threads=2)
    others = [other for other in planners() if other not in (name, "backward_induction")]
    for other in others if every_planner else ():
        if mdp.n_states <= MOST_STATES.get(other, 10**9):
            yield planner(other, env, gamma, f"{other}, GridWorld")


def reference(mdp: MDP, gamma: float, v: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Policy iteration in numpy and SuperLU from a good v; returns v* and its proven error."""
    size, actions = mdp.n_states, mdp.n_actions
    going = mdp.prob * ~mdp.terminated
    gain = np.add.reduceat(mdp.prob * mdp.reward, mdp.indptr[:-1])
    rows = csr_array((gamma * going, mdp.next_state, mdp.indptr), shape=(size * actions, size))
    for _ in range(50):
        chosen = np.arange(size) * actions + (gain + rows @ v).reshape(size, actions).argmax(axis=1)
        v = splu((eye_array(size) - rows[chosen]).tocsc()).solve(gain[chosen])
        error = np.abs((gain + rows @ v).reshape(size, actions).max(axis=1) - v).max() / (1 - gamma)
        if error < 1e-9:
            break
    return v, error


def timed(run: Run, repeats: int) -> tuple[dict[str, Any], NDArray[np.float64]]:
    seconds: list[float] = []
    for _ in range(repeats + 1):  # the first is a warm-up, and counts only if there is no time for another
        solve = run.prepare()
        begin = time.perf_counter()
        v, bound = solve()
        seconds.append(time.perf_counter() - begin)
        if seconds[-1] > BUDGET / (repeats + 1):
            break
    counted = seconds[1:] or seconds
    figures = {
        "name": run.name,
        "ours": run.ours,
        "seconds": statistics.median(counted),
        "fastest": min(counted),
        "slowest": max(counted),
        "bound": bound,
    }
    return figures, v


def case(size: int, gamma: float, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    env = world(size)
    mdp = from_env(env)
    assert mdp is not None
    runs = list(our_runs(env, mdp, gamma, arguments.planners))
    if arguments.peers:
        if importlib.util.find_spec("quantecon"):
            runs.append(
                Run("QuantEcon modified policy iteration", lambda: quantecon_solver(mdp, gamma, TOLERANCE), ours=False)
            )
        if importlib.util.find_spec("mdpsolver") and size <= 316:
            runs.append(
                Run("mdpsolver modified policy iteration", lambda: mdpsolver_solver(mdp, gamma, TOLERANCE), ours=False)
            )
    rows: list[dict[str, Any]] = []
    best: NDArray[np.float64] | None = None
    error = np.inf
    for run in runs:
        figures, v = timed(run, arguments.repeats)
        if best is None:
            best, error = reference(mdp, gamma, v)
        figures |= {"size": size, "gamma": gamma, "true_error": float(np.abs(v - best).max()), "reference_error": error}
        rows.append(figures)
        print(f"N={size} gamma={gamma} {run.name}: {figures['seconds']:.4f} s", file=sys.stderr)
    return rows


def memory() -> dict[str, Any]:
    """Peak memory of building and solving a million cells, beyond that of an interpreter that has solved a small grid."""

    def peak() -> float:
        status = Path("/proc/self/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    for size in (50, 1000):
        before, begin = peak(), time.perf_counter()
        env = world(size)
        built = time.perf_counter()
        v, bound = planner("prioritized_sweeping", env, 0.99, "").prepare()()
        done = time.perf_counter()
    return {
        "name": "memory: GridWorld built and solved",
        "size": size,
        "gamma": 0.99,
        "ours": True,
        "build_seconds": built - begin,
        "seconds": done - built,
        "bound": bound,
        "mb_above_interpreter": peak() - before,
        "states": len(v),
    }


def versions() -> dict[str, str]:
    found = ("numpy", "numba", "scipy", "quantecon", "mdpsolver")
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in found if importlib.util.find_spec(name)
    }


def shown(rows: list[dict[str, Any]]) -> Table:
    table = Table("N", "gamma", "how", "seconds", "fastest .. slowest", "true error", "proven", "QuantEcon takes")
    for row in rows:
        same = (r for r in rows if not r["ours"] and (r["size"], r["gamma"]) == (row["size"], row["gamma"]))
        peer = next((r for r in same if r["name"].startswith("QuantEcon")), None)
        ratio = f"{peer['seconds'] / row['seconds']:.1f} x" if peer and row["ours"] else ""
        bound = f"{row['bound']:.0e}" if np.isfinite(row["bound"]) else "none"
        spread = f"{row['fastest']:.4f} .. {row['slowest']:.4f}"
        table.add_row(
            str(row["size"]),
            str(row["gamma"]),
            row["name"],
            f"{row['seconds']:.4f}",
            spread,
            f"{row['true_error']:.0e}",
            bound,
            ratio,
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="run the peers as well")
    parser.add_argument("--planners", action=argparse.BooleanOptionalAction, default=True, help="run every planner")
    parser.add_argument("--json", type=Path, help="write the rows here, one JSON object a line")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 316, 1000])
    parser.add_argument("--gammas", type=float, nargs="+", default=[0.99, 0.999])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="only measure the memory of a million cells (Linux)")
    arguments = parser.parse_args()
    if arguments.memory:
        print(json.dumps(memory()))
        return
    for peer in ("quantecon", "mdpsolver") if arguments.peers else ():
        if importlib.util.find_spec(peer) is None:
            print(f"{peer} is not installed: its rows are left out")
    rows: list[dict[str, Any]] = []
    for size in arguments.sizes:
        for gamma in arguments.gammas:
            if size <= 316 or gamma == arguments.gammas[0]:
                rows += case(size, gamma, arguments)
    Console(width=140).print(shown(rows))
    if 1000 in arguments.sizes and Path("/proc/self/status").exists():
        done = subprocess.run([sys.executable, __file__, "--memory"], capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout))
        print(
            "a million cells: {mb_above_interpreter:.0f} MB above the interpreter, built and solved".format(**rows[-1])
        )
    lines = [json.dumps({**row, "versions": versions()}) for row in rows]
    print(*lines, sep="\n")
    if arguments.json:
        arguments.json.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
