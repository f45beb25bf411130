"""Importance weights for answers that were drawn by another program than the one that learns: truncated, or masked.

A sampler of its own (other kernels, other rounding, an older copy) draws from μ, while the trainer says π_old of the same tokens.
w = π_old / μ makes up for it; it is a constant that multiplies the loss, beside the ratio π / π_old of the surrogate. TIS holds it
below a bound (Yao et al., "Your efficient RL framework secretly brings you off-policy RL training", 2025; IMPALA's ρ̄,
arXiv:1802.01561), MIS drops what lies outside of one. By token, w_t = π_old(a_t) / μ(a_t): cheap, and biased, as states are still
the sampler's. By sequence, w = Π_t w_t at each step of the row: without a bound exact, and of a variance that grows with length.
"""

from typing import Literal

import torch
from torch import Tensor

from rlkit.pg.masking import bounded, log_ratio

Correction = Literal["none", "token-tis", "sequence-tis", "token-mis", "sequence-mis"]


def importance(logprobs: Tensor, sampler_logprobs: Tensor, mask: Tensor, *, sequence: bool) -> Tensor:
    """Return w = π_old / μ of each step, or of its row, at each counted step, [B, T]; 0 elsewhere, and no gradient."""
    logs = log_ratio(logprobs.detach(), sampler_logprobs, mask)
    if sequence:
        logs = bounded(logs.sum(1, keepdim=True)).expand_as(logs)
    return torch.where(mask, logs.exp(), 0)


def correct(
    kind: Correction, logprobs: Tensor, sampler_logprobs: Tensor, mask: Tensor, low: float, high: float
) -> Tensor:
    """Return the constant that multiplies the loss of each step, [B, T].

    Args:
        kind: tis: min(w, high). mis: w where low <= w <= high, 0 outside.
        logprobs: log π_old, the trainer's, [B, T].
        sampler_logprobs: log μ, [B, T].
        mask: [B, T].
        low: of mis.
        high: of both.
    """
    if kind == "none":
        return mask.to(logprobs.dtype)
    weight = importance(logprobs, sampler_logprobs, mask, sequence=kind.startswith("sequence"))
    if kind.endswith("tis"):
        return weight.clamp(max=high)
    return torch.where((weight >= low) & (weight <= high), weight, 0)
