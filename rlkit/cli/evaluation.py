"""`rlkit eval`: play what a run has learned, without exploration, and hold it against its exact value."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import gymnasium as gym
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from rlkit.agent import Agent
from rlkit.cli.languages import token_env
from rlkit.cli.runs import Pairs, note, restore
from rlkit.cli.worlds import open_world
from rlkit.learning.learner import Learner
from rlkit.run.evaluate import Evaluation, evaluate
from rlkit.run.progress import Bar

_Other = Annotated[
    str | None, tyro.conf.arg(metavar="ENV", help="another environment than the run's", help_behavior_hint="")
]


_Video = Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help="film the first episode: RUN/video.gif")]


@dataclass(frozen=True)
class Evaluate:
    """Play episodes with what a run has learned: mean return with its standard error, and the exact value beside it.

    Of a run of several seeds the first one plays. For example:

    rlkit eval runs/q_learning-GridWorld-v0-0 --episodes 500

    rlkit eval runs/ppo-CartPole-v1-0 --video
    """

    run_: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(name="run", metavar="RUN", help="the folder of a run")]
    episodes: int = 100
    env: _Other = None
    arg: Pairs = ()
    seed: int = 0  # of the environment's first reset
    max_steps: int = 1000  # after which an episode is cut that nothing else ends
    video: _Video = False

    def run(self) -> int:
        """Play, and print a table."""
        with Bar(f"building {self.env or self.run_}"):
            run, world, agent, notes = restore(self.run_, self.env, self.arg)
        note(notes)
        if not isinstance(world, gym.Env):
            world = token_env(world, int(run.config["max_steps"]))
        gamma = float(run.config.get("gamma", 1.0))
        with Bar(f"playing {self.episodes} episodes"):
            plain = evaluate(agent, world, self.episodes, self.seed, max_steps=self.max_steps)
        with Bar(f"playing {self.episodes} episodes with discount"):
            discounted = evaluate(agent, world, self.episodes, self.seed, gamma=gamma, max_steps=self.max_steps)
        title = f"{run.agent}, {self.env or run.env}"
        table = Table(show_header=False, title=title, title_justify="left", title_style="bold")
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        ended = [f"{plain.terminated:,} came to their end"] if plain.terminated else []
        cut = [f"{plain.truncated:,} were cut"] if plain.truncated else []
        table.add_row("episodes", f"{self.episodes:,} of {plain.mean_length:.6g} steps; {', '.join(ended + cut)}")
        table.add_row("return", f"[bold]{_mean(plain)}[/bold]")
        table.add_row("discounted", f"{_mean(discounted)} [dim]at gamma {gamma:g}[/dim]")
        for name, words in _known(agent, gamma).items():
            table.add_row(name, words)
        Console().print(table)
        world.close()
        if self.video:
            self._film(agent, self.env or str(run.env), self.arg if self.env else (*run.arg, *self.arg))
        return 0

    def _film(self, agent: Agent, env: str, arg: Sequence[str]) -> None:
        from rlkit.run.film import film  # noqa: PLC0415 - pictures are loaded when one is asked for

        world, _ = open_world(env, [*arg, "render_mode=rgb_array"])
        path = self.run_ / "video.gif"
        with Bar("filming"):
            frames = film(agent, world, path, self.seed, max_steps=self.max_steps)
        world.close()
        Console().print(f"written: [cyan]{path}[/cyan], {frames:,} frames", soft_wrap=True)


def _mean(found: Evaluation) -> str:
    error = "" if np.isnan(found.standard_error) else f" ± {found.standard_error:.2g}"
    return f"{found.mean:.6g}{error}"


def _known(agent: Agent, gamma: float) -> dict[str, str]:
    """Return what the model of the world says of the run that plays, where there is one."""
    if not isinstance(agent, Learner):
        return {}
    each = agent.report().each
    rows = {}
    if "value" in each:
        value, regret = each["value"][0], each["regret"][0]
        words = f"at gamma {gamma:g}, without time limit; the optimum is {value + regret:.6g}"
        rows["exact value"] = f"{value:.6g} [dim]{words}[/dim]"
    if "rmse" in each:
        rows["error"] = f"{each['rmse'][0]:.6g} [dim]root mean square of the values, against the exact ones[/dim]"
    return rows
