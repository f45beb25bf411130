"""A corpus: a language model and what was written for it to learn from, in tokens. It stands where an environment would.

An example is a prompt and an answer that ends with EOS. The two are made tokens apart, so that the prompt's tokens are a prefix of the
whole whatever follows; no text is ever made from tokens and tokens from it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

import numpy as np
import torch

from rlkit.data import Trajectories
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.language_model import LanguageModel
from rlkit.sample.config import Studies
from rlkit.sample.language import Language, check_end
from rlkit.sample.studies import Answer, Item, Pair, Prompt, Verdict, read
from rlkit.sample.text.templates import checked, fill
from rlkit.sample.tokenizers import Tokenizer


class Example(NamedTuple):
    """A prompt and an answer in tokens."""

    group: int  # examples of one number may share their prompt's forward
    prompt: list[int]
    answer: list[int]  # its last token is EOS


@dataclass(frozen=True)
class Corpus:
    """What `rlkit.make("sft", Corpus(...))` takes: who learns, and what was written.

    Raises:
        ValueError: model and tokenizer do not fit each other.
    """

    policy: LanguagePolicy
    tokenizer: Tokenizer
    data: Sequence[Answer | Pair | Verdict | Prompt] = ()
    teacher: LanguageModel | None = None  # that `distill` learns from
    places: Sequence[str] = ()  # what to call each where something is wrong with it; empty: by its number

    def __post_init__(self) -> None:
        check_end(self.policy, self.tokenizer)

    def example(self, number: int, prompt: str, answer: str) -> Example:
        """Return a prompt and an answer of item `number` in tokens.

        Raises:
            ValueError: the prompt is empty, or both do not fit the context.
        """
        asked, said = self.tokenizer.encode(prompt), [*self.tokenizer.encode(answer), self.tokenizer.eos]
        if not asked:
            raise ValueError(
                f"{self.name(number)} has an empty prompt; a language model needs a token to begin with: take a template"
            )
        if len(asked) + len(said) > self.policy.model.context:
            raise ValueError(
                f"{self.name(number)} has {len(asked)} tokens of prompt and {len(said)} of answer; the model's context is "
                f"{self.policy.model.context}: shorten it or leave it out"
            )
        return Example(number, asked, said)

    def name(self, number: int) -> str:
        """Return what to call an item where something is wrong with it."""
        return self.places[number] if self.places else f"item {number}"


def opened(world: Corpus | Language, config: Studies, kind: type[Item], agent: str) -> tuple[Corpus, list[Item]]:
    """Return the corpus that an agent learns from and its items: of the file `config.data`, or else of the corpus that it was given.

    Prompts are put into the template; the policy has temperature 1.

    Raises:
        ValueError: the file, the template or the world is not for this agent.
    """
    template = checked(config.template)
    if not isinstance(world, Corpus | Language):
        raise ValueError(f"the world is a {type(world).__name__}; give a Corpus, a Language, or the name of a model")
    given = world if isinstance(world, Corpus) else Corpus(world.policy, world.tokenizer)
    if config.data and given.data:
        raise ValueError(
            f"data is {config.data!r}, and the corpus holds {len(given.data)} items: leave one of them out"
        )
    data, places = read(config.data, kind) if config.data else (given.data, given.places)
    if not data:
        raise ValueError(f"there are no data; {agent} learns from {kind.__name__}s: name a file, data='...jsonl'")
    corpus = Corpus(LanguagePolicy(given.policy.model), given.tokenizer, data, given.teacher, places)
    items = []
    for number, item in enumerate(data):
        if not isinstance(item, kind):
            raise ValueError(f"{corpus.name(number)} is a {type(item).__name__}; {agent} learns from {kind.__name__}s")
        items.append(item._replace(prompt=fill(template, item.prompt)))
    return corpus, items


def answers(corpus: Corpus, items: Sequence[Answer | Verdict]) -> list[tuple[Example]]:
    """Return the example of each item."""
    return [(corpus.example(i, item.prompt, item.answer),) for i, item in enumerate(items)]


def pairs(corpus: Corpus, items: Sequence[Pair]) -> list[tuple[Example, Example]]:
    """Return the better and the worse example of each item; they share their prompt's forward."""
    return [
        (corpus.example(i, item.prompt, item.chosen), corpus.example(i, item.prompt, item.rejected))
        for i, item in enumerate(items)
    ]


def fingerprint(table: Sequence[tuple[Example, ...]]) -> int:
    """Return a number that other tokens would not have."""
    found = 0
    for example in (one for item in table for one in item):
        found = crc32(np.array([*example.prompt, -1, *example.answer, -2], np.int64).tobytes(), found)
    return found


def trajectories(examples: Sequence[Example], device: torch.device) -> Trajectories:
    """Return examples as what flows from those who act: their answers' tokens are the actions, [B, T], padded on the right.

    The log-probabilities of those who wrote them are not known, and stand as 0.
    """
    width = max(len(one.prompt) + len(one.answer) for one in examples)
    ids, mask = np.zeros((len(examples), width), np.int64), np.zeros((len(examples), width - 1), np.bool_)
    last = np.zeros_like(mask)
    for i, one in enumerate(examples):
        begin, end = len(one.prompt), len(one.prompt) + len(one.answer)
        ids[i, :begin], ids[i, begin:end] = one.prompt, one.answer
        mask[i, begin - 1 : end - 1], last[i, end - 2] = True, True
    tokens, chosen, ends = torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(last)
    nothing = torch.zeros(mask.shape)
    found = Trajectories(
        obs=tokens[:, :-1],
        next_obs=tokens[:, 1:],
        actions=tokens[:, 1:],
        logprobs=nothing,
        rewards=nothing,
        terminated=ends,
        truncated=torch.zeros_like(ends),
        mask=chosen,
        group=torch.tensor([one.group for one in examples]),
    )
    return found.to(device)
