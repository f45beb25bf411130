"""What every function of this package does first: keep what counts, in a number format that holds it.

**Mask.** Where `mask` is False an input is replaced by 0 before any arithmetic, so that NaN or infinity there neither
shows nor has a gradient. (To multiply a result by 0 would be too late: 0 times NaN is NaN.)

**Range.** float16 and bfloat16 are computed in float32. With M the largest number of the format, counted inputs are
held within ±√M / 2 and log-ratios within ±log(√M / 2), in float32 ±9.2e18 and ±43.7, so that neither a ratio, nor its
product with an advantage, nor the square of a difference overflows. Beyond these bounds the function is constant and
its gradient 0. So a log-probability of -inf may come in, and nothing is NaN unless a counted input is. (A gradient
that is cast back to float16 can still be infinite there; give float32 log-probabilities where you can.)
"""

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import hardtanh

_WIDE = (torch.float32, torch.float64)
_NOUGHT = torch.zeros(
    ()
)  # beside a tensor on any device, and of its type there; a plain 0 would be made one at each call


def keep(x: Tensor, mask: Tensor) -> Tensor:
    """Return x where mask, 0 elsewhere, in float32 or wider and within bounds; x and mask have one shape.

    Raises:
        ValueError: naming the two shapes, or the type of a mask that is not bool.
    """
    if x.shape != mask.shape:
        raise ValueError(f"an input has shape {list(x.shape)} and its mask {list(mask.shape)}; they must be the same")
    if mask.dtype != torch.bool:
        raise ValueError(f"the mask is {mask.dtype}; it must be torch.bool")
    wide = torch.where(mask, x, _NOUGHT)
    if wide.dtype not in _WIDE:
        wide = wide.to(torch.promote_types(x.dtype, torch.float32))
    bound = _bound(wide.dtype)
    return hardtanh(wide, -bound, bound)  # clamp, with one operation for its gradient and not four


def log_ratio(logprobs: Tensor, old_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return log π(a|s) / π_old(a|s) within bounds, [B, T]; no gradient reaches `old_logprobs`."""
    return bounded(keep(logprobs, mask) - keep(old_logprobs.detach(), mask))


def bounded(log_ratios: Tensor) -> Tensor:
    """Hold log-ratios where their exponential, times anything that `keep` lets through, is finite."""
    bound = math.log(_bound(log_ratios.dtype))
    return hardtanh(log_ratios, -bound, bound)


def log_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Return log-probabilities [B, T, A] of logits [B, T, A]; uniform where mask [B, T] is False. A logit may be -inf."""
    return torch.log_softmax(keep(logits, mask[..., None].expand_as(logits)), dim=-1)


@cache
def _bound(dtype: torch.dtype) -> float:
    return math.sqrt(torch.finfo(dtype).max) / 2.0
