"""`rlkit r1-zero`, `rlkit r1`, `rlkit rlhf`: recipes from a base model to a better one, stage by stage, with a table of what each came to."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

_Model = Annotated[str, tyro.conf.arg(metavar="MODEL", help="tiny, smollm2, or a folder")]
_Out = Annotated[
    Path | None,
    tyro.conf.arg(
        metavar="DIR",
        help="where stages are kept; a recipe that was stopped goes on there",
        help_behavior_hint="(default: one in runs)",
    ),
]
_Seed = Annotated[int, tyro.conf.arg(help="of everything random")]


@dataclass(frozen=True)
class R1Zero:
    """Teach a base model by its rewards alone: GRPO with rewards for the answer and for <think> and <answer>.

    rlkit r1-zero --model tiny
    """

    model: _Model = "tiny"
    seed: _Seed = 0
    out: _Out = None

    def run(self) -> int:
        """Do it."""
        return _do("r1-zero", self.model, self.seed, self.out)


@dataclass(frozen=True)
class R1:
    """The stages of DeepSeek-R1: cold start, reasoning, rejection sampling, fine-tuning, rewards for all, a smaller student.

    rlkit r1 --model tiny --out runs/r1
    """

    model: _Model = "tiny"
    seed: _Seed = 0
    out: _Out = None

    def run(self) -> int:
        """Do it."""
        return _do("r1", self.model, self.seed, self.out)


@dataclass(frozen=True)
class RLHF:
    """Fine-tuning, a reward model, PPO by it, and DPO on the same preferences, compared by what is really liked.

    rlkit rlhf --model tiny
    """

    model: _Model = "tiny"
    seed: _Seed = 0
    out: _Out = None

    def run(self) -> int:
        """Do it."""
        return _do("rlhf", self.model, self.seed, self.out)


def _do(name: str, model: str, seed: int, out: Path | None) -> int:
    if seed < 0:
        raise ValueError(f"--seed is {seed}; it must be at least 0")
    from rlkit.recipes.r1 import r1  # noqa: PLC0415 - torch is loaded for those who need it
    from rlkit.recipes.r1_zero import r1_zero  # noqa: PLC0415
    from rlkit.recipes.rlhf import rlhf  # noqa: PLC0415

    recipe = {"r1": r1, "r1-zero": r1_zero, "rlhf": rlhf}[name]
    console, begin = Console(), time.perf_counter()
    folder = out or Path("runs") / f"{name}-{Path(model).name}-{seed}"
    course = recipe(model, folder, seed, console)
    console.print(course.table(f"{name}, {model}, {time.perf_counter() - begin:.0f} s"))
    console.print(f"written: [cyan]{folder}/[/cyan]", soft_wrap=True)
    return 0
