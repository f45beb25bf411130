"""Policy-gradient estimators against the exact gradient: bias, variance and direction over sample size.

    python benchmarks/estimators.py [--out runs/estimators] [--quick] [--worlds NAME ...] [--episodes N] [--seed 0]

On the book's grids with a target that ends the episode, and on FrozenLake, a softmax table half way to the optimum is
differentiated through the very functions of `rlkit.pg`, thousands of batches at once, and every mean is held against
`rlkit.exact`: the exact gradient, and where the estimator is biased the closed form of what it estimates instead. Writes
rows.jsonl and the pictures into --out, and prints the table of batches of 64 episodes.

The objective is discounted, so that the policy gradient weights the state of step t by γ^t. Nearly all implementations drop
that factor; both are measured.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it can be called from anywhere

from benchmarks.estimators import epochs, groups, pictures, study, worlds
from benchmarks.estimators.episodes import sample
from benchmarks.estimators.rows import WITHIN, Row
from benchmarks.estimators.table import show

SIZES = (1, 4, 16, 64, 256, 1024)
LEARNED = 32  # other episodes that the learned critic has seen


def rows_of(case: worlds.Case, episodes: int, seed: int) -> Iterator[Row]:
    """Measure every estimator on a case, with `episodes` episodes for each; a multiple of 1024 gives all batch sizes."""
    seeds = np.random.SeedSequence([seed, [w.name for w in worlds.WORLDS].index(case.world.name)]).spawn(4)
    critic, plain, group, later = map(np.random.default_rng, seeds)
    sizes = tuple(n for n in SIZES if 8 * n <= episodes)
    parts = sample(case.mdp, case.pi, episodes, plain)
    yield from study.linear(case, parts, study.learn_values(case, LEARNED, critic), sizes)
    yield from study.with_own_critic(case, parts, sizes)
    yield from groups.grouped(case, episodes, group)
    yield from epochs.later_epochs(case, episodes // 4, later)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, and write rows and pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [world.name for world in worlds.WORLDS]
    parser.add_argument("--out", type=Path, default=Path("runs/estimators"), help="folder of the rows and the pictures")
    parser.add_argument("--quick", action="store_true", help="few episodes, in seconds")
    parser.add_argument("--worlds", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--episodes", type=int, default=32_768, help="for each estimator, a multiple of 1024")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    episodes = 1024 if asked.quick else asked.episodes
    if episodes < 1024 or episodes % 1024:
        parser.error(f"episodes is {episodes}; it must be a multiple of 1024")
    console, begun = Console(width=178), time.perf_counter()
    cases = [worlds.make(world) for world in worlds.WORLDS if world.name in asked.worlds]
    rows: list[Row] = []
    for case in cases:
        with Console(stderr=True).status(f"{case.world.name}: {episodes} episodes for each estimator"):
            rows += rows_of(case, episodes, asked.seed)
    show(rows, console, 64)
    asked.out.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row.as_json()) + "\n" for row in rows]
    (asked.out / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    drawn = pictures.draw(rows, cases, asked.out)
    known = [row for row in rows if row.miss is not None]
    wrong = sum(row.verdict == "WRONG" for row in known)
    console.print(
        f"{len(rows)} rows in {asked.out / 'rows.jsonl'}, {len(drawn)} pictures beside it. {len(known) - wrong} of {len(known)} "
        f"means with a closed form are within {WITHIN:g} standard errors of it: the farthest {max(row.miss or 0 for row in known):.1f} "
        f"in all components together, {max(row.length_miss or 0 for row in known):.1f} along the gradient. "
        f"{time.perf_counter() - begun:.0f} s, torch {torch.__version__}."
    )


if __name__ == "__main__":
    torch.set_num_threads(1)  # the arrays are small; a second thread costs more than it brings
    main()
