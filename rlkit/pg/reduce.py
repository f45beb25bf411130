"""From losses [B, T] to one scalar: the only place where that is done, with one denominator for all that is summed.

The denominator is counted once, over the whole batch of an optimizer step, before it is cut into micro-batches; with
several processes it is the mean over ranks (see `rlkit.dist`). Then the scalars of the micro-batches add up to the loss of
the whole batch, however it was cut:

    denominator = dist.mean(count(batch.mask, how))
    for rows in micro_batches: aggregate(loss(rows), rows.mask, how, denominator).backward()
"""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from rlkit.pg.masking import keep

How = Literal["token", "sequence", "constant"]
ROUNDING = 8.0  # a deviation of no more than this many units in the last place of the mean is none


def count(mask: Tensor, how: How, length: int = 0) -> Tensor:
    """Return what `aggregate` shall divide by, a scalar tensor; add or average it over the parts of a batch.

    token: N, the counted steps (DAPO, arXiv:2503.14476 eq. 8). sequence: the rows, n (GRPO, arXiv:2402.03300 eq. 3).
    constant: n * length, where `length` is the most steps that a row may have (Dr. GRPO, arXiv:2503.20783 section 3.2).
    A row with no counted step is padding and does not count as a row; to count it, as for answers that were masked for
    being cut off, pass `aggregate` the number that you mean.

    Raises:
        ValueError: naming an unknown `how`, or a `length` that is not positive where it is needed.
    """
    _check(how)
    if how == "token":
        return mask.sum().to(_precise(mask.device))
    rows = mask.any(1).sum().to(_precise(mask.device))
    if how == "sequence":
        return rows
    if length < 1:
        raise ValueError(f"length is {length}; 'constant' divides by the most steps that a row may have, at least 1")
    return rows * length


def aggregate(loss: Tensor, mask: Tensor, how: How, denominator: Tensor) -> Tensor:
    """Return the scalar Σ_i w_i Σ_t loss_{i,t} / denominator over counted steps of loss [B, T].

    w_i = 1 for token and constant, w_i = 1 / |o_i| for sequence, |o_i| the counted steps of row i. The denominator comes
    from `count` of the whole batch, never of this part of it. If it is 0 nothing counts, and the scalar is 0.

    The sum and the scalar are float64: gains and losses nearly cancel in a batch of centred advantages, and float32 would
    leave few digits of what remains. The gradient has the type of the loss.
    """
    _check(how)
    kept = keep(loss, mask)
    if how == "sequence":
        kept = kept / mask.sum(1, keepdim=True).clamp(min=1)
    total = kept.sum(dtype=_precise(loss.device))
    return total / torch.where(denominator > 0.0, denominator, 1.0).to(total.dtype)


def shares(mask: Tensor, how: How, denominator: Tensor) -> Tensor:
    """Return the weights [B, T] with which `aggregate` sums a loss, in float32; 0 where the mask is False.

    For many small batches of one size: Σ shares · loss (`weighted_sum`) is `aggregate` with fewer operations, in float32.
    """
    _check(how)
    each = mask.sum(1, keepdim=True).clamp(min=1) if how == "sequence" else 1.0
    return mask.to(torch.float32) / (torch.where(denominator > 0.0, denominator, 1.0) * each)


def weighted_sum(loss: Tensor, weights: Tensor) -> Tensor:
    """Return Σ weights · loss, both [B, T], for a loss that is 0 where the mask is False, as those of `rlkit.pg` are."""
    return (loss * weights).sum()


def masked_sum(x: Tensor, mask: Tensor, dim: tuple[int, ...] = (0, 1)) -> Tensor:
    """Return Σ x over what the mask [B, T] counts; a scalar, or one number a row [B] with dim=(1,)."""
    return keep(x, mask).sum(dim)


def masked_mean(x: Tensor, mask: Tensor, dim: tuple[int, ...] = (0, 1)) -> Tensor:
    """Return the mean of x over what the mask [B, T] counts, 0 where it counts nothing; see `masked_sum`."""
    return masked_sum(x, mask, dim) / mask.sum(dim).clamp(min=1)


def whiten(x: Tensor, mask: Tensor, across: Callable[[Tensor], Tensor] = torch.clone, epsilon: float = 1e-8) -> Tensor:
    """Return (x - μ) / (σ + epsilon) over all counted steps, [B, T]; 0 elsewhere, and where nothing varies.

    σ² = Σ (x - μ)² / N. The usual treatment of advantages in PPO, and REINFORCE++'s (arXiv:2501.03262).
    `across` averages a tensor over the ranks, as `rlkit.dist.mean` does; then μ and σ are those of the joint batch.
    """
    kept = keep(x, mask)
    number = across(mask.sum().to(kept.dtype))
    number = torch.where(number > 0.0, number, 1.0)
    mean = across(kept.sum()) / number
    centred = torch.where(mask, kept - mean, 0)
    deviation = (across(centred.square().sum()) / number).sqrt()
    varies = deviation > ROUNDING * torch.finfo(kept.dtype).eps * mean.abs()
    return torch.where(varies, centred / (deviation + epsilon), 0)


def _precise(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64


def _check(how: str) -> None:
    if how not in get_args(How):
        raise ValueError(f"how is {how!r}; choose one of {', '.join(map(repr, get_args(How)))}")
