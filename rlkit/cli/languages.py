"""Language models for the command line: from --task, --model and --arg to a `Language`, and its answers as a table while it learns."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import gymnasium as gym
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlkit.cli.worlds import argument
from rlkit.run.answers import ANSWERS, append, cut

if TYPE_CHECKING:
    import numpy as np

    from rlkit.data import Trajectories
    from rlkit.sample.corpus import Corpus
    from rlkit.sample.language import Language
    from rlkit.sample.tokens import Seen

DEFAULTS: Mapping[str, Mapping[str, Any]] = {  # of agents that play in environments too, where they are not said
    "grpo": {"max_steps": 64, "lr": 4e-5, "epochs": 1, "envs": 32}
}
SAMPLED: Mapping[str, Any] = {
    "recompute": True,
    "correction": "token-tis",
}  # where another engine draws by its own numbers
_MODEL = ("generator", "lora", "dtype", "checkpointing")
_POLICY = ("temperature", "top_k", "top_p", "budget")
_SAMPLER = ("dynamic", "overlong", "length_reward")
NOT_OF_TASKS = (*_POLICY, *_MODEL, *_SAMPLER)  # what --arg may name beside a task's arguments
_PAUSE = 5.0  # seconds between two tables
_ROWS = 6
_KEPT = 8  # answers of a moment
_SELDOM = 1.3  # times more tokens between two moments
_LETTERS = 200  # of a text in the table, the last ones


def open_language(task: str, words: Sequence[str], model: str, seed: int = 0) -> "Language":
    """Make a task, load a model, and put them together.

    Args:
        task: its name; see `rlkit.sample.tasks`.
        words: key=value: of the policy (temperature, top_k, top_p, budget), of the model (lora, the rank of adapters that learn alone; dtype;
            generator; checkpointing), of the sampler (dynamic, overlong, length_reward), else of the task.
        model: what `rlkit get-model` fetched, a folder, or "tiny": a small new model that reads the letters of the task, one by one.
        seed: of the weights of a new model.

    Raises:
        ValueError: naming what cannot be made, and the remedy.
    """
    from rlkit.policies.language import LanguagePolicy  # noqa: PLC0415 - as all here: torch is loaded for those who need it
    from rlkit.policies.writers import writer  # noqa: PLC0415
    from rlkit.sample import tasks  # noqa: PLC0415
    from rlkit.sample.language import Language  # noqa: PLC0415
    from rlkit.sample.opening import PRINTABLE, open_model  # noqa: PLC0415
    from rlkit.sample.token_env import letters_of  # noqa: PLC0415

    given = dict(argument(word) for word in words)
    policy, kind, sampler = (
        {name: given.pop(name) for name in names if name in given} for names in (_POLICY, _MODEL, _SAMPLER)
    )
    generator = str(kind.pop("generator", "own"))
    policy["writer"] = writer(generator, model)
    made = tasks.make(task, **given)
    letters = letters_of(made).letters if isinstance(made, tasks.Finite) else PRINTABLE
    net, tokenizer = open_model(model, letters, seed, **kind, own=not generator.startswith("hf"))
    return Language(LanguagePolicy(net, **policy), tokenizer, made, **sampler)


def open_studies(model: str, data: str, task: str | None, words: Sequence[str], seed: int = 0) -> "Corpus | Language":
    """Load a model for an agent that learns from what was written, and put it together with a task where it is to be measured in one.

    Args:
        model: as of `open_language`.
        data: the file that it learns from.
        task: its name; None: it only learns.
        words: key=value, of the task.
        seed: of the weights of a new model.

    Raises:
        ValueError: naming what cannot be made, and the remedy.
    """
    from rlkit.sample import tasks  # noqa: PLC0415
    from rlkit.sample.language import Language  # noqa: PLC0415
    from rlkit.sample.opening import open_corpus  # noqa: PLC0415

    if not data:
        raise ValueError("say what to learn from: --data FILE.jsonl")
    corpus = open_corpus(model, data, seed)
    if task is None:
        return corpus
    return Language(corpus.policy, corpus.tokenizer, tasks.make(task, **dict(argument(word) for word in words)))


def watch(agent: Any, console: Console | None, folder: Path) -> "Watched | None":
    """Have an agent's answers printed while it learns, and some kept in its run's folder; of several runs, the first one's.

    Returns:
        What watches; None for an agent that answers nothing.
    """
    first = getattr(agent, "runs", [agent])[0]
    if not hasattr(getattr(first, "sampler", None), "last"):
        return None
    first.sampler = Watched(first, console, folder)
    return cast("Watched", first.sampler)


class Watched:
    """A sampler whose answers are printed, every few seconds, and kept, ever more seldom.

    Args:
        agent: learns from them; its sampler gives them.
        console: prints; None: nobody does.
        folder: of its run.
    """

    def __init__(self, agent: Any, console: Console | None, folder: Path) -> None:
        self._agent, self._console, self._folder = agent, console, folder
        self._sampler: _Sampler = agent.sampler
        self._next = 0.0
        self._kept = cut(folder, agent.state_dict()["step"] if (folder / ANSWERS).is_file() else 0)
        self._found: Trajectories | None = None

    def collect(self, rng: "np.random.Generator") -> "Trajectories":
        """Return the next answers; those before, from which the agent has learned by now, are shown."""
        self.tell()
        self._found = self._sampler.collect(rng)
        return self._found

    def tell(self, *, last: bool = False) -> None:
        """Show the latest answers, if it is time to.

        Args:
            last: it is the last time.
        """
        seen, step = self._sampler.last, int(self._agent.training.step)
        if seen is None or self._found is None:
            return
        printed = self._console is not None and time.monotonic() >= self._next
        kept = step >= _SELDOM * self._kept or (last and step > self._kept)
        if not printed and not kept:
            return
        from rlkit.sample.answers import answers  # noqa: PLC0415 - loads torch, as those have who get here

        lesson = getattr(self._agent, "last", None)
        advantages = None if lesson is None else lesson.advantages
        tokenizer = self._sampler.language.tokenizer
        some = answers(seen, self._found, advantages, tokenizer, _KEPT)
        if printed and self._console is not None:
            self._console.print(completions(seen, some))
            self._next = time.monotonic() + _PAUSE
        if kept:
            count = len(seen.rewards)
            mean = {"reward": sum(seen.rewards) / count, "length": sum(seen.lengths) / count}
            append(self._folder, {"step": step, **mean, "answers": some})
            self._kept = step

    def state_dict(self) -> dict[str, Any]:
        """Return the sampler's state."""
        return self._sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give it to the sampler."""
        self._sampler.load_state_dict(state)


def token_env(language: "Language", limit: int) -> gym.Env[Any, int]:
    """Return a language model's task as an environment, token by token, for those who measure agents."""
    from rlkit.sample.token_env import TokenEnv  # noqa: PLC0415

    return TokenEnv(language.task, language.tokenizer, limit, context=language.policy.model.context)


def completions(seen: "Seen", some: Sequence[Mapping[str, Any]], rows: int = _ROWS) -> Table:
    """Lay answers in a table with what they earned; each token is blue where its advantage is above 0, orange where it is below.

    Args:
        seen: what the sampler said of all.
        some: of `rlkit.sample.answers`.
        rows: how many are shown.
    """
    count = len(seen.rewards)
    mean = sum(seen.rewards) / count
    title = f"reward {mean:.3g}, {sum(seen.lengths) / count:.3g} tokens"
    title += f", {seen.dropped} groups replaced in {seen.rounds} rounds" if seen.rounds > 1 else ""
    title += f", {seen.unscored} answers without a reward" if seen.unscored else ""
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("prompt", "answer", "gold", "reward"):
        table.add_column(name, overflow="fold")
    for one in some[:rows]:
        asked, gold = (Text(str(one[name] or "")[-_LETTERS:].strip()) for name in ("prompt", "gold"))
        table.add_row(asked, coloured(one["tokens"]), gold, f"{one['reward']:.3g}")
    return table


def coloured(tokens: Sequence[Sequence[Any]]) -> Text:
    """Return tokens [text, advantage], the last ones, in the colours of their advantages; dim where there is none."""
    largest = max((abs(value) for _, value in tokens if value is not None), default=0.0)
    text = Text()
    for words, value in tokens:
        style = "dim" if value is None else "" if not largest else _shade(value / largest)
        text.append(str(words), style)
    return text[-_LETTERS:] if len(text) > _LETTERS else text


def _shade(share: float) -> str:
    """A background between none and blue, for 1, or orange, for -1."""
    if abs(share) < 0.05:
        return ""
    red, green, blue = (0, 114, 178) if share > 0.0 else (190, 84, 0)
    weight = 0.35 + 0.65 * abs(share)
    return f"white on rgb({round(weight * red)},{round(weight * green)},{round(weight * blue)})"


class _Sampler(Protocol):
    last: "Seen | None"
    language: "Language"

    def collect(self, rng: "np.random.Generator") -> "Trajectories": ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...
