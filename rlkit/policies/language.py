"""A language model as a policy: what it says of trajectories of tokens, and what it writes."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.utils.checkpoint import checkpoint

from rlkit.data import Trajectories
from rlkit.policies.chosen import chosen, serves
from rlkit.policies.generate import Completion, check, generate
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.prefix import Layout, batches, layout, share
from rlkit.policies.protocol import Evaluation
from rlkit.policies.sampling import Transform, log_probabilities, within
from rlkit.policies.writers import Writer


class LanguagePolicy:
    """π(token | tokens before it) = softmax(logits / temperature) over the tokens that may be drawn.

    Trajectories: obs[b, t] is token t of row b, actions[b, t] token t + 1, padded on the right; mask[b, t] is True where the
    policy chose token t + 1. Padding is known by its place, never by its value.

    The tokens that may be drawn with `top_k` or `top_p` are the sampler's: `sample` hands them out, and `evaluate` takes them
    from `traj.allowed` [B, T, V]. Where that is None they are those of the weights that evaluate, and the token that was drawn:
    the same as long as the weights are.

    Args:
        model: the language model.
        temperature: divides the logits.
        top_k: how many tokens may be drawn; 0: all.
        top_p: the mass of the tokens that may be drawn.
        budget: tokens that go through the model at a time in `evaluate`; 0: all. Where they are not all, the gradient's pass
            computes each part again in place of remembering it.
        writer: another engine that writes, see `rlkit.policies.writers`; None: rlkit's own.

    Raises:
        ValueError: naming a number out of range.
    """

    def __init__(
        self,
        model: LanguageModel,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        budget: int = 0,
        writer: Writer | None = None,
    ) -> None:
        if budget < 0:
            raise ValueError(f"budget is {budget}; it must be a number of tokens, or 0 for all at once")
        self.model, self.budget, self.writer = model, budget, writer
        self.transform = Transform(temperature, top_k, top_p).check()

    def evaluate(self, traj: Trajectories) -> Evaluation:
        """Return the log-probability of each chosen token and the entropy of what it was drawn from, [B, T]; 0 elsewhere.

        Rows of a group with the same prompt share it in one forward, and the head sees only what precedes a chosen token.
        """
        if traj.mask.shape[1] > self.model.context:
            longest = int((traj.mask * torch.arange(1, traj.mask.shape[1] + 1, device=traj.mask.device)).max())
            if longest > self.model.context:
                raise ValueError(f"a row has {longest} tokens; the model's context is {self.model.context}")
        parts = [layout(traj, units) for units in batches(share(traj), self.budget)]
        again = len(parts) > 1 and torch.is_grad_enabled()
        said = [
            checkpoint(self._said, traj, part, use_reentrant=False) if again else self._said(traj, part)
            for part in parts
        ]
        _, dtype = self.model.place
        empty = torch.zeros(traj.mask.shape, dtype=torch.promote_types(dtype, torch.float32), device=traj.mask.device)
        if not parts:
            return Evaluation(empty, empty)
        where = tuple(torch.cat([getattr(part, name) for part in parts]) for name in ("row", "time"))
        logprobs, entropy = (empty.index_put(where, torch.cat(found)) for found in zip(*said, strict=True))
        return Evaluation(logprobs, entropy)

    def generate(
        self, prompts: Sequence[Sequence[int]], samples: int, limit: int, eos: int, generator: torch.Generator
    ) -> list[tuple[list[int], list[float]]]:
        """Return (ids, log-probabilities) of `samples` completions of each prompt, in order; see `sample`."""
        return [(one.ids, one.logprobs) for one in self.sample(prompts, samples, limit, eos, generator)]

    def sample(
        self, prompts: Sequence[Sequence[int]], samples: int, limit: int, eos: int, generator: torch.Generator
    ) -> list[Completion]:
        """Return `samples` completions of each prompt, in order, with the sets that tokens were drawn from.

        Args:
            prompts: tokens.
            samples: completions of each prompt.
            limit: the most tokens of one.
            eos: the token that ends one.
            generator: of random numbers; the same seed gives the same tokens.

        Raises:
            ValueError: a prompt does not fit the context, is empty, or holds what is no token.
        """
        asked = self.model, prompts, samples, limit, eos, generator, self.transform
        if self.writer is None:
            return generate(*asked)
        check(self.model, prompts, samples, limit)
        return self.writer.write(*asked)

    def parameters(self) -> Iterator[Parameter]:
        """Return the model's weights."""
        return self.model.parameters()

    def state_dict(self) -> dict[str, Any]:
        """Return the model's weights by name."""
        return self.model.state_dict()

    def _said(self, traj: Trajectories, part: Layout) -> tuple[Tensor, Tensor]:
        """Log-probabilities and entropies of the M chosen tokens of a part."""
        hidden, actions = self.model.packed(part)[part.wanted], traj.actions[part.row, part.time]
        matrix = self.model.unembedding
        if matrix is not None and serves(matrix) and self.transform.whole and traj.allowed is None:
            return chosen(hidden, matrix, actions, self.transform.temperature)
        logits = self.model.logits(hidden)
        inside = None
        if traj.allowed is not None:
            inside = traj.allowed[part.row, part.time]
        elif not self.transform.whole:
            inside = within(logits.detach(), self.transform).scatter(1, actions[:, None], True)
        logs = log_probabilities(logits, self.transform, inside)
        finite = logs if inside is None else torch.where(inside, logs, 0.0)
        return logs.gather(1, actions[:, None])[:, 0], -(logs.exp() * finite).sum(1)
