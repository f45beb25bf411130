"""EnvTask: a Gymnasium environment played in words, over several turns; what the environment says is its own text.

The model reads what the environment shows, answers with the name of an action, reads what came of it, and so on.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np

from rlkit.mdp import from_env
from rlkit.sample.text.problem import Turn, drawn
from rlkit.sample.text.templates import checked, fill, follow
from rlkit.sample.text.ways import Ways

View = Literal["ansi", "coordinates", "observation"]
_SEEDS = 2**31
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "FrozenLake": ("left", "down", "right", "up"),
    "FrozenLake8x8": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "CliffWalkingSlippery": ("up", "right", "down", "left"),
    "Taxi": ("south", "north", "east", "west", "pickup", "dropoff"),
}


class EnvTask:
    """Episodes of an environment with finitely many actions.

    Args:
        env: its id, with `options` for `gym.make`. Each episode has a copy of its own.
        view: "ansi" shows what `render` draws; "coordinates" says row and column (of `env.unwrapped.shape`, or of the last two
            axes of a map); "observation" writes the observation.
        actions: a word for each; left out: those of a GridWorld or of Gymnasium's toy worlds, else their numbers.
        turns: after which an episode is over.
        invalid: reward of an answer without an action; the environment stays as it is, and the turn counts.
        rules: what the prompt says before the first view; {actions} stands for the words.
        template: see `rlkit.sample.text.templates`.
        held_out: True poses the fifth of the reset seeds that is kept for evaluation, False the others, None all.
        options: keywords of `gym.make`.

    The action of an answer is the last word in it that is an action's name, in capitals or not; of an answer in `<answer>`, the last
    one there. The reward of a turn is the environment's.

    Raises:
        ValueError: naming an argument that makes no sense, or an environment that cannot be played so.
    """

    def __init__(
        self,
        env: str = "GridWorld-v0",
        *,
        view: View = "ansi",
        actions: Sequence[str] = (),
        turns: int = 10,
        invalid: float = 0.0,
        rules: str = "You walk on a grid. Answer with one word: {actions}.",
        template: str = "plain",
        held_out: bool | None = None,
        **options: Any,
    ) -> None:
        if view not in get_args(View):
            raise ValueError(f"view is {view!r}; choose one of {', '.join(map(repr, get_args(View)))}")
        if turns < 1:
            raise ValueError(f"turns is {turns}; it must be at least 1")
        self.env, self.view, self.turns, self.invalid, self.rules = env, view, turns, invalid, rules
        self.template, self.held_out = checked(template), held_out
        self._options = {**options, **({"render_mode": "ansi"} if view == "ansi" else {})}
        sample = self.make()
        if not isinstance(sample.action_space, gym.spaces.Discrete):
            raise ValueError(
                f"the actions of {env} are {sample.action_space}; to be played in words they must be Discrete"
            )
        self.actions = tuple(actions) or _words(sample)
        if len(self.actions) != sample.action_space.n or len({word.lower() for word in self.actions}) < len(
            self.actions
        ):
            raise ValueError(
                f"actions is {self.actions}; {env} has {sample.action_space.n} of them, each needs its own word"
            )
        self._first = int(sample.action_space.start)
        self._word = re.compile(
            rf"(?<!\w)({'|'.join(map(re.escape, sorted(self.actions, key=len, reverse=True)))})(?!\w)", re.IGNORECASE
        )
        self._ways: Ways | None = None
        describe(sample, sample.reset(seed=0)[0], view)
        sample.close()

    def make(self) -> gym.Env[Any, Any]:
        """Return a new copy of the environment."""
        return gym.make(self.env, **self._options)

    def start(self, rng: np.random.Generator) -> "Played":
        """Return a new episode."""

        def draw(rng: np.random.Generator) -> tuple[str, Played]:
            seed = int(rng.integers(_SEEDS))
            return str(seed), Played(self, seed)

        return drawn(rng, draw, self.held_out)  # type: ignore[return-value]  # what `draw` returns

    def action(self, completion: str) -> int | None:
        """Return the action that an answer names, counted as the environment counts; None for an answer without one."""
        if completion.count("<answer>") == 1:
            completion = completion.partition("<answer>")[2].partition("</answer>")[0]
        found = self._word.findall(completion)
        if not found:
            return None
        return self._first + next(i for i, word in enumerate(self.actions) if word.lower() == found[-1].lower())

    def best(self, obs: Any, left: int, env: gym.Env[Any, Any]) -> str | None:
        """Return the word of the action that is best with so many turns left, where the environment has a model."""
        if self._ways is None:
            self._ways = Ways(from_env(env), self.turns)
        action = self._ways.best(obs, left)
        return None if action is None else self.actions[action]


class Played:
    """One episode. Its environment is made when it is first asked for anything."""

    def __init__(self, task: EnvTask, seed: int) -> None:
        self._task, self._seed = task, seed
        self._env: gym.Env[Any, Any] | None = None
        self._obs: Any = None
        self._left = task.turns

    @property
    def prompt(self) -> str:
        """The rules, and what the environment shows first."""
        task = self._task
        rules = task.rules.replace("{actions}", ", ".join(task.actions))
        env = self._begun()
        return fill(task.template, f"{rules}\n{describe(env, self._obs, task.view)}\n".lstrip("\n"))

    @property
    def gold(self) -> str | None:
        """The best action with the turns that are left; None where the environment has no model, or the episode is over."""
        return None if self._left < 1 else self._task.best(self._obs, self._left, self._begun())

    def answer(self, completion: str) -> Turn:
        """Take the action named, and show what came of it."""
        task, env = self._task, self._begun()
        if self._left < 1:
            raise ValueError("the episode is over; start a new one")
        self._left -= 1
        action = task.action(completion)
        if action is None:
            reward, over, words = (
                task.invalid,
                False,
                f"There is no such action; answer with one word: {', '.join(task.actions)}.",
            )
        else:
            self._obs, gain, terminated, truncated, _ = env.step(action)
            reward, over, words = float(gain), terminated or truncated, describe(env, self._obs, task.view)
        if over or not self._left:
            self._left = 0
            env.close()
            return Turn(reward)
        return Turn(reward, follow(task.template, f"{words}\n"))

    def _begun(self) -> gym.Env[Any, Any]:
        if self._env is None:
            self._env = self._task.make()
            self._obs, _ = self._env.reset(seed=self._seed)
        return self._env


def describe(env: gym.Env[Any, Any], obs: Any, view: View) -> str:
    """Return what an environment shows, as text.

    Raises:
        ValueError: it cannot be shown so.
    """
    if view == "ansi":
        drawn_text = env.render()
        if not isinstance(drawn_text, str):
            raise ValueError(f"{env} renders no text but {type(drawn_text).__name__}; take the view 'observation'")
        return "\n".join(line.rstrip() for line in _COLOUR.sub("", drawn_text).strip("\n").splitlines())
    if view == "coordinates":
        base: Any = env.unwrapped
        shape = getattr(base, "shape", None) or getattr(getattr(base, "desc", None), "shape", None)
        if shape is None or not isinstance(obs, int | np.integer):
            raise ValueError(f"{env} is no grid of rows and columns; take the view 'observation'")
        row, col = divmod(int(obs), int(shape[-1]))
        return f"row {row}, column {col}"
    return (
        np.array2string(np.asarray(obs), precision=3, separator=", ", max_line_width=10_000)
        if not np.isscalar(obs)
        else str(obs)
    )


def _words(env: gym.Env[Any, Any]) -> tuple[str, ...]:
    settings = getattr(env.unwrapped, "settings", None)
    names = getattr(settings, "action_names", None)
    if names is not None:
        return tuple(names)
    known = _NAMES.get(env.spec.id.rpartition("-v")[0] if env.spec is not None else "")
    space: Any = env.action_space
    return known or tuple(str(i) for i in range(int(space.start), int(space.start + space.n)))
