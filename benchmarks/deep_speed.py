"""Deep agents' speed on CartPole beside Stable-Baselines3 and CleanRL's workload: `python benchmarks/deep_speed.py --peers PYTHON`.

Workloads of PPO are "wide" and "cleanrl"; "dqn" is that of Stable-Baselines3's zoo, "a2c" has its defaults. --only takes some of them.
PYTHON is an interpreter that has stable_baselines3; without it only rlkit is timed. With `--threads 1 2` torch and its peers have rows with one
thread and with two; "times" counts from the first row. Each row runs in processes of its own, in turn with
the others, and shows the median of --repeats: steps per second of time passed, and of processor time, which other programs on the machine
disturb less. "Solved" is the time from a process's start until it says that the mean return of 32 greedy episodes is at least 475.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
WORKLOADS = {
    "wide": "envs=8, segment=32, batch=256, epochs=20, lr='linear(1e-3,0)', clip='linear(.2,0)', gamma=.98, lam=.8, horizon=100_000",
    "cleanrl": "envs=4, segment=128, batch=128, epochs=4, lr='linear(2.5e-4,0)', clip=.2, value_clip=.2, entropy=.01, gamma=.99, lam=.95, "
    "horizon=500_000",
    "dqn": "train_every=256, gradient_steps=128, target_every=10, epsilon='linear(1, .04, 8000)', double=False, lr=2.3e-3",
    "a2c": "envs=8, segment=5, lr=7e-4",
}
OURS = """
import time, rlkit
agent = rlkit.make("{name}", "CartPole-v1", seed={seed}, {workload}, {options})
for _ in agent.updates(2048): pass
wall, cpu = time.perf_counter(), time.process_time()
for _ in agent.updates({steps}): pass
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print({runs} * {steps} / wall, {runs} * {steps} / cpu)
"""
SOLVED = """
import numpy as np, gymnasium as gym, rlkit
agent = rlkit.make("ppo", "CartPole-v1", seed={seed}, {workload}, report=2048)
env = gym.make_vec("rlkit/CartPole-v1", 32, autoreset_mode="NextStep")
for report in agent.updates(100_000):
    if report.scalars["return"] < 150: continue
    obs, returns, alive = env.reset(seed=1)[0], np.zeros(32), np.ones(32, bool)
    while alive.any():
        obs, rewards, terminated, truncated, _ = env.step(agent.act(obs))
        returns += rewards * alive
        alive &= ~(terminated | truncated)
    if returns.mean() >= 475: break
print(report.step, returns.mean(), flush=True)
"""


def rows(peers, threads):
    """Name, group, and the command of each row; torch's rows and their peers with as many threads each."""

    def ours(workload, steps, options, runs=1):
        name = workload if workload in ("dqn", "a2c") else "ppo"
        code = OURS.format(name=name, seed=0, workload=WORKLOADS[workload], options=options, steps=steps, runs=runs)
        return [sys.executable, "-c", code]

    def theirs(what, steps, count=1):
        return [peers or sys.executable, str(HERE / "deep_peers.py"), what, str(steps), str(count)]

    for n in threads:
        what = f"{n} thread" if n == 1 else f"{n} threads"
        if peers:
            yield f"Stable-Baselines3, {what}", "wide", theirs("ppo", 10_240, n)
        yield f"rlkit, torch, {what}", "wide", ours("wide", 10_240, f"engine='torch', threads={n}")
    yield "rlkit, compiled, 1 thread", "wide", ours("wide", 61_440, "threads=1")
    yield "rlkit, compiled, 2 threads", "wide", ours("wide", 61_440, "threads=2")
    yield "rlkit, compiled, 10 seeds", "wide", ours("wide", 20_480, "seeds=10", 10)
    yield "CleanRL's default", "cleanrl", theirs("cleanrl", 10_240)
    yield "rlkit, compiled, 1 thread", "cleanrl", ours("cleanrl", 102_400, "threads=1")
    for name, few, many in (("dqn", 2_048, 8_192), ("a2c", 4_000, 80_000)):
        for n in threads:
            what = f"{n} thread" if n == 1 else f"{n} threads"
            if peers:
                yield f"Stable-Baselines3, {what}", name, theirs(name, few, n)
            yield f"rlkit, torch, {what}", name, ours(name, few, f"engine='torch', threads={n}")
            yield f"rlkit, compiled, {what}", name, ours(name, many, f"threads={n}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="", help="an interpreter with stable_baselines3")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="of torch, and of its peers")
    parser.add_argument("--only", nargs="+", default=list(WORKLOADS), choices=WORKLOADS, help="workloads")
    args = parser.parse_args()
    jobs = [job for job in rows(args.peers, args.threads) if job[1] in args.only]
    for workload in args.only:  # fills the compile cache
        last = [command for _, group, command in jobs if group == workload][-1]
        subprocess.run(last, check=True, capture_output=True)
    found = [[] for _ in jobs]
    for _ in range(args.repeats):
        for (_, _, command), times in zip(jobs, found, strict=True):
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            times.append([float(word) for word in done.stdout.split()[-2:]])
    first = {}
    print(f"{'':30}{'workload':>10}{'steps/s':>10}{'times':>7}{'per cpu s':>11}{'times':>7}")
    for (name, group, _), times in zip(jobs, found, strict=True):
        wall, cpu = (median(column) for column in zip(*times, strict=True))
        base = first.setdefault(group, (wall, cpu))
        print(f"{name:30}{group:>10}{wall:10,.0f}{wall / base[0]:7.1f}{cpu:11,.0f}{cpu / base[1]:7.1f}")
        print(
            json.dumps({"row": name, "workload": group, "steps_per_second": wall, "per_cpu_second": cpu}),
            file=sys.stderr,
        )
    if "wide" not in args.only:
        return
    seconds = [solved(seed) for seed in range(args.repeats)]
    print(f"cold process to solved CartPole, median of {args.repeats} seeds: {median(seconds):.2f} s", sorted(seconds))


def solved(seed: int) -> float:
    start = time.perf_counter()
    code = SOLVED.format(seed=seed, workload=WORKLOADS["wide"])
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        if not process.stdout.readline():
            raise SystemExit(f"seed {seed} failed")
        return round(time.perf_counter() - start, 2)


if __name__ == "__main__":
    main()
