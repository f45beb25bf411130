"""`rlkit compare`: several agents in one environment, over many seeds, with intervals."""

import ast
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.text import Text

from rlkit.agents import load
from rlkit.cli.comparison import Learned, rank, show, write
from rlkit.cli.runs import DEFAULT, Env, Out, Pairs, Seed, build, check_learner, note
from rlkit.learning.learner import Learner
from rlkit.run.directory import Run, check_free, new_folder
from rlkit.run.progress import Bar

_REPORTS = 50
_OWN = {"gamma", "seeds", "report"}  # have flags of their own, or are not to differ


_Names = Annotated[
    tuple[str, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="AGENT", help="of rlkit list agents", help_behavior_hint=""),
]
_Gamma = Annotated[float | None, tyro.conf.arg(help="discount", help_behavior_hint="(default: each agent's own)")]
_Set = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="[AGENT.]KEY=VALUE", help="an option of all agents that have it, or of one"),
]


@dataclass(frozen=True)
class Compare:
    """Let several agents learn side by side: interquartile means with 95 % bootstrap intervals, as table, picture, JSON.

    The mean of the middle half of the seeds is less at the mercy of one bad run than the mean, and the interval comes
    from drawing whole runs anew (Agarwal et al., arXiv:2108.13264). For example:

    rlkit compare q_learning sarsa expected_sarsa --env CliffWalking-v1 --gamma 1

    rlkit compare q_learning sarsa --set alpha=0.5 --set sarsa.epsilon=0.01
    """

    agents: _Names
    env: Env = None
    arg: Pairs = ()
    steps: int = 50_000  # of each run
    seeds: int = 20  # runs of each agent
    seed: Seed = 0
    gamma: _Gamma = None
    metric: Literal["auto", "value", "return", "rmse"] = "auto"  # auto: value or rmse with a model, return without
    set: _Set = ()
    out: Out = None

    def run(self) -> int:
        """Do it."""
        names = self._checked()
        env = self.env or DEFAULT
        if self.out is not None:
            check_free(self.out)
        title = Path(env).stem if Path(env).is_file() else env
        found = {name: self._learn(name, env) for name in names}
        rows, key = rank(found, None if self.metric == "auto" else self.metric)
        gamma = "" if self.gamma is None else f", gamma {self.gamma:g}"
        show(Console(), rows, key, f"{title}: {self.seeds} runs of {self.steps:,} steps{gamma}")
        folder = self.out or new_folder("runs", f"compare-{title}".replace("/", "-").replace(":", "-"))
        asked = {"env": env, **{key: getattr(self, key) for key in ("arg", "steps", "seeds", "seed", "gamma", "set")}}
        with Bar("drawing"):
            written = write(folder, rows, key, found, title, asked)
        Console().print(Text.assemble("written: ", (" ".join(map(str, written)), "cyan")), soft_wrap=True)
        return 0

    def _checked(self) -> list[str]:
        if not self.agents:
            raise ValueError("say which agents: `rlkit compare AGENT AGENT ...`, of `rlkit list agents`")
        for name in self.agents:
            check_learner(name)
        if len(set(self.agents)) < len(self.agents):
            raise ValueError(f"an agent is named twice: {' '.join(self.agents)}")
        if self.steps < 1:
            raise ValueError(f"--steps is {self.steps}; it must be at least 1")
        for word in self.set:
            name, key, _ = _setting(word)
            if name and name not in self.agents:
                raise ValueError(
                    f"--set {word} is for {name}, which is not compared; compare {name} too, or leave it out"
                )
            if not any(key in _fields(one) for one in ([name] if name else self.agents)):
                known = ", ".join(_fields(name or self.agents[0]))
                raise ValueError(
                    f"--set {word}: there is no option {key!r} for {name or 'these agents'}; there are {known}"
                )
        return list(self.agents)

    def _learn(self, name: str, env: str) -> Learned:
        config: dict[str, Any] = {"seeds": self.seeds, "report": max(1, self.steps // _REPORTS)}
        own = _fields(name)
        config |= {} if self.gamma is None else {"gamma": self.gamma}
        config |= {"horizon": self.steps} if "horizon" in own else {}
        config |= {key: value for only, key, value in map(_setting, self.set) if only in {"", name} and key in own}
        world, agent, notes = build(Run(name, config, env, self.arg, self.seed))
        note(notes)
        clock = time.perf_counter()
        reports = []
        with Bar(name.replace("_", " "), self.steps) as bar:
            for report in agent.updates(self.steps):
                reports.append(report)
                bar.show(report.step, report.scalars)
        seconds = time.perf_counter() - clock
        world.close()
        if isinstance(agent, Learner) and agent.setting.world is not None:
            seconds = self._time(Run(name, {**config, "report": self.steps}, env, self.arg, self.seed))
        return Learned(reports, seconds)

    def _time(self, run: Run) -> float:
        """Measure learning alone: judging so many policies takes longer than a compiled agent needs to find them."""
        world, agent, _ = build(run)
        with Bar(f"timing {run.agent}"):
            clock = time.perf_counter()
            for _ in agent.updates(self.steps):
                pass
            seconds = time.perf_counter() - clock
        world.close()
        return seconds


def command(words: Sequence[str]) -> type[Compare]:
    """Return `Compare`, where every agent that the words name first can learn.

    Raises:
        ValueError: one cannot.
    """
    if words[:1] == ["compare"]:
        for word in takewhile(lambda word: not word.startswith("-"), words[1:]):
            check_learner(word)
    return Compare


def _setting(word: str) -> tuple[str, str, Any]:
    """Split [AGENT.]KEY=VALUE."""
    place, equals, text = word.partition("=")
    name, _, key = place.rpartition(".")
    if not (equals and key.isidentifier()):
        raise ValueError(f"--set {word!r} is not of the form KEY=VALUE or AGENT.KEY=VALUE, such as sarsa.alpha=0.5")
    try:
        return name, key, ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name, key, text  # a plain word, or a schedule


def _fields(name: str) -> list[str]:
    return [field.name for field in dataclasses.fields(load(name).Config) if field.name not in _OWN]
