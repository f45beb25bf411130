"""Targets and losses of action values: what Q(s, a) is drawn towards, and how far it is from there.

`discounts` are γᵏ (1 - terminated) for a reward summed over k steps: 0 after an end, and what bootstraps over a time limit.
Targets are constants: no gradient reaches them from a loss. Losses are [B, T] and exactly 0 where the mask is False.
"""

import torch
from torch import Tensor

from rlkit.pg.masking import keep

_LOWEST = torch.finfo(torch.float32).min


def td_target(rewards: Tensor, discounts: Tensor, next_values: Tensor) -> Tensor:
    """Return r + γᵏ V(s'), [...]; Zhao (8.36), S&B (7.1) for k steps. Where the discount is 0, V is not looked at."""
    return rewards + discounts * torch.where(discounts == 0.0, 0.0, next_values)


def greedy(q: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Return argmax_a Q(s, a) among allowed actions, int64 [...]; ties go to the lowest.

    Args:
        q: [..., A].
        allowed: bool [..., A]; None: all. Where nothing is allowed, all are.
    """
    if allowed is not None:
        q = q.masked_fill(~allowed & allowed.any(-1, keepdim=True), _LOWEST)
    return q.argmax(-1)


def chosen(outputs: Tensor, actions: Tensor) -> Tensor:
    """Return what belongs to the actions [...]: numbers [...] of outputs [..., A, 1], or distributions [..., K] of [..., A, K]."""
    if outputs.shape[-1] == 1:
        return outputs[..., 0].gather(-1, actions[..., None])[..., 0]
    return outputs.take_along_dim(actions[..., None, None], -2)[..., 0, :]


def project(probabilities: Tensor, support: Tensor, rewards: Tensor, discounts: Tensor) -> Tensor:
    """Return the distribution of r + γᵏ Z on the atoms of Z, Φ T Z of C51; arXiv:1707.06887 algorithm 1, [..., K].

    Every atom z_j moves to T z_j = clip(r + γᵏ z_j, z_1, z_K), and its probability is shared by the two atoms beside it,
    the nearer the more: m_i = Σ_j p_j [1 - |T z_j - z_i| / Δz] within [0, 1]. Outside the support, what is clipped changes the mean.

    Args:
        probabilities: of s' and the action chosen there, [..., K].
        support: z, evenly spaced and rising, [K].
        rewards: [...].
        discounts: [...].
    """
    low, high, count = support[0], support[-1], len(support)
    moved = (rewards[..., None] + discounts[..., None] * support).clamp(low, high)
    place = ((moved - low) / (high - low) * (count - 1)).clamp(0.0, count - 1.0)  # in units of atoms
    below = place.floor()
    above_share = place - below
    below = below.long()
    mass = torch.zeros_like(probabilities)
    mass.scatter_add_(-1, below, probabilities * (1.0 - above_share))
    return mass.scatter_add_(-1, (below + 1).clamp(max=count - 1), probabilities * above_share)


def smoothed(actions: Tensor, noise: Tensor, *, clip: float, low: Tensor, high: Tensor) -> Tensor:
    """Return clip(μ(s') + clip(ε, ±c), low, high), where the target is asked; TD3, arXiv:1802.09477 eq. 14 and algorithm 1.

    Args:
        actions: [..., D] of the target policy.
        noise: ε, [..., D].
        clip: c.
        low: bounds of the actions, [D].
        high: [D].
    """
    return (actions + noise.clamp(-clip, clip)).clamp(low, high)


def least(q: Tensor) -> Tensor:
    """Return min_i Q_i(s, a) over the critics in front, [C, ...] to [...]; TD3's clipped double Q, arXiv:1802.09477 eq. 10."""
    return q.amin(0)


def soft_value(q: Tensor, logprobs: Tensor, temperature: Tensor) -> Tensor:
    """Return Q(s, a) - α log π(a|s) of a drawn action, a sample of V(s); SAC, arXiv:1801.01290 eq. 3, [...]."""
    return q - temperature * logprobs


def expected_soft_value(q: Tensor, logprobs: Tensor, temperature: Tensor) -> Tensor:
    """Return V(s) = Σ_a π(a|s) (Q(s, a) - α log π(a|s)) of discrete actions, [..., A] to [...]; arXiv:1910.07207 eq. 10."""
    return (logprobs.exp() * (q - temperature * logprobs)).sum(-1)


def squared_loss(values: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return (Q - y)² / 2, [B, T]; Zhao (8.35) for one sample."""
    return 0.5 * keep(values - targets.detach(), mask).square()


def huber_loss(values: Tensor, targets: Tensor, mask: Tensor, *, kappa: float = 1.0) -> Tensor:
    """Return δ² / 2 where |δ| <= κ, κ (|δ| - κ / 2) beyond, of δ = Q - y, [B, T]: DQN's error clipping, Mnih et al. 2015."""
    return _huber(keep(values - targets.detach(), mask), kappa)


def categorical_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the cross entropy -Σ_i m_i log p_i, [B, T]; C51, arXiv:1707.06887 section 4.

    Args:
        logits: of the K atoms, [B, T, K].
        targets: probabilities m of `project`, [B, T, K].
        mask: [B, T].
    """
    wide = mask[..., None].expand_as(logits)
    return -(keep(targets.detach(), wide) * torch.log_softmax(keep(logits, wide), -1)).sum(-1)


def quantile_loss(quantiles: Tensor, targets: Tensor, mask: Tensor, *, kappa: float = 1.0) -> Tensor:
    """Return Σ_i E_j [|τ̂_i - 1{u_ij < 0}| L_κ(u_ij) / κ], u_ij = y_j - θ_i, [B, T]; QR-DQN, arXiv:1710.10044 eq. 10.

    τ̂_i = (2 i - 1) / 2 N are the midpoints. κ = 0: the plain quantile loss, |τ̂_i - 1{u_ij < 0}| |u_ij|.

    Args:
        quantiles: θ, [B, T, N].
        targets: y, samples of the target, [B, T, M].
        mask: [B, T].
        kappa: κ, up to where the error is squared.
    """
    wide = mask[..., None]
    theta, aim = keep(quantiles, wide.expand_as(quantiles)), keep(targets.detach(), wide.expand_as(targets))
    count = quantiles.shape[-1]
    midpoints = (torch.arange(count, device=theta.device, dtype=theta.dtype) + 0.5) / count
    apart = aim[..., None, :] - theta[..., :, None]  # [B, T, N, M]
    size = _huber(apart, kappa) / kappa if kappa else apart.abs()
    return ((midpoints[:, None] - (apart < 0.0).to(theta.dtype)).abs() * size).mean(-1).sum(-1)


def _huber(apart: Tensor, kappa: float) -> Tensor:
    near = apart.clamp(-kappa, kappa)
    return near * (apart - 0.5 * near)
