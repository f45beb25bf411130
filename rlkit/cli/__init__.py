"""The command line: rlkit solve | train | eval | compare | tune | list | report | demo | get-model | r1-zero | r1 | rlhf. `main` turns what the user got wrong into a message and exit code 2."""

import sys
from collections.abc import Sequence

import tyro
from rich.console import Console
from rich.text import Text

from rlkit import __version__
from rlkit.cli import compare, solve, train, tune
from rlkit.cli.demo import Demo
from rlkit.cli.evaluation import Evaluate
from rlkit.cli.get_model import GetModel
from rlkit.cli.listing import List
from rlkit.cli.page import Page
from rlkit.cli.recipes import R1, RLHF, R1Zero
from rlkit.cli.runs import spelled_out

_DESCRIPTION = """Reinforcement learning with the truth at hand.

Examples:
  rlkit list
  rlkit solve GridWorld-v0
  rlkit solve FrozenLake-v1 --gamma 0.99 --planner value_iteration
  rlkit train q_learning --env CliffWalking-v1 --gamma 1 --seeds 20
  rlkit compare q_learning sarsa expected_sarsa --env CliffWalking-v1
  rlkit tune sarsa --env CliffWalking-v1
  rlkit report runs
  rlkit get-model smollm2
  rlkit r1 --model tiny
  rlkit solve --help        (every command has a help of its own)
  rlkit --version"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0, 1 where a plan could not be proven, 2 for a mistake in what was asked."""
    words = spelled_out(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        sys.stdout.write(f"rlkit {__version__}\n")
        return 0
    try:
        request = tyro.extras.subcommand_cli_from_dict(
            {
                "solve": solve.command(words),
                "train": train.command(words),
                "eval": Evaluate,
                "compare": compare.command(words),
                "tune": tune.command(words),
                "list": List,
                "report": Page,
                "demo": Demo,
                "get-model": GetModel,
                "r1-zero": R1Zero,
                "r1": R1,
                "rlhf": RLHF,
            },
            prog="rlkit",
            description=_DESCRIPTION,
            args=words or ["--help"],
        )
        code: int = request.run()
    except (ValueError, OSError) as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        _complain("stopped")
        return 130
    return code


def _complain(message: str) -> None:
    """Say on standard error what is wrong; a map shown in the message keeps its lines."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text.assemble(("rlkit: ", "bold red"), message))
