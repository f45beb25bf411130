"""Language models for the command line: from --task, --model and --arg to a `Language`, and its answers as a table while it learns."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import gymnasium as gym
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlkit.cli.worlds import argument

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
_MODEL = ("generator", "lora", "dtype")
_POLICY = ("temperature", "top_k", "top_p", "budget")
_SAMPLER = ("dynamic", "overlong", "length_reward")
_PAUSE = 5.0  # seconds between two tables
_ROWS = 6
_LETTERS = 200  # of a text in the table, the last ones


def open_language(task: str, words: Sequence[str], model: str, seed: int = 0) -> "Language":
    """Make a task, load a model, and put them together.

    Args:
        task: its name; see `rlkit.sample.tasks`.
        words: key=value: of the policy (temperature, top_k, top_p, budget), of the model (lora, the rank of adapters that learn alone; dtype;
            generator), of the sampler (dynamic, overlong, length_reward), else of the task.
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


def watch(agent: Any, console: Console) -> None:
    """Have an agent's answers printed while it learns, the first run's of several; other agents are left as they are."""
    first = getattr(agent, "runs", [agent])[0]
    if hasattr(getattr(first, "sampler", None), "last"):
        first.sampler = Watched(first.sampler, console)


class Watched:
    """A sampler whose answers are printed, every few seconds.

    Args:
        sampler: gives them.
        console: prints.
    """

    def __init__(self, sampler: "_Sampler", console: Console) -> None:
        self._sampler, self._console = sampler, console
        self._next = 0.0

    def collect(self, rng: "np.random.Generator") -> "Trajectories":
        """Return the next answers."""
        found = self._sampler.collect(rng)
        if self._sampler.last is not None and time.monotonic() >= self._next:
            self._console.print(completions(self._sampler.last))
            self._next = time.monotonic() + _PAUSE
        return found

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


def completions(seen: "Seen", rows: int = _ROWS) -> Table:
    """Lay the first answers, one of each prompt before a second one, with what they earned."""
    count = len(seen.rewards)
    mean = sum(seen.rewards) / count
    title = f"reward {mean:.3g}, {sum(seen.lengths) / count:.3g} tokens"
    title += f", {seen.dropped} groups replaced in {seen.rounds} rounds" if seen.rounds > 1 else ""
    title += f", {seen.unscored} answers without a reward" if seen.unscored else ""
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("prompt", "answer", "gold", "reward"):
        table.add_column(name, overflow="fold")
    firsts = [b for b in range(count) if b == 0 or seen.prompts[b] != seen.prompts[b - 1]]
    for b in [*firsts, *(b for b in range(count) if b not in firsts)][:rows]:
        texts = seen.prompts[b], seen.completions[b], seen.golds[b] or ""
        table.add_row(*(Text(text[-_LETTERS:].strip()) for text in texts), f"{seen.rewards[b]:.3g}")
    return table


class _Sampler(Protocol):
    last: "Seen | None"

    def collect(self, rng: "np.random.Generator") -> "Trajectories": ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...
