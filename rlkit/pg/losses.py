"""Losses, to be minimised: [B, T] in, [B, T] out, exactly 0 where the mask is False; `rlkit.pg.reduce` makes the scalar.

r = π(a|s) / π_old(a|s) is the ratio of `logprobs` to `old_logprobs`. Advantages, old log-probabilities, old values and
targets are constants: no gradient reaches them. What happens to extreme numbers stands in `rlkit.pg.masking`.
"""

import torch
from torch import Tensor

from rlkit.pg.kl import k2_sequence
from rlkit.pg.masking import bounded, keep, log_ratio, log_softmax


def reinforce(logprobs: Tensor, advantages: Tensor, mask: Tensor) -> Tensor:
    """Return -A log π(a|s), whose gradient is the policy gradient's sample, S&B (13.8), Zhao section 9.4; [B, T]."""
    return -keep(advantages.detach(), mask) * keep(logprobs, mask)


def importance_weighted(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor) -> Tensor:
    """Return -r A, [B, T]; arXiv:1707.06347 eq. 6.

    Its gradient -r A ∇ log π is that of the off-policy actor-critic, Zhao section 10.3.
    """
    return -log_ratio(logprobs, old_logprobs, mask).exp() * keep(advantages.detach(), mask)


def clipped_surrogate(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, low: float = 0.2, high: float = 0.2
) -> Tensor:
    """Return -min(r A, clip(r, 1 - low, 1 + high) A), [B, T]; PPO, arXiv:1707.06347 eq. 7.

    GRPO takes the same with an advantage that is constant along the row, DAPO with high > low (arXiv:2503.14476 eq. 8).
    """
    return _clip(log_ratio(logprobs, old_logprobs, mask).exp(), keep(advantages.detach(), mask), low, high)


def dual_clip(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    low: float = 0.2,
    high: float = 0.2,
    cap: float = 3.0,
) -> Tensor:
    """Return the clipped surrogate, where A < 0 at most -cap A, [B, T]; Ye et al. 2020, arXiv:1912.09729 eq. 5.

    A ratio above `cap` (> 1) on a bad action, which PPO's clip lets grow without bound, has no gradient here.
    """
    kept = keep(advantages.detach(), mask)
    loss = clipped_surrogate(logprobs, old_logprobs, advantages, mask, low=low, high=high)
    return torch.where(kept < 0.0, torch.minimum(loss, -cap * kept), loss)


def cispo(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, high: float, low: float = 1.0
) -> Tensor:
    """Return -sg(clip(r, 1 - low, 1 + high)) A log π, [B, T]; MiniMax-M1, arXiv:2506.13585 eq. 4 and 5.

    sg: a constant to the gradient. Every action keeps its gradient; only its weight is bounded. The paper switches the lower
    bound off, as low = 1 does; on policy the weight is 1.
    """
    weight = log_ratio(logprobs.detach(), old_logprobs, mask).exp().clamp(1.0 - low, 1.0 + high)
    return -weight * keep(advantages.detach(), mask) * keep(logprobs, mask)


def gspo(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, low: float = 3e-4, high: float = 4e-4
) -> Tensor:
    """Return -min(s A, clip(s, 1 - low, 1 + high) A) at each step of a row, [B, T]; arXiv:2507.18071 eq. 5.

    s is the row's `sequence_ratio`, A the same along the row. Aggregated by sequence it is the paper's objective.
    """
    return _clip(sequence_ratio(logprobs, old_logprobs, mask), keep(advantages.detach(), mask), low, high)


def sequence_ratio(logprobs: Tensor, old_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return s_i = (π(o_i) / π_old(o_i))^{1/|o_i|} at each counted step of row i, 0 elsewhere, [B, T].

    arXiv:2507.18071 eq. 7: the exponential of the mean log-ratio over the |o_i| counted steps. Its gradient spreads over the row.
    """
    logs = keep(logprobs, mask) - keep(old_logprobs.detach(), mask)
    mean = logs.sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
    return torch.where(mask, bounded(mean).exp(), 0)


def opmd(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, tau: float) -> Tensor:
    """Return -A log π + τ/2 (log π(o) / π_i(o))², dealt out over the steps of a row, [B, T]; Kimi k1.5, arXiv:2501.12599 section 2.3.

    π_i, which drew the answers, is also what the policy is held near, so that there is no ratio and no clip. The sum over the row is
    the paper's term, with A = r - mean; its mean over rows is `constant` with length 1. The paper gives no number for τ.
    """
    return reinforce(logprobs, advantages, mask) + tau * k2_sequence(logprobs, old_logprobs, mask)


def value_loss(values: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return (V - R)² / 2, [B, T]; arXiv:1707.06347 eq. 9 without its coefficient."""
    return 0.5 * (keep(values, mask) - keep(targets.detach(), mask)).square()


def clipped_value_loss(values: Tensor, old_values: Tensor, targets: Tensor, mask: Tensor, *, clip: float) -> Tensor:
    """Return max((V - R)², (V_old + clip(V - V_old, ±clip) - R)²) / 2, [B, T].

    From the code of PPO's authors (openai/baselines, ppo2), not from their paper.
    """
    kept, old, goal = keep(values, mask), keep(old_values.detach(), mask), keep(targets.detach(), mask)
    near = old + (kept - old).clamp(-clip, clip)
    return 0.5 * torch.maximum((kept - goal).square(), (near - goal).square())


def entropy(logits: Tensor, mask: Tensor) -> Tensor:
    """Return H = -Σ_a π(a|s) log π(a|s) of π = softmax(logits [B, T, A]), [B, T]: a bonus; subtract it from a loss.

    A logit of -inf forbids its action, which then adds 0 to the entropy and has no gradient.
    """
    logs = log_softmax(logits, mask)
    return torch.where(mask, -(logs.exp() * logs).sum(-1), 0)


def _clip(ratio: Tensor, advantages: Tensor, low: float, high: float) -> Tensor:
    """-min(r A, clip(r) A), which is r held below 1 + high where A > 0, and above 1 - low where not: half the operations."""
    return -advantages * torch.where(advantages > 0.0, ratio.clamp(max=1.0 + high), ratio.clamp(min=1.0 - low))
