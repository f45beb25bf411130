"""What a language model says of chosen tokens: their log-probabilities and the entropy, from hidden states, a block of the vocabulary at a time.

ℓ = W h / T, log Z = log Σ_v exp ℓ_v, log p_a = ℓ_a - log Z, H = log Z - Σ_v p_v ℓ_v. Only ℓ is kept for the gradient,
∂ log p_a / ∂ℓ_v = 1[v = a] - p_v and ∂H / ∂ℓ_v = -p_v (log p_v + H); p and what is made of it live in one block, which fits the cache.
`rlkit.policies.sampling.log_probabilities` of all logits is the slow twin.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rlkit.policies.fused import sum_of

_BLOCK = 1 << 20  # numbers


def chosen(hidden: Tensor, matrix: Tensor, actions: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return log-probabilities and entropies, [M] each.

    Args:
        hidden: h, [M, H], float32 or float64.
        matrix: W, [V, H], of the same type.
        actions: a, long [M].
        temperature: T.
    """
    scaled = hidden if temperature == 1.0 else hidden / temperature
    found: tuple[Tensor, Tensor] = _Chosen.apply(scaled, matrix, actions)  # type: ignore[no-untyped-call]  # torch's
    return found


def serves(matrix: Tensor | None) -> bool:
    """Whether `chosen` can be had of a model with this matrix, or with none: it computes in the type of its weights."""
    return matrix is not None and matrix.dtype in (torch.float32, torch.float64)


class _Chosen(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, matrix: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        count, size = len(hidden), len(matrix)
        kept = any(ctx.needs_input_grad)
        room = size if kept else min(size, _rows(count))
        logits = hidden.new_empty(room, count)  # [V, M], or one block of it
        high, own = (torch.full_like(hidden[:, 0], value) for value in (-torch.inf, 0.0))
        mass, mean = torch.zeros_like(high), torch.zeros_like(high)  # Σ exp(ℓ - high), Σ exp(ℓ - high) (ℓ - high)
        for rows in _blocks(size, count):
            block = logits[rows] if kept else logits[: rows.stop - rows.start]
            torch.mm(matrix[rows], hidden.t(), out=block)
            at, inside = _places(actions, rows)
            own = torch.where(inside, block.gather(0, at[None])[0], own)
            higher = torch.maximum(high, block.amax(0))
            fall = high - higher
            shrink = fall.exp()
            mean = shrink * (mean + torch.where(mass > 0.0, mass * fall, 0.0))
            mass = shrink * mass
            below = block - higher
            weights = below.exp()
            mass += weights.sum(0)
            mean += weights.mul_(below).sum(0)
            high = higher
        rest = mass.log()
        entropy = rest - mean / mass
        ctx.set_materialize_grads(False)
        if kept:
            ctx.save_for_backward(hidden, matrix, actions, logits, high + rest, entropy)
        return own - high - rest, entropy

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_logprobs: Tensor | None, of_entropy: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, None]:
        hidden, matrix, actions, logits, total, entropy = ctx.saved_tensors
        if of_logprobs is None and of_entropy is None:
            return None, None, None
        to_hidden = torch.zeros_like(hidden) if ctx.needs_input_grad[0] else None
        sums = sum_of(matrix)
        to_matrix = torch.empty_like(matrix) if ctx.needs_input_grad[1] and sums is None else None
        for rows in _blocks(len(matrix), len(hidden)):
            logs = logits[rows] - total
            pull = torch.zeros_like(entropy) if of_logprobs is None else of_logprobs
            if of_entropy is not None:
                pull = (logs + entropy).mul_(of_entropy).add_(pull)
            slope = logs.exp_().mul_(pull).neg_()
            if of_logprobs is not None:
                at, inside = _places(actions, rows)
                slope.scatter_add_(0, at[None], torch.where(inside, of_logprobs, 0.0)[None])
            if to_hidden is not None:
                to_hidden.addmm_(slope.t(), matrix[rows])
            if sums is not None:
                sums[rows].addmm_(slope, hidden)
            elif to_matrix is not None:
                torch.mm(slope, hidden, out=to_matrix[rows])
        return to_hidden, to_matrix, None


def _rows(count: int) -> int:
    return max(256, _BLOCK // max(1, count))


def _blocks(size: int, count: int) -> Iterator[slice]:
    each = _rows(count)
    for start in range(0, size, each):
        yield slice(start, min(size, start + each))


def _places(actions: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
    """Where the chosen tokens stand in a block of the vocabulary, and which of them do."""
    at = actions - rows.start
    inside = (at >= 0) & (at < rows.stop - rows.start)
    return torch.where(inside, at, 0), inside
