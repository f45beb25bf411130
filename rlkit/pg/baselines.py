"""Advantages across samples: what a row is worth against the rows that share its start, and the best baseline there is.

Rows are [B], one score each; `group` [B] holds any integers, equal for rows that share a start. Groups may differ in size
and their rows may stand anywhere. Scores that are equal in a group, up to rounding, give exactly 0, and so does a group of
one: neither says which action was better. A score of NaN says that there is none, as where a verifier failed: the row gets exactly
0, and the others are compared as if it were not there.
"""

from typing import Literal, get_args

import torch
from torch import Tensor

Scale = Literal["population", "sample", "none"]
ROUNDING = 8.0  # scores that differ by no more than this many units in the last place of the largest are equal


def group_advantages(scores: Tensor, group: Tensor, *, scale: Scale, epsilon: float = 0.0) -> Tensor:
    """Return A_i = (r_i - mean) / (std + epsilon) over the rows of i's group, [B].

    GRPO, arXiv:2402.03300 section 4.1.2. scale: std² = Σ(r - mean)² / G (population) or / (G - 1) (sample: TRL's, verl's and
    torch.std's default); none leaves out the division (Dr. GRPO, arXiv:2503.20783). The papers have no epsilon; TRL has 1e-4,
    verl 1e-6. The mean contains the row itself, which shrinks the expected gradient by (G - 1) / G: see `leave_one_out`.

    Raises:
        ValueError: naming an unknown scale, or shapes that differ.
    """
    if scale not in get_args(Scale):
        raise ValueError(f"scale is {scale!r}; choose one of {', '.join(map(repr, get_args(Scale)))}")
    centred, index, size = _centred(scores, group)
    if scale == "none":
        return centred
    degrees = (size if scale == "population" else size - 1.0).clamp(min=1.0)
    deviation = (_group_sum(centred.square(), index) / degrees).sqrt()
    alike = centred == 0.0
    return torch.where(alike, 0.0, centred / (torch.where(alike, 1.0, deviation) + epsilon))


def leave_one_out(scores: Tensor, group: Tensor) -> Tensor:
    """Return A_i = r_i - Σ_{j≠i} r_j / (G - 1) over the rows of i's group, [B]; RLOO, Kool et al. 2019, arXiv:2402.14740.

    Computed as G / (G - 1) (r_i - mean). The baseline does not depend on row i, so that the gradient stays unbiased.

    Raises:
        ValueError: shapes differ.
    """
    centred, _, size = _centred(scores, group)
    return centred * size / (size - 1.0).clamp(min=1.0)


def alike(scores: Tensor, group: Tensor) -> Tensor:
    """Return the share of groups that teach nothing, as all their scores are equal, a scalar; [B] each.

    Raises:
        ValueError: shapes differ.
    """
    centred, index, _ = _centred(scores, group)
    differ = torch.zeros_like(centred).index_add(0, index, (centred != 0.0).to(centred.dtype)) > 0.0  # [B], by group
    number = (index.max() + 1).to(centred.dtype) if len(index) else centred.new_ones(())
    return 1.0 - differ.sum() / number


def optimal_baseline(probs: Tensor, squared_norms: Tensor, q: Tensor) -> Tensor:
    """Return b*(s) = E[‖∇ log π(a|s)‖² q(s, a)] / E[‖∇ log π(a|s)‖²] over a ~ π(·|s), Zhao (10.5), [...].

    Args:
        probs: π(a|s), [..., A]; with samples in place of all actions, 1/A each.
        squared_norms: ‖∇_θ log π(a|s)‖², [..., A]; of logits see `softmax_squared_norms`.
        q: [..., A].

    It minimises the variance of ∇ log π (q - b). Where the policy is deterministic every baseline does: then E[q].
    """
    weights = probs * squared_norms
    total = weights.sum(-1, keepdim=True)
    weights = torch.where(total > 0.0, weights / torch.where(total > 0.0, total, 1.0), probs)
    return (weights * q).sum(-1)


def softmax_squared_norms(probs: Tensor) -> Tensor:
    """Return ‖∇_h log π(a|s)‖² = 1 - 2 π(a|s) + Σ_b π(b|s)² for π = softmax(h), [..., A]."""
    return 1.0 - 2.0 * probs + probs.square().sum(-1, keepdim=True)


def per_step(advantages: Tensor, mask: Tensor) -> Tensor:
    """Return the advantage [B] of a row at each of its counted steps, 0 elsewhere, [B, T]."""
    return torch.where(mask, advantages[:, None], 0)


def _centred(scores: Tensor, group: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Scores less their group's mean, exactly 0 if the group's are equal; the group's index and size for each row."""
    if scores.ndim != 1 or scores.shape != group.shape:
        raise ValueError(f"scores have shape {list(scores.shape)} and group {list(group.shape)}; both must be [B]")
    wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
    known = ~wide.isnan()
    wide = torch.where(known, wide, 0.0)
    index = _index(group)
    size = _group_sum(known.to(wide.dtype), index)
    high, low = (
        torch.zeros_like(wide).scatter_reduce(0, index, torch.where(known, wide, none), how, include_self=False)[index]
        for how, none in (("amax", -torch.inf), ("amin", torch.inf))
    )
    rounding = ROUNDING * torch.finfo(wide.dtype).eps * torch.maximum(high.abs(), low.abs())
    centred = wide - _group_sum(wide, index) / size.clamp(min=1.0)
    return torch.where((high - low <= rounding) | ~known, 0.0, centred), index, size


def _index(group: Tensor) -> Tensor:
    """The number of each row's group, from 0 in the order of `group`, [B]: torch.unique's, without waiting to hear how many there are."""
    ordered, rows = group.sort()
    begins = torch.cat([ordered.new_zeros(1, dtype=torch.int64), (ordered[1:] != ordered[:-1]).long()])[: len(group)]
    return torch.empty_like(rows).scatter_(0, rows, begins.cumsum(0))


def _group_sum(x: Tensor, index: Tensor) -> Tensor:
    return torch.zeros_like(x).index_add(0, index, x)[index]
