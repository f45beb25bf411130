"""Returns and advantages along time: every one is a linear recursion from the last step to the first.

All arrays are [B, T]. `next_values` holds V(s_{t+1}) of the true successor (never of the observation after a reset): pass
zeros where there is no critic. With e_t = terminated_t or truncated_t, or t the last counted step of its row:

- terminated: nothing follows; V(s_{t+1}) is taken as 0, whatever `next_values` holds.
- truncated, or the last step: what follows is V(s_{t+1}), and nothing of later steps is used.

Steps that the mask does not count take no time: a recursion goes from a counted step to the next counted one, over prompts
and gaps, and the result there is exactly 0. A reward paid inside a gap must stand at the action before it.
Results are differentiable in rewards and values; the losses treat them as constants.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from rlkit.pg.masking import keep, log_ratio


def discounted_returns(
    rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, mask: Tensor, *, gamma: float
) -> Tensor:
    """Return G_t = r_{t+1} + γ G_{t+1}, and r_{t+1} + γ V(s_{t+1}) where the trace is cut; S&B (3.9), [B, T]."""
    return lambda_returns(rewards, next_values, terminated, truncated, mask, gamma=gamma, lam=1.0)


def n_step_returns(
    rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, mask: Tensor, *, gamma: float, n: int
) -> Tensor:
    """Return G_{t:t+n} = Σ_{k<n} γ^k r_{t+k+1} + γ^n V(s_{t+n}), S&B (7.1), [B, T]; shorter where the trace is cut.

    Computed as G_{t:t+1} = r_{t+1} + γ V(s_{t+1}) and G_{t:t+n} = r_{t+1} + γ G_{t+1:t+n}.

    Raises:
        ValueError: n is below 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1")
    kept, ahead = keep(rewards, mask), _ahead(next_values, terminated, mask)
    follower = _follower(mask)
    cut = terminated | truncated | (follower == mask.shape[1])
    returns = kept + gamma * ahead
    for _ in range(min(n, mask.shape[1]) - 1):
        returns = kept + gamma * torch.where(cut, ahead, pad(returns, (0, 1)).gather(1, follower))
    return torch.where(mask, returns, 0)


def lambda_returns(
    rewards: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    mask: Tensor,
    *,
    gamma: float,
    lam: float,
) -> Tensor:
    """Return G_t^λ = r_{t+1} + γ ((1 - λ) V(s_{t+1}) + λ G_{t+1}^λ), S&B (12.18), [B, T].

    Where the trace is cut, r_{t+1} + γ V(s_{t+1}). λ = 0 is the one-step target, λ = 1 the discounted return.
    """
    cut = terminated | truncated | (_follower(mask) == mask.shape[1])
    ahead = _ahead(next_values, terminated, mask)
    delta = keep(rewards, mask) + gamma * torch.where(cut, ahead, (1.0 - lam) * ahead)
    return _recursion(delta, torch.full_like(delta, gamma * lam), cut, mask)


def gae(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    mask: Tensor,
    *,
    gamma: float,
    lam: float,
) -> Tensor:
    """Return Â_t = Σ_l (γλ)^l δ_{t+l}, δ_t = r_{t+1} + γ V(s_{t+1}) - V(s_t), arXiv:1506.02438 eq. 16, [B, T].

    Computed as Â_t = δ_t + γλ (1 - e_t) Â_{t+1}. Â + V are the λ-returns, the usual target of the critic.
    """
    delta = keep(rewards, mask) + gamma * _ahead(next_values, terminated, mask) - keep(values, mask)
    return _recursion(delta, torch.full_like(delta, gamma * lam), terminated | truncated, mask)


class VTrace(NamedTuple):
    """What an off-policy actor-critic learns from, both [B, T]."""

    values: Tensor  # v_t, the critic's target
    advantages: Tensor  # ρ_t (r_{t+1} + γ v_{t+1} - V(s_t)), the actor's


def vtrace(
    logprobs: Tensor,
    old_logprobs: Tensor,
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    mask: Tensor,
    *,
    gamma: float,
    lam: float = 1.0,
    rho_clip: float = 1.0,
    c_clip: float = 1.0,
) -> VTrace:
    """Return v_t = V(s_t) + Σ_{k>=t} γ^{k-t} (Π_{t<=i<k} c_i) ρ_k δ_k of IMPALA, arXiv:1802.01561 eq. 1, [B, T].

    ρ_t = min(ρ̄, π/μ), c_t = λ min(c̄, π/μ), with `old_logprobs` under the policy μ that acted. Computed as remark 1 has
    it: v_t - V_t = ρ_t δ_t + γ c_t (v_{t+1} - V_{t+1}). The advantages are those of section 4.2. The ratios are constants.
    """
    ratio = log_ratio(logprobs.detach(), old_logprobs, mask).exp()
    rho, c = ratio.clamp(max=rho_clip), lam * ratio.clamp(max=c_clip)
    kept, ahead, here = keep(rewards, mask), _ahead(next_values, terminated, mask), keep(values, mask)
    follower = _follower(mask)
    cut = terminated | truncated | (follower == mask.shape[1])
    excess = _recursion(rho * (kept + gamma * ahead - here), gamma * c, cut, mask)
    targets = here + excess
    later = torch.where(cut, ahead, pad(targets, (0, 1)).gather(1, follower))
    return VTrace(targets, torch.where(mask, rho * (kept + gamma * later - here), 0))


def following(values: Tensor, last: Tensor, mask: Tensor) -> Tensor:
    """Return V(s_{t+1}) as the value at the next counted step of the row, and `last` [B] after the row's last one; [B, T].

    For `next_values` without a second pass through the critic. Where an episode ends inside a row, the next step belongs to
    another one: there put in the value of the true successor yourself.
    """
    return torch.where(mask, torch.cat([values, last[:, None]], 1).gather(1, _follower(mask)), 0)


def _ahead(next_values: Tensor, terminated: Tensor, mask: Tensor) -> Tensor:
    return keep(next_values, mask & ~terminated)


def _follower(mask: Tensor) -> Tensor:
    """The index of the next counted step, [B, T]; T where there is none."""
    steps = mask.shape[1]
    here = torch.where(mask, torch.arange(steps, device=mask.device), steps)
    at_or_after = here.flip(1).cummin(1).values.flip(1)
    return pad(at_or_after[:, 1:], (0, 1), value=steps)


def _recursion(delta: Tensor, decay: Tensor, cut: Tensor, mask: Tensor) -> Tensor:
    """x_t = delta_t + decay_t x_{t+1}, or delta_t where cut, over counted steps; in log2(T) passes that double their reach."""
    total, decay = torch.where(mask, delta, 0), torch.where(mask, torch.where(cut, 0, decay), 1)
    reach = 1
    while reach < mask.shape[1]:
        total = total + decay * pad(total[:, reach:], (0, reach))
        decay = decay * pad(decay[:, reach:], (0, reach))
        reach *= 2
    return torch.where(mask, total, 0)
