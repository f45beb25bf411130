"""Writing by transformers: its `generate`, and its continuous batching, with nothing else between logits and draws than was asked for."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from rlkit.policies.generate import Completion
from rlkit.policies.hf import Transformer, batching
from rlkit.policies.hf_files import base
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.sampling import Transform, log_probabilities, within

_PAGES = 4  # more than the rows need, of the cache of continuous batching


class Generate:
    """transformers' `generate`; what it may draw and with what log-probability is read off the scores that it drew from."""

    exact = True

    @torch.no_grad()
    def write(
        self,
        model: LanguageModel,
        prompts: Sequence[Sequence[int]],
        samples: int,
        limit: int,
        eos: int,
        generator: torch.Generator,
        transform: Transform,
    ) -> list[Completion]:
        """Return `samples` completions of each prompt, in order; prompts are padded on the left, and by a mask.

        Raises:
            ValueError: it is no model of transformers.
        """
        net, device = _net(model), model.place[0]
        size = max(map(len, prompts))
        ids = torch.full((len(prompts), size), eos, dtype=torch.long)
        seen = torch.zeros_like(ids)
        for row, mask, prompt in zip(ids, seen, prompts, strict=True):
            row[size - len(prompt) :], mask[size - len(prompt) :] = torch.tensor(prompt), 1
        with _only(net, transform, limit, eos, samples) as config, _seeded(generator, device):
            out = net.generate(
                ids.to(device),
                attention_mask=seen.to(device),
                generation_config=config,
                return_dict_in_generate=True,
                output_scores=True,
            )
        written = out.sequences[:, size:].tolist()
        found = [_ended(row, eos) for row in written]
        logs = torch.stack([scores.float().log_softmax(-1).cpu() for scores in out.scores], 1)  # [B, R, V]
        return [
            Completion(
                row,
                logs[b, range(len(row)), row].tolist(),
                None if transform.whole else logs[b, : len(row)] > -torch.inf,
            )
            for b, row in enumerate(found)
        ]


class Continuous:
    """transformers' continuous batching; log-probabilities and sets are computed again, by the forward that trains."""

    exact = True

    @torch.no_grad()
    def write(
        self,
        model: LanguageModel,
        prompts: Sequence[Sequence[int]],
        samples: int,
        limit: int,
        eos: int,
        generator: torch.Generator,
        transform: Transform,
    ) -> list[Completion]:
        """Return `samples` completions of each prompt, in order.

        Raises:
            ValueError: it is no model of transformers, this transformers has no continuous batching, or a row came to nothing.
        """
        net = _net(model)
        inputs = [list(prompt) for prompt in prompts for _ in range(samples)]
        longest = max(map(len, inputs)) + limit
        settings = {"seed": _seed(generator), "use_cuda_graph": model.place[0].type == "cuda"}
        settings |= {"page_size": 16, "num_blocks": len(inputs) * (longest // 16 + 1) + _PAGES}
        attention = net.config._attn_implementation  # noqa: SLF001 - it is set, and not set back
        try:
            with _only(net, transform, limit, eos, 1) as config, _seeded(generator, model.place[0]):
                out = net.generate_batch(
                    inputs, generation_config=config, continuous_batching_config=batching(**settings), warmup=False
                )
        finally:
            if net.config._attn_implementation != attention:  # noqa: SLF001
                net.set_attn_implementation(attention)
        found = list(out.values())
        broken = next((one.error for one in found if one.error or not one.generated_tokens), None)
        if broken is not None or len(found) != len(inputs):
            raise ValueError(f"continuous batching finished {len(found)} of {len(inputs)} answers: {broken}")
        return [
            judged(model, prompt, _ended(one.generated_tokens, eos), transform)
            for prompt, one in zip(inputs, found, strict=True)
        ]


def judged(model: LanguageModel, prompt: Sequence[int], ids: list[int], transform: Transform) -> Completion:
    """Return a completion that others wrote with the log-probabilities, and the sets, that the model gives its tokens."""
    row = torch.tensor([[*prompt, *ids]], device=model.place[0])
    logits = model.logits(model.hidden(row[:, :-1])[0, len(prompt) - 1 :])
    chosen = row[0, len(prompt) :, None]
    inside = None if transform.whole else within(logits, transform).scatter(1, chosen, True)
    logs: Tensor = log_probabilities(logits, transform, inside).gather(1, chosen)[:, 0]
    return Completion(ids, logs.float().tolist(), None if inside is None else inside.cpu())


def _net(model: LanguageModel) -> Any:
    if not isinstance(model, Transformer):
        raise ValueError(
            f"this generator writes with models of transformers, not with {type(model).__name__}: load the model with"
            " own=False, or take the generator 'own'"
        )
    return base(model.net)


@contextlib.contextmanager
def _only(net: Any, transform: Transform, limit: int, eos: int, samples: int) -> Iterator[Any]:
    """What is asked for, and nothing of what the model's own generation_config.json would add: that is merged in otherwise."""
    own = net.generation_config
    asked = type(own)(
        do_sample=True,
        temperature=transform.temperature,
        top_k=transform.top_k,
        top_p=transform.top_p,
        max_new_tokens=limit,
        num_return_sequences=samples,
        eos_token_id=eos,
        pad_token_id=eos,
    )
    net.generation_config = asked
    try:
        yield asked
    finally:
        net.generation_config = own


@contextlib.contextmanager
def _seeded(generator: torch.Generator, device: torch.device) -> Iterator[None]:
    """Seed torch's own random numbers, which transformers draws by, and leave them as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(_seed(generator))
        yield


def _seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**31, (1,), generator=generator, device=generator.device))


def _ended(ids: list[int], eos: int) -> list[int]:
    return ids[: ids.index(eos) + 1] if eos in ids else ids
