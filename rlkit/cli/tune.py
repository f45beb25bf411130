"""`rlkit tune`: find a configuration of an agent for an environment, as a preset that `rlkit train --preset` takes."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlkit.cli.runs import DEFAULT, Agents, Env, Pairs, Seed, build, check_learner, named, note, with_options
from rlkit.learning.config import Prediction
from rlkit.run.directory import Run, check_free, new_folder
from rlkit.run.evaluate import evaluate
from rlkit.run.files import replacing
from rlkit.run.presets import write_preset
from rlkit.run.progress import Bar

ASKED = "tune.json"
BEST = "best.toml"
_SHOWN = 5
_LONGEST = 1_000  # steps of an episode that nothing else ends

_Search = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(
        metavar="KEY=RANGE", help="what to try: lr=1e-5..1e-2, batch=64,128 (default: the agent's usual ones)"
    ),
]
_Out = Annotated[
    Path | None,
    tyro.conf.arg(
        metavar="DIR",
        help="where to write; the folder of a search goes on with it",
        help_behavior_hint="(default: one in runs)",
    ),
]


@dataclass(frozen=True)
class Tune:
    """Try many configurations of an agent and keep the best: a search by optuna, each trial over several seeds.

    A trial's score is the exact value of the greedy policy where the environment has a model, minus the error for an
    agent that predicts, and elsewhere the mean return of greedy episodes. For example:

    rlkit tune sarsa --env CliffWalking-v1 --trials 30 --steps 20000

    rlkit tune ppo --env CartPole-v1 --search lr=1e-4..1e-2 --search epochs=5,10,20

    rlkit train sarsa --env CliffWalking-v1 --preset runs/tune-sarsa-CliffWalking-v1/best.toml
    """

    agent: Agents = ""
    env: Env = None
    arg: Pairs = ()
    trials: int = 30  # in all, those before an interruption included
    steps: int = 20_000  # of each run
    runs: int = 3  # of each trial, with one seed each; a bad trial is given up before its last
    plays: int = 20  # greedy episodes to score a run by, where there is no exact value
    seed: Seed = 0
    search: _Search = ()
    out: _Out = None
    options: tyro.conf.Suppress[Any] = None

    def run(self) -> int:
        """Search, and write what was found."""
        try:
            from rlkit.tuning.ranges import ranges  # noqa: PLC0415 - optuna is an extra, loaded when it searches
            from rlkit.tuning.search import open_study, ranking, search  # noqa: PLC0415 - the same
        except ModuleNotFoundError as error:
            raise ValueError(f"rlkit tune needs {error.name}: pip install 'rlkit[tune]'") from error
        for name in ("trials", "steps", "runs", "plays"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} is {getattr(self, name)}; it must be at least 1")
        env = self.env or DEFAULT
        fields = dataclasses.asdict(self.options)
        space = ranges(self.search, fields, self._settings())
        folder = self._folder(env)
        study = open_study(folder, self.seed, self.agent)
        Console().print("[dim]trial       score[/dim]")
        left = self.trials - len(study.trials)
        with Bar(f"tuning {self.agent}", max(left, 1)) as bar:
            for done, one in enumerate(search(study, left, space, self._play, self.runs), 1):
                best = ranking(study)
                bar.show(done, {"value": best[0].score if best else np.nan})
                self._line(one)
                if best:
                    write_preset(folder / BEST, env, self.agent, self.steps, {**self._settings(), **best[0].config})
        found = ranking(study)
        if not found:
            refused = {trial.user_attrs.get("refused", "its score was no number") for trial in study.trials}
            raise ValueError(f"no trial came to its end: {'; '.join(sorted(refused))}")
        console = Console()
        console.print(
            Text(f"{self.agent}, {env}: the best of {len(found)} trials that came to their end", "bold"), soft_wrap=True
        )
        console.print(self._table(found, space))
        words = f"mean, lowest and highest of {self.runs} seeds; chosen for the mean, which flatters the best"
        console.print(Text(words, "dim"), soft_wrap=True)
        words = f"rlkit train {self.agent} --env {env} --preset {folder / BEST}"
        console.print(
            Text.assemble("written: ", (f"{folder / BEST}", "cyan"), "; use it: ", (words, "cyan")), soft_wrap=True
        )
        return 0

    def _folder(self, env: str) -> Path:
        """Return the folder of the search, which holds what was asked so that it can only go on as it began."""
        asked = {
            "agent": self.agent, "env": env, "arg": list(self.arg), "steps": self.steps, "runs": self.runs,
            "plays": self.plays, "seed": self.seed, "search": list(self.search),
            "options": json.loads(json.dumps(dataclasses.asdict(self.options))),
        }  # fmt: skip
        stem = f"tune-{self.agent}-{Path(env).stem if Path(env).is_file() else env}".replace("/", "-").replace(":", "-")
        folder = self.out or new_folder("runs", stem)
        if (folder / ASKED).is_file():
            before = json.loads((folder / ASKED).read_text(encoding="utf-8"))
            for key, value in asked.items():
                if before.get(key) != value:
                    raise ValueError(
                        f"{folder} holds a search with {key} {before.get(key)!r}, not {value!r}; ask for the same, or "
                        "name another folder"
                    )
            return folder
        check_free(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / ASKED) as file:
            file.write(json.dumps(asked, indent=1).encode() + b"\n")
        return folder

    def _play(self, config: dict[str, Any], number: int) -> float:
        """Train one run and score it."""
        whole = {**dataclasses.asdict(self.options), **config, "report": self.steps}
        world, agent, notes = build(Run(self.agent, whole, self.env or DEFAULT, self.arg, self.seed + number))
        if number == 0:
            note(notes)
        scalars: Mapping[str, float] = {}
        for report in agent.updates(self.steps):
            scalars = report.scalars
        if isinstance(self.options, Prediction) and "rmse" not in scalars:
            raise ValueError(
                f"{self.agent} predicts, and nobody knows the true values here: there is nothing to tune by"
            )
        score = (
            -scalars["rmse"] if "rmse" in scalars else scalars.get("value", np.nan) if "regret" in scalars else np.nan
        )
        if not np.isfinite(score):  # nobody knows, or the policy goes in circles for ever
            score = evaluate(agent, world, self.plays, seed=self.seed + number, max_steps=_LONGEST).mean
        world.close()
        return float(score)

    def _settings(self) -> dict[str, Any]:
        """Return the options that the user has set to something else than the agent's own."""
        plain = dataclasses.asdict(type(self.options)())
        return {key: value for key, value in dataclasses.asdict(self.options).items() if value != plain[key]}

    def _line(self, one: Any) -> None:
        words = ", ".join(f"{key} {_short(value)}" for key, value in one.config.items())
        end = "" if one.whole else " [dim]given up[/dim]"
        Console().print(
            f"[dim]{one.number + 1:>5}[/dim]  {_short(one.score):>10}{end}  [dim]{words}[/dim]", soft_wrap=True
        )

    def _table(self, found: Sequence[Any], space: Any) -> Table:
        table = Table()
        for name in ("score", "lowest", "highest", *space):
            table.add_column(name, justify="right", no_wrap=True)
        for one in found[:_SHOWN]:
            ends = (_short(one.score), _short(min(one.each)), _short(max(one.each)))
            table.add_row(*ends, *(_short(one.config[key]) for key in space))
        return table


def command(words: Sequence[str]) -> type[Tune]:
    """Return `Tune` with the options of the agent that the words name.

    Raises:
        ValueError: no agent that learns has that name.
    """
    if words[:1] != ["tune"]:
        return Tune
    name = named(words)
    if not name:
        if {"-h", "--help"} & set(words):
            return Tune
        raise ValueError("say whom to tune: `rlkit tune AGENT`, one of `rlkit list agents`")
    check_learner(name)
    return cast("type[Tune]", with_options(Tune, name))


def _short(value: Any) -> str:
    return f"{round(value, 9) + 0.0:.5g}" if isinstance(value, float) else str(value)
