"""SmolLM2 learns arithmetic by rewards on a CPU: held-out pass@1 before and after, and the seconds of training, over seeds.

    rlkit get-model smollm2
    python benchmarks/llm_learning.py sums|products [--seeds 0 1 2] [--set lr=4e-5 ...]

Dr. GRPO with 8 problems x 4 answers an update, the preset `smollm2`. Sums are of two numbers of 0 to 9, products of two of 2 to 9. A fifth of all
problems is held out, and never trained on; pass@1 is the share of right answers at temperature 1, four to each of 64 draws of them. Seconds are
those of training, without loading and measuring.
"""

import argparse
import json
import sys
import time
from typing import Any, NamedTuple

import numpy as np
import torch

import rlkit
from rlkit.cli.languages import open_language
from rlkit.cli.worlds import argument
from rlkit.run.presets import preset
from rlkit.sample import tasks
from rlkit.sample.language import Language
from rlkit.sample.rejection import sampled

EXAM = 10_000  # the seed of the problems and answers that pass@1 is of


class Lesson(NamedTuple):
    """What is learned, and how."""

    kind: str  # of the task
    numbers: dict[str, int]
    steps: int  # tokens that are chosen
    lr: float  # falls to 0
    asked: float  # pass@1
    limit: int = 12  # tokens of an answer


LESSONS = {
    "sums": Lesson("addition", {}, 9_000, 4e-5, 0.95),
    "products": Lesson("multiplication", {"low": 2, "high": 9}, 20_000, 5e-5, 0.8),
}


def pass_at_1(language: Language, task: Any, limit: int) -> float:
    """Return the share of right answers to problems that are held out."""
    held = Language(language.policy, language.tokenizer, task)
    found = sampled(held, prompts=64, samples=4, limit=limit, seed=EXAM, batch=64)
    return float(np.mean([one.score >= 1.0 for one in found]))


def learn(lesson: Lesson, seed: int, threads: int, told: dict[str, Any]) -> dict[str, Any]:
    """Train one run, and return what it came to."""
    torch.set_num_threads(threads)
    words = ["template=chat", "held_out=False", *(f"{key}={value}" for key, value in lesson.numbers.items())]
    language = open_language(lesson.kind, words, "smollm2", seed)
    held = tasks.make(lesson.kind, template="chat", held_out=True, **lesson.numbers)
    before = pass_at_1(language, held, lesson.limit)
    config = preset("grpo", "smollm2", list(rlkit.agents.load("grpo").Config.__dataclass_fields__)).config
    config |= {"lr": f"linear({lesson.lr},0)", "horizon": lesson.steps, "max_steps": lesson.limit, "threads": threads}
    clock, processor = time.perf_counter(), time.process_time()
    agent = rlkit.make("grpo", language, seed=seed, **config | {"report": lesson.steps // 12} | told)
    for report in agent.updates(lesson.steps):
        numbers = {key: round(float(report.scalars[key]), 3) for key in ("return", "length", "alike")}
        print(f"  {report.step} tokens, {time.perf_counter() - clock:.0f} s: {numbers}", file=sys.stderr, flush=True)
    spent = {"seconds": time.perf_counter() - clock, "processor": time.process_time() - processor}
    return {"seed": seed, "before": before, "after": pass_at_1(language, held, lesson.limit)} | spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lesson", choices=LESSONS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="of the lesson, or of GRPO's configuration"
    )
    args = parser.parse_args()
    told = dict(argument(word) for word in args.set)
    own = {key: told.pop(key) for key in list(told) if key in Lesson._fields}
    lesson = LESSONS[args.lesson]._replace(**own)
    print(f"{args.lesson}, {args.threads} threads; asked for: {lesson.asked}")
    print(f"{'seed':>4}{'before':>8}{'after':>8}{'seconds':>9}{'processor':>11}")
    for seed in args.seeds:
        row = learn(lesson, seed, args.threads, told)
        print(f"{seed:4}{row['before']:8.3f}{row['after']:8.3f}{row['seconds']:9.0f}{row['processor']:11.0f}")
        print(json.dumps({"lesson": args.lesson, "threads": args.threads} | row), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
