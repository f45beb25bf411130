"""KL(π ‖ π_ref) = E_{a~π}[log π(a) - log π_ref(a)]: three estimators from the sampled action, and the exact sum.

Schulman, "Approximating KL divergence" (joschu.net/blog/kl-approx.html), with d = log π_ref(a|s) - log π(a|s):

| | value at a ~ π | expected value | expected gradient when it stands in the loss |
| --- | --- | --- | --- |
| k1 | -d | KL(π ‖ ref) | 0, since E[∇ log π] = 0: it does nothing but add noise |
| k2 | d² / 2 | near KL where π is near ref | ∇ KL(π ‖ ref), exactly |
| k3 | e^d - 1 - d | KL(π ‖ ref) | ∇ KL(ref ‖ π), the other direction |

A right value does not make a right gradient. To penalise KL(π ‖ ref): subtract k1, a constant, from the reward; or put k2 in
the loss; or r k3, with r = π / sg(π) the ratio, which has k3's value and k2's gradient. In a world of more than one step, k2
and k3 of single steps leave out that an action changes which states come later; k1 in the reward, and k2 of the log-ratio
summed over the row, do not. GRPO has k3 in the loss (arXiv:2402.03300 eq. 4), and gets the gradient of the table.

`k2_sequence` and `ratio_k3` are those two. All take and return [B, T], 0 where the mask is False. No gradient reaches the reference.
"""

import torch
from torch import Tensor

from rlkit.pg.masking import log_ratio, log_softmax


def k1(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return log π(a|s) - log π_ref(a|s), unbiased, of either sign; for the reward, never for the loss. [B, T]."""
    return log_ratio(logprobs, ref_logprobs, mask)


def k2(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return (log π(a|s) - log π_ref(a|s))² / 2, biased, never negative, with the gradient of KL(π ‖ ref). [B, T]."""
    return 0.5 * log_ratio(logprobs, ref_logprobs, mask).square()


def k3(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return e^d - 1 - d, d = log π_ref(a|s) - log π(a|s); arXiv:2402.03300 eq. 4, unbiased, never negative. [B, T].

    Its gradient in expectation is that of KL(ref ‖ π).
    """
    d = -log_ratio(logprobs, ref_logprobs, mask)
    return torch.expm1(d) - d


def k2_sequence(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return d_t Σ_s d_s / 2, d = log π(a|s) - log π_ref(a|s), over the counted steps s of a row; [B, T].

    Its sum over the row is (log π(o) - log π_ref(o))² / 2, k2 of the row as one action, with the gradient of KL(π ‖ ref) of whole
    rows: what k2 of single steps leaves out, that an action changes which states come later, is in it.
    """
    d = log_ratio(logprobs, ref_logprobs, mask)
    return 0.5 * d * d.sum(1, keepdim=True)


def ratio_k3(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return r k3, r = π(a|s) / sg(π(a|s)): k3's value, and at every step k2's gradient, that of KL(π ‖ ref); [B, T]."""
    return log_ratio(logprobs, logprobs, mask).exp() * k3(logprobs, ref_logprobs, mask)


def categorical(logits: Tensor, ref_logits: Tensor, mask: Tensor) -> Tensor:
    """Return Σ_a π(a|s) (log π(a|s) - log π_ref(a|s)) of logits [B, T, A], value and gradient exact; [B, T].

    Actions that both forbid with a logit of -inf add 0. Where only the reference forbids one the KL is infinite; it comes
    out as a very large number.
    """
    logs, ref_logs = log_softmax(logits, mask), log_softmax(ref_logits.detach(), mask)
    return torch.where(mask, (logs.exp() * (logs - ref_logs)).sum(-1), 0)
