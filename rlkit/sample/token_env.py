"""TokenEnv: a task in text as a Gymnasium environment whose actions are tokens. The slow twin of `TokenSampler`."""

from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.sample.hearing import hear, progress, spoken
from rlkit.sample.tasks import make
from rlkit.sample.text.problem import Finite, Problem, TextTask
from rlkit.sample.token_tree import Arrays, TokenTree
from rlkit.sample.tokenizers import Letters, Tokenizer

Observation = Literal["prefix", "index"]


class TokenEnv(gym.Env[Any, int]):
    """An episode is a problem: each step writes a token, until the one that ends the answer, or the limit.

    The reward comes with the last token of an answer, or with each where the task rewards progress. An answer that ends the episode
    `terminated` it with its last token, the end; the limit `truncated` it, though the answer counts as it stands. Where the task
    replies, its tokens join the prefix and the next turn begins; where they do not fit the context, the episode is truncated.

    Args:
        task: a task, or the name of one with `arguments`.
        tokenizer: of its text; letters as one string; None: the letters of all prompts and right answers of a task that lists them.
        limit: the most tokens of a turn.
        observation: "prefix" is all tokens so far, padded on the right with the number `tokenizer.size`, a MultiDiscrete; "index" is the
            number of the prefix in the tree of them all (`TokenTree`), a Discrete with a model that `rlkit.from_env` finds.
        context: the most tokens of a prefix; 0: as the problems of a task that lists them need.
        overlong: tokens before the limit in which DAPO's punishment of long answers grows; 0: none.
        cut: what the limit is: "truncated" as it should be where the limit is not the task's, or "terminated": then nothing is
            expected behind it, which a critic needs to know.
        render_mode: "ansi" or None.
        arguments: of the task.

    `info["prompt"]` and `info["gold"]` come with the first observation; with the last of a turn `info["completion"]` and `info["scored"]`,
    False where the task did not say what it is worth.

    Raises:
        ValueError: naming an argument that makes no sense.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 8}  # noqa: RUF012 - Gymnasium declares it so

    def __init__(
        self,
        task: TextTask | str = "copying",
        tokenizer: Tokenizer | str | None = None,
        limit: int = 4,
        *,
        observation: Observation = "prefix",
        context: int = 0,
        overlong: int = 0,
        cut: Literal["truncated", "terminated"] = "truncated",
        render_mode: str | None = None,
        **arguments: Any,
    ) -> None:
        if observation not in get_args(Observation):
            raise ValueError(f"observation is {observation!r}; choose 'prefix' or 'index'")
        if cut not in {"truncated", "terminated"}:
            raise ValueError(f"cut is {cut!r}; choose 'truncated' or 'terminated'")
        if render_mode not in {None, "ansi"}:
            raise ValueError(f"render_mode is {render_mode!r}; choose 'ansi' or None")
        if not 0 <= overlong <= limit or limit < 1:
            raise ValueError(
                f"limit is {limit} and overlong {overlong}; 1 <= limit and 0 <= overlong <= limit must hold"
            )
        if not isinstance(task, str) and arguments:
            raise ValueError(
                f"{', '.join(arguments)}: arguments are for a task that is named, not for one that is built"
            )
        self.render_mode, self.limit, self.overlong, self.cut = render_mode, limit, overlong, cut
        self.task = make(task, **arguments) if isinstance(task, str) else task
        self.tokenizer = _tokenizer(self.task, tokenizer)
        self.tree = TokenTree(self.task, self.tokenizer, limit, overlong) if observation == "index" else None
        self.context = context or _context(self.task, self.tokenizer, limit)
        self.action_space = gym.spaces.Discrete(self.tokenizer.size)
        self.observation_space = (
            gym.spaces.MultiDiscrete(np.full(self.context, self.tokenizer.size + 1))
            if self.tree is None
            else gym.spaces.Discrete(self.tree.n_states)
        )
        self.ids: list[int] = []  # the prefix: prompt, answers and replies
        self._turn: list[int] = []  # the tokens of this turn
        self._problem: Problem | None = None
        self._number = 0
        self._over = True

    @property
    def transitions(self) -> Arrays | None:
        """The dynamics as compressed rows, where the observation is an index."""
        return None if self.tree is None else self.tree.transitions

    @property
    def initial_state_distrib(self) -> NDArray[np.float64] | None:
        """The start distribution [S], where the observation is an index."""
        return None if self.tree is None else self.tree.start

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a problem, drawn by the task or given by `options={"problem": ...}`."""
        super().reset(seed=seed)
        if options and (set(options) != {"problem"} or self.tree is not None):
            raise ValueError(
                f"reset knows the option 'problem', and only where prefixes are observed; not {sorted(options)}"
            )
        if options:
            self._problem = options["problem"]
        elif self.tree is None:
            self._problem = self.task.start(self.np_random)
        else:
            starts = np.cumsum(self.tree.start[: -1 : self.tree.nodes])
            self._number = min(int(np.searchsorted(starts, self.np_random.random(), side="right")), len(starts) - 1)
            self._problem = self.tree.problems[self._number]
        problem = self._problem
        assert problem is not None  # noqa: S101 - for the type checker
        self.ids, self._turn, self._over = list(self.tokenizer.encode(problem.prompt)), [], False
        if len(self.ids) + self.limit > self.context:
            raise ValueError(
                f"the prompt {problem.prompt[:80]!r} has {len(self.ids)} tokens, and {self.limit} may follow; the context is"
                f" {self.context}: give a larger context"
            )
        return self._observed(), {"prompt": problem.prompt, "gold": problem.gold}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Write a token."""
        token = int(action)
        if self._over or self._problem is None:
            raise ValueError("the episode is over; call reset")
        if not 0 <= token < self.tokenizer.size:
            raise ValueError(f"action is {action!r}; tokens are 0 .. {self.tokenizer.size - 1}")
        self.ids.append(token)
        self._turn.append(token)
        if token != self.tokenizer.eos and len(self._turn) < self.limit:
            return self._observed(), progress(self._problem, self.tokenizer, self._turn), False, False, {}
        heard = hear(self._problem, self.tokenizer, self._turn, self.limit, self.overlong)
        info = {"completion": spoken(self.tokenizer, self._turn), "scored": heard.scored}
        if heard.reply is not None and len(self.ids) + len(heard.reply) + self.limit <= self.context:
            self.ids += heard.reply
            self._turn = []
            return self._observed(), heard.rewards[-1], False, False, info
        self._over = True
        truncated = heard.reply is not None or (token != self.tokenizer.eos and self.cut == "truncated")
        return self._observed(), heard.rewards[-1], not truncated, truncated, info

    def render(self) -> str | None:
        """Return the text so far."""
        return self.tokenizer.decode(self.ids) if self.render_mode == "ansi" else None

    def _observed(self) -> Any:
        if self.tree is not None:
            return self.tree.n_states - 1 if self._over else self.tree.state(self._number, self._turn)
        found = np.full(self.context, self.tokenizer.size, np.int64)
        found[: len(self.ids)] = self.ids
        return found


def letters_of(task: TextTask) -> Letters:
    """Return the letters of all prompts and right answers of a task that lists its problems.

    Raises:
        ValueError: it does not.
    """
    if not isinstance(task, Finite):
        raise ValueError(f"{type(task).__name__} has no list of its problems to find the letters in; give a tokenizer")
    return Letters("".join(sorted({letter for one in task.problems() for letter in one.prompt + (one.gold or "")})))


def _tokenizer(task: TextTask, given: Tokenizer | str | None) -> Tokenizer:
    if given is None:
        return letters_of(task)
    return Letters(given) if isinstance(given, str) else given


def _context(task: TextTask, tokenizer: Tokenizer, limit: int) -> int:
    if not isinstance(task, Finite):
        raise ValueError(
            f"{type(task).__name__} has no list of its problems to find the longest prompt in; give a context"
        )
    return limit + max(len(tokenizer.encode(problem.prompt)) for problem in task.problems())
