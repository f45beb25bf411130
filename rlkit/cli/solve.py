"""`rlkit solve`: read the model of a world, plan, and show and write what was found."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import tyro
from rich.console import Console
from rich.text import Text

from rlkit.agents import load, make
from rlkit.choose import Choice, choose
from rlkit.cli.planners import planners
from rlkit.cli.solution import Planning, Solution
from rlkit.cli.worlds import open_world
from rlkit.run.fit import fit
from rlkit.run.progress import Bar

AUTO = "auto"
_RUNS = "runs"


@dataclass(frozen=True)
class Auto:
    """What every choice of a planner takes; name a planner to see, and set, its own options too."""

    gamma: float = 0.9  # discount
    tolerance: float = 1e-6  # stop when max |v - v*| is proven to be at most this


_Name = Annotated[
    str,
    tyro.conf.Positional,
    tyro.conf.arg(metavar="ENV", help="a Gymnasium id, the name of a grid, or a file that holds an ASCII map"),
]
_Planner = Annotated[str, tyro.conf.arg(metavar="NAME", help="see rlkit list agents; auto: by size and discount")]
_Pairs = Annotated[
    tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE", help="argument for gym.make")
]
_Out = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help="where to write; runs/ENV when left out")]
_Show = Annotated[bool, tyro.conf.arg(help="the policy and the values in the terminal")]


@dataclass(frozen=True)
class Solve:
    """Solve a world exactly: a table, the policy as arrows, a picture and a JSON file.

    ENV is a Gymnasium id with a model, the name of a grid (rlkit list), or a file that holds an ASCII map. For example:

    rlkit solve GridWorld-v0

    rlkit solve FrozenLake-v1 --gamma 0.99 --arg map_name=8x8

    rlkit solve four-rooms --planner value_iteration --order gauss-seidel

    rlkit solve my_map.txt --gamma 1 --arg target=terminal --arg slip=0.1

    A planner named before --help shows its own options: rlkit solve --planner value_iteration --help
    """

    env: _Name
    planner: _Planner = AUTO
    arg: _Pairs = ()
    out: _Out = None
    show: _Show = True
    options: Any = None

    def run(self) -> int:
        """Do it; return 0, or 1 where the tolerance could not be proven."""
        console = Console()
        if self.out is not None and self.out.exists() and not self.out.is_dir():
            raise ValueError(f"--out {self.out} is a file; give a folder")
        with Bar(f"building {self.env}"):
            clock = time.perf_counter()
            world, notes = open_world(self.env, self.arg)
        for note in notes:
            Console(stderr=True).print(Text.assemble(("note: ", "yellow"), note))
        choice = self._choice(world)
        with Bar(f"reading the model of {self.env}"):
            agent = make(choice.planner, world, **choice.options)
        built = time.perf_counter()
        reports = fit(agent)
        done = time.perf_counter()
        solution = Solution(
            name=Path(self.env).stem if Path(self.env).is_file() else self.env,
            world=world,
            agent=cast("Planning", agent),
            choice=choice,
            sweeps=reports[-1].scalars.get("sweeps", float(reports[-1].step)) if reports else 0.0,
            seconds=(built - clock, done - built),
        )
        solution.print(console, grid=self.show)
        folder = self.out or Path(_RUNS) / solution.name.replace("/", "-").replace(":", "-")
        with Bar("drawing"):
            written = solution.write(folder)
        console.print(Text.assemble("written: ", (" ".join(map(str, written)), "cyan")), soft_wrap=True)
        world.close()
        return 0 if solution.agent.converged else 1

    def _choice(self, world: Any) -> Choice:
        given = dataclasses.asdict(self.options)
        if self.planner != AUTO:
            return Choice(self.planner, given, "as asked")
        found = choose(world, self.options.gamma)
        return found._replace(options={**given, **found.options})


def command(words: Sequence[str]) -> Callable[..., Solve]:
    """Return `Solve` with the options of the planner that the words name.

    Raises:
        ValueError: no planner has that name.
    """
    planner = _planner(words)
    if planner != AUTO and planner not in planners():
        raise ValueError(f"there is no planner {planner!r}; the planners are {', '.join(planners())}, and {AUTO}")
    config = Auto if planner == AUTO else load(planner).Config
    plain: Any = Annotated[config, tyro.conf.arg(name="")]
    made = dataclasses.make_dataclass(
        "Solve", [("options", plain, dataclasses.field(default_factory=config))], bases=(Solve,), frozen=True
    )
    made.__doc__ = Solve.__doc__
    return cast("Callable[..., Solve]", made)


def _planner(words: Sequence[str]) -> str:
    for k, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag == "--planner":
            return value if equals else next(iter(words[k + 1 : k + 2]), AUTO)
    return AUTO
