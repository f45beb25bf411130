"""`rlkit train`: let an agent learn from samples, in a directory from which it can go on whatever happens."""

import dataclasses
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import gymnasium as gym
import tyro
from rich.console import Console
from rich.text import Text

from rlkit.agent import Agent
from rlkit.cli.held_out import held_out, pass_at_1
from rlkit.cli.languages import DEFAULTS, SAMPLED, watch
from rlkit.cli.outcome import show
from rlkit.cli.runs import (
    DEFAULT,
    Agents,
    Env,
    Out,
    Pairs,
    Seed,
    build,
    check_learner,
    named,
    note,
    preset_of,
    value_of,
    with_options,
)
from rlkit.cli.worlds import World
from rlkit.run import ranks
from rlkit.run.checkpoint import read
from rlkit.run.directory import CHECKPOINT, Run, begin, check_free, new_folder, read_run, resume, write_run
from rlkit.run.fit import drain
from rlkit.run.log import read_log
from rlkit.run.progress import Bar
from rlkit.sample.config import Studies

STEPS = 100_000
UPDATES = 1_000  # of agents that learn from what was written
SPEAKERS = ("grpo", "token_ppo")  # agents that take a language model and a task
_REPORTS = 100  # in a run of the length first asked for

_Steps = Annotated[
    int | None,
    tyro.conf.arg(
        metavar="N",
        help="of each run, in all, those before --resume included",
        help_behavior_hint=f"(default: {STEPS}; updates of a model that learns from --data: {UPDATES})",
    ),
]
_Resume = Annotated[
    Path | None, tyro.conf.arg(metavar="DIR", help="go on with the run in this folder", help_behavior_hint="")
]
_Every = Annotated[float, tyro.conf.arg(metavar="SECONDS", help="between two checkpoints, at most")]
_Preset = Annotated[
    str | None,
    tyro.conf.arg(
        metavar="[NAME]",
        help="start from a configuration: that of the environment, of NAME (grpo's are algorithms, such as drgrpo), or of a file from `rlkit tune`",
        help_behavior_hint="",
    ),
]
_Task = Annotated[
    str | None,
    tyro.conf.arg(
        metavar="TASK",
        help="what a language model learns, in place of --env: addition, countdown, reasoning_gym:NAME, jsonl:PATH, env:ID, ...; --arg"
        " is then for the task, and for temperature, top_k, top_p, budget, lora, dtype, dynamic, overlong and length_reward",
        help_behavior_hint="",
    ),
]
_Model = Annotated[
    str | None,
    tyro.conf.arg(
        metavar="MODEL", help="that learns: smollm2, a folder, also of a run, or tiny, a new one", help_behavior_hint=""
    ),
]
_Generator = Annotated[
    Literal["own", "hf", "hf-continuous", "vllm"],
    tyro.conf.arg(
        help="who writes a language model's answers: rlkit, transformers in two ways, or vLLM where it is installed"
    ),
]
_Show = Annotated[
    bool, tyro.conf.arg(help="the policy and the values in the terminal; a language model's answers while it learns")
]


@dataclass(frozen=True)
class Train:
    """Let an agent learn in an environment: progress, checkpoints, curves for TensorBoard and as a picture.

    AGENT is one of `rlkit list agents`; named before --help it shows its own options too. For example:

    rlkit train q_learning --env GridWorld-v0 --alpha 0.1 --seeds 20

    rlkit train sarsa --env FrozenLake-v1 --arg is_slippery=False --steps 50000 --out runs/lake

    rlkit train ppo --env CartPole-v1 --preset

    rlkit train grpo --task addition --arg template=chat --model smollm2 --preset drgrpo --max-steps 12

    rlkit train sft --data answers.jsonl --model smollm2 --template chat --steps 200

    rlkit train --resume runs/lake --steps 80000

    rlkit train q_learning --help
    """

    agent: Agents = ""
    env: Env = None
    task: _Task = None
    model: _Model = None
    generator: _Generator = "own"
    arg: Pairs = ()
    seed: Seed = 0
    steps: _Steps = None
    preset: _Preset = None
    out: Out = None
    resume: _Resume = None
    save_every: _Every = 60.0
    show: _Show = True
    options: tyro.conf.Suppress[Any] = None

    def run(self) -> int:
        """Do it; return 0, 1 where the environment raised an error, 130 where it was stopped."""
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"--steps is {self.steps}; it must be at least 1")
        if not self.save_every > 0.0:
            raise ValueError(f"--save-every is {self.save_every}; it is a number of seconds above 0")
        folder, world, agent, steps = self._begin() if self.resume is None else self._resume(self.resume)
        if steps < 1:
            raise ValueError(f"{folder} has taken all its steps; give --steps more than {_step(folder):,} to go on")
        watched = watch(agent, Console() if self.show else None, folder) if ranks.writes() else None
        exam = held_out(world, self.task or "", self.arg)
        _mark("before", exam, agent)
        code = self._learn(agent, steps, folder, "" if watched is None else "tokens_per_second")
        if code == 0:
            _mark("after", exam, agent)
        if watched is not None:
            watched.tell(last=True)
        if isinstance(world, gym.Env):
            world.close()
        if code == 0 and ranks.writes():
            show(Console(), agent, read_run(folder), read_log(folder), folder, world, board=self.show)
        return code

    def _begin(self) -> tuple[Path, World, Agent, int]:
        env = self._where()
        tuned = preset_of(self.agent, [f"--preset={self.preset}"]).steps if self.preset else None
        steps = self.steps or tuned or (UPDATES if isinstance(self.options, Studies) else STEPS)
        config = dataclasses.asdict(self.options)
        config["report"] = config["report"] or max(1, steps // _REPORTS)
        if "horizon" in config:
            config["horizon"] = config["horizon"] or steps
        arg = (*self.arg, f"generator={self.generator}") if self.generator != "own" else self.arg
        run = Run(self.agent, config, env, arg, self.seed, steps, model=self.model)
        if self.out is not None and ranks.writes():
            check_free(self.out)
        with Bar(f"building {env}"):
            world, agent, notes = build(run)
        ranks.check_joined(self.agent)
        note(notes)
        stem = f"{self.agent}-{Path(env).stem if Path(env).is_file() else env}-{self.seed}"
        folder = self.out
        if folder is None:
            stem = stem.replace("/", "-").replace(":", "-")
            folder = Path(ranks.first(str(new_folder("runs", stem)) if ranks.writes() else ""))
        begin(folder, agent, steps, {"env": env, "model": self.model, "arg": arg, "seed": self.seed})
        return folder, world, agent, steps

    def _where(self) -> str:
        """Where the agent learns: a world, a task, or a file of what was written."""
        if self.generator != "own" and not self.task:
            raise ValueError("--generator is for language models that answer; it goes with --task and --model")
        if isinstance(self.options, Studies):
            if self.task or self.env or not self.model or not self.options.data:
                raise ValueError(
                    f"{self.agent} learns from what was written: give --data FILE.jsonl and --model, and neither --env nor --task"
                )
            return self.options.data
        if (self.task is None) != (self.model is None) or (self.task and self.env):
            raise ValueError("--task and --model belong together, and take the place of --env")
        if self.task and self.agent not in SPEAKERS:
            raise ValueError(f"{self.agent} is no agent for language models; those are {', '.join(SPEAKERS)}")
        return self.task or self.env or DEFAULT

    def _resume(self, folder: Path) -> tuple[Path, World, Agent, int]:
        if (
            self.agent
            or self.out
            or self.seed
            or self.arg
            or self.preset
            or self.task
            or self.model
            or self.generator != "own"
        ):
            raise ValueError(
                "--resume goes on as the run was begun; it takes --steps, --save-every and --show beside it"
            )
        run = read_run(folder)
        if self.env and run.env:
            raise ValueError(f"--resume goes on in the run's environment, {run.env}; leave out --env")
        with Bar(f"building {self.env or run.env}"):
            world, agent, notes = build(run, self.env)
        note(notes)
        resume(folder, agent)
        steps = self.steps or run.steps or STEPS
        if steps != run.steps and steps > _step(folder) and ranks.writes():
            write_run(folder, dataclasses.replace(run, steps=steps))
        return folder, world, agent, steps - _asked(folder)

    def _learn(self, agent: Agent, steps: int, folder: Path, speed: str) -> int:
        try:
            drain(agent, steps, folder, every=self.save_every, speed=speed)
        except KeyboardInterrupt:
            _complain(f"stopped; {_way_on(folder)}")
            return 130
        except Exception as error:
            if (place := _place_in_env(error)) is not None:
                _complain(f"the environment raised {type(error).__name__}: {error} ({place}); {_way_on(folder)}")
                return 1
            if isinstance(error, ValueError):
                raise ValueError(f"{error}; {_way_on(folder)}") from error
            raise
        return 0


def command(words: Sequence[str]) -> Callable[..., Train]:
    """Return `Train` with the options of the agent that the words name.

    Raises:
        ValueError: no agent that learns has that name.
    """
    flags = {word.partition("=")[0] for word in words}
    if words[:1] != ["train"] or "--resume" in flags:
        return Train
    name = named(words)
    if not name and flags & {"-h", "--help"}:
        return Train
    if not name:
        raise ValueError("say who learns: `rlkit train AGENT`, one of `rlkit list agents`; or --resume a run")
    check_learner(name)
    spoken = dict(DEFAULTS.get(name, {})) if value_of(words, "--task") else {}
    if spoken and value_of(words, "--generator") == "vllm":
        spoken |= SAMPLED
    return cast("Callable[..., Train]", with_options(Train, name, **{**spoken, **preset_of(name, words).config}))


def _mark(when: str, exam: Any, agent: Agent) -> None:
    """Say how many of the problems that are kept back are solved, where a run of one seed has any."""
    if exam is None or agent.config.seeds > 1:
        return
    with Bar("answering problems that are held out"):
        share = pass_at_1(exam, agent.config.max_steps)
    if ranks.writes():
        Console().print(f"held-out pass@1 {when}: [bold]{share:.3f}[/bold]", highlight=False)


def _place_in_env(error: Exception) -> str | None:
    """Say in which line of whose file an error arose, if an environment was at work."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not any(isinstance(frame.f_locals.get("self"), gym.Env) for frame, _ in frames):
        return None
    frame, line = frames[-1]
    return f"{Path(frame.f_code.co_filename).name}, line {line}"


def _way_on(folder: Path) -> str:
    return f"what was learned up to step {_step(folder):,} is kept: rlkit train --resume {folder}"


def _step(folder: Path) -> int:
    return int(read(folder / CHECKPOINT, ("step",)).state["step"])


def _asked(folder: Path) -> int:
    """The steps so far, less those by which whole episodes went beyond what was asked for."""
    state = read(folder / CHECKPOINT, ("step", "beyond")).state
    return int(state["step"]) - int(state.get("beyond", 0))


def _complain(message: str) -> None:
    sys.stdout.flush()
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text.assemble(("rlkit: ", "bold red"), message))
