"""Writing: each prompt is read once, its samples share what was read, and a row leaves when it is finished.

Row i draws token t by the number u[i, t]; all of them are drawn before the first token. So a row's tokens depend on its own
numbers and on rounding, and not on the rows beside it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from rlkit.policies.language_model import LanguageModel
from rlkit.policies.sampling import Transform, log_probabilities, pick, within


class Completion(NamedTuple):
    """What was written after a prompt."""

    ids: list[int]  # R tokens; the last one is `eos` unless the limit came first
    logprobs: list[float]  # [R]  of the distribution that they were drawn from
    allowed: Tensor | None  # bool [R, V], the tokens that might have been drawn; None: all


@torch.no_grad()
def generate(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    samples: int,
    limit: int,
    eos: int,
    generator: torch.Generator,
    transform: Transform,
) -> list[Completion]:
    """Write `samples` completions of each prompt, in order.

    Args:
        model: writes.
        prompts: tokens, at least one each.
        samples: completions of each.
        limit: the most tokens of a completion.
        eos: the token that ends it, itself a part of it.
        generator: draws a number for every token that may be written.
        transform: of logits into the distribution that is drawn from.

    Raises:
        ValueError: a prompt is empty, holds what is no token, or does not fit the context with `limit` tokens more.
    """
    check(model, prompts, samples, limit)
    device, _ = model.place
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    ids = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.long)
    for row, prompt in zip(ids, prompts, strict=True):
        row[: len(prompt)] = torch.tensor(prompt)
    rows = len(prompts) * samples
    draws = torch.rand(rows, limit, generator=generator, dtype=torch.float64, device=generator.device).to(device)
    hidden, cache = model.read(ids.to(device), lengths, samples, limit)
    hidden, positions = (x.repeat_interleave(samples, 0) for x in (hidden, lengths))
    tokens = torch.zeros(rows, limit, dtype=torch.long, device=device)
    logprobs = torch.zeros(rows, limit, device=device)
    sets: list[list[Tensor]] = [[] for _ in range(rows)]
    alive = torch.arange(rows, device=device)
    for t in range(limit):
        logits = model.logits(hidden)
        inside = None if transform.whole else within(logits, transform)
        logs = log_probabilities(logits, transform, inside)
        token = pick(logs, draws[alive, t])
        tokens[alive, t] = token
        logprobs[alive, t] = logs.gather(1, token[:, None])[:, 0].float()
        if inside is not None:
            for row, one in zip(alive.tolist(), inside.cpu(), strict=True):
                sets[row].append(one)
        going = (token != eos).nonzero()[:, 0]
        if not len(going) or t == limit - 1:
            break
        if len(going) < len(alive):
            cache.keep(going)
            alive, token, positions = alive[going], token[going], positions[going]
        hidden = model.step(token, positions, cache)
        positions = positions + 1
    return _completions(tokens, logprobs, sets, eos)


def check(model: LanguageModel, prompts: Sequence[Sequence[int]], samples: int, limit: int) -> None:
    """Refuse what cannot be written.

    Raises:
        ValueError: naming the prompt or the number.
    """
    for name, number in (("prompts", len(prompts)), ("samples", samples), ("limit", limit)):
        if number < 1:
            raise ValueError(f"{name} is {number}; there must be at least 1")
    for i, prompt in enumerate(prompts):
        if not len(prompt):
            raise ValueError(f"prompt {i} is empty; a model needs a token to begin with")
        if len(prompt) + limit > model.context:
            raise ValueError(
                f"prompt {i} has {len(prompt)} tokens, and {limit} may follow; the model's context is {model.context}:"
                " shorten the prompt or the limit"
            )
        if min(prompt) < 0 or max(prompt) >= model.vocabulary:
            off = min(prompt) if min(prompt) < 0 else max(prompt)
            raise ValueError(f"prompt {i} holds token {off}; the model knows 0 to {model.vocabulary - 1}")


def _completions(tokens: Tensor, logprobs: Tensor, sets: list[list[Tensor]], eos: int) -> list[Completion]:
    ends = tokens == eos
    limit = tokens.shape[1]
    lengths = torch.where(ends.any(1), ends.int().argmax(1) + 1, limit).tolist()
    return [
        Completion(ids[:size], logs[:size], torch.stack(kept) if kept else None)
        for ids, logs, kept, size in zip(tokens.tolist(), logprobs.tolist(), sets, lengths, strict=True)
    ]
