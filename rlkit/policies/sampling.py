"""The distribution that tokens are drawn from: softmax(logits / temperature), within the top k, within the nucleus of mass p.

Nucleus: Holtzman et al., arXiv:1904.09751: the fewest tokens whose mass, after the top k were renormalised, reaches p.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Transform(NamedTuple):
    """How logits become probabilities."""

    temperature: float = 1.0  # at most 0 is refused: the most probable token has no distribution to speak of
    top_k: int = 0  # tokens that may be drawn; 0: all
    top_p: float = 1.0  # mass of those that may be drawn

    def check(self) -> "Transform":
        """Return it.

        Raises:
            ValueError: naming a number that is out of range.
        """
        if not self.temperature > 0.0:
            raise ValueError(f"temperature is {self.temperature}; it must be above 0 (take a small one to be greedy)")
        if self.top_k < 0:
            raise ValueError(f"top_k is {self.top_k}; it must be at least 1, or 0 for all tokens")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p is {self.top_p}; it must be above 0 and at most 1")
        return self

    @property
    def whole(self) -> bool:
        """Whether every token may be drawn."""
        return not self.top_k and self.top_p >= 1.0


def within(logits: Tensor, transform: Transform) -> Tensor:
    """Return which tokens may be drawn, bool [..., V]; equals at the edge of the top k are all in, of the nucleus those of low index.

    Args:
        logits: [..., V], before the temperature.
        transform: as it says.
    """
    scaled = logits.float() / transform.temperature
    inside = torch.ones_like(scaled, dtype=torch.bool)
    if 0 < transform.top_k < scaled.shape[-1]:
        inside = scaled >= scaled.topk(transform.top_k, -1).values[..., -1:]
    if transform.top_p < 1.0:
        ordered, order = scaled.masked_fill(~inside, -torch.inf).sort(stable=True, dim=-1, descending=True)
        probabilities = ordered.softmax(-1)
        before = probabilities.cumsum(-1) - probabilities
        inside = inside & torch.zeros_like(inside).scatter(-1, order, before < transform.top_p)
    return inside


def log_probabilities(logits: Tensor, transform: Transform, inside: Tensor | None = None) -> Tensor:
    """Return log-probabilities [..., V] in float32 or wider; -inf for a token that may not be drawn.

    Args:
        logits: [..., V].
        transform: its temperature is used.
        inside: bool [..., V], which tokens may be drawn; None: all.
    """
    scaled = logits.to(torch.promote_types(logits.dtype, torch.float32)) / transform.temperature
    return torch.log_softmax(scaled if inside is None else scaled.masked_fill(~inside, -torch.inf), -1)


def pick(logprobs: Tensor, draws: Tensor) -> Tensor:
    """Return a token of each row, long [B]: the first whose cumulative probability exceeds the draw.

    Args:
        logprobs: [B, V].
        draws: float64 [B], uniform in [0, 1).
    """
    cumulative = logprobs.exp().cumsum(-1, dtype=torch.float64)
    goal = draws.clamp(max=1.0 - 2.0**-40)[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, goal, right=True)[:, 0]
