"""Every algorithm of language-model RL against the exact gradient, by listing all batches of answers that there are.

    python benchmarks/token_truth.py [--out runs/token_truth] [--write docs/llm.md] [--worlds NAME ...]

On token worlds of a few prompts, tokens and steps, with a softmax table as the policy, `rlkit.agents.grpo` itself computes the
gradient of each batch of answers, with its presets as they are shipped; weighted by the batches' chances they give the gradient on
average, and its variance, exact to rounding. Prints the tables, writes rows.jsonl and the picture into --out, and the tables into
a page.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it can be called from anywhere

from benchmarks.truth.pictures import draw
from benchmarks.truth.study import study
from benchmarks.truth.table import TABLES, markdown, write
from benchmarks.truth.worlds import WORLDS


def main(arguments: list[str] | None = None) -> None:
    """Compute, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [world.name for world in WORLDS]
    parser.add_argument("--out", type=Path, default=Path("runs/token_truth"), help="folder of the rows and the picture")
    parser.add_argument("--write", type=Path, help="a page to put the tables into, between their marks")
    parser.add_argument("--worlds", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    asked = parser.parse_args(arguments)
    console, begun = Console(width=178), time.process_time()
    with Console(stderr=True).status("all batches of all worlds"):
        results = list(study([world for world in WORLDS if world.name in asked.worlds]))
    for table in TABLES:
        console.print(f"{table}\n{markdown(results, table)}\n", markup=False, soft_wrap=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one._asdict()) + "\n" for one in results]
    (asked.out / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    drawn = draw(results, asked.out / "llm-truth.png")
    if asked.write:
        write(asked.write, results)
    console.print(f"{len(results)} rows, {drawn}; {time.process_time() - begun:.0f} s of one core")


if __name__ == "__main__":
    torch.set_num_threads(1)  # the arrays are small; a second thread costs more than it brings
    main()
