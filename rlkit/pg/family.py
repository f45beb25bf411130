"""The policy-gradient family by name: an algorithm is its advantage, its loss and its divergence, and how they are summed.

| | advantage | loss | sum (`rlkit.pg.reduce`) | divergence |
| --- | --- | --- | --- | --- |
| REINFORCE, Williams 1992 | return | reinforce | constant, 1 | |
| REINFORCE++, arXiv:2501.03262 | to-go, whitened | clip | token | k1 |
| ... with baseline | none, whitened | clip | token | k2 |
| RLOO, arXiv:2402.14740 | leave-one-out | reinforce | constant, 1 | k1 |
| GRPO, arXiv:2402.03300 | population | clip | sequence | k3 |
| Dr. GRPO, arXiv:2503.20783 | none | clip | constant, longest | |
| DAPO, arXiv:2503.14476 | population | clip, wider above | token | |
| GSPO, arXiv:2507.18071 | population | gspo | sequence | |
| CISPO, arXiv:2506.13585 | population | cispo | token | |
| OPMD, arXiv:2501.12599 | none | opmd | constant, 1 | in the loss |
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from rlkit.pg.baselines import group_advantages, leave_one_out, per_step
from rlkit.pg.correction import Correction
from rlkit.pg.kl import k2, k2_sequence, k3, ratio_k3
from rlkit.pg.losses import cispo, clipped_surrogate, dual_clip, gspo, opmd, reinforce
from rlkit.pg.masking import keep
from rlkit.pg.reduce import How, masked_sum, whiten

Advantage = Literal["population", "sample", "none", "leave-one-out", "return", "to-go"]
Loss = Literal["clip", "dual-clip", "reinforce", "gspo", "cispo", "opmd"]
Estimator = Literal["k1", "k2", "k3", "k2-sequence", "ratio-k3"]
Place = Literal["auto", "reward", "loss"]
DIVERGENCES = {"k2": k2, "k3": k3, "k2-sequence": k2_sequence, "ratio-k3": ratio_k3}  # those that may stand in a loss


def refuse(loss: Loss, how: How, estimator: Estimator, place: Place, correction: Correction, recompute: bool) -> None:
    """Refuse combinations that are not what their names say.

    Raises:
        ValueError: saying why, and what to take.
    """
    if estimator == "k1" and place == "loss":
        raise ValueError(
            "estimator is 'k1' and kl_in 'loss': its expected gradient there is E[∇ log π] = 0, nothing but noise; leave kl_in out, "
            "which takes it off the rewards, or take estimator 'k2-sequence', which has the divergence's gradient in the loss"
        )
    if estimator != "k1" and place == "reward":
        raise ValueError(
            f"estimator is {estimator!r} and kl_in 'reward': a reward is a constant, so that what the estimator changes by itself "
            "with the policy would be lost, and with it the gradient of the divergence; take estimator 'k1'"
        )
    if loss == "gspo" and how != "sequence":
        raise ValueError(
            f"loss is 'gspo' and how {how!r}: that weighs an episode by its length; take how 'sequence', as the paper does"
        )
    if correction != "none" and not recompute:
        raise ValueError(
            f"correction is {correction!r} and recompute False: the sampler's log-probabilities would be compared with themselves; "
            "take recompute True"
        )


def row_scores(rewards: Tensor, mask: Tensor, gamma: float) -> Tensor:
    """Return R = Σ_t γ^t r_t over the counted steps of each row, [B]; NaN where a reward is."""
    return masked_sum(rewards * gamma ** (mask.cumsum(1) - 1), mask, (1,))


def advantage(
    kind: Advantage,
    rewards: Tensor,
    mask: Tensor,
    group: Tensor,
    *,
    gamma: float,
    whitened: bool = False,
    across: Callable[[Tensor], Tensor] = torch.clone,
) -> Tensor:
    """Return the advantage of every step, [B, T].

    Args:
        kind: "return": R of the whole row. "to-go": Σ_{s>=t} γ^s r_s. "leave-one-out": R less the mean of the others of its group.
            "none": R less the group's mean; "population", "sample": that over the group's deviation (+ 1e-6).
        rewards: [B, T]; of a row with a NaN, as where a verifier failed, nothing is learned: it gets 0, and counts nowhere.
        mask: [B, T].
        group: [B].
        gamma: the discount.
        whitened: take the mean of all counted steps off and divide by their deviation, as REINFORCE++ does.
        across: averages over ranks, for the whitening.
    """
    scores = row_scores(rewards, mask, gamma)
    known = mask & ~scores.isnan()[:, None]
    if kind == "to-go":
        paid = keep(rewards * gamma ** (mask.cumsum(1) - 1), known)
        found = torch.where(known, paid.flip(1).cumsum(1).flip(1), 0)
    elif kind == "return":
        found = per_step(scores.nan_to_num(0.0), mask)
    elif kind == "leave-one-out":
        found = per_step(leave_one_out(scores, group), mask)
    else:
        found = per_step(group_advantages(scores, group, scale=kind, epsilon=1e-6), mask)
    return whiten(found, known, across) if whitened else found


def surrogate(
    kind: Loss,
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    low: float,
    high: float,
    cap: float,
    tau: float,
) -> Tensor:
    """Return the loss by name, [B, T]: see `rlkit.pg.losses`; cap is dual clip's, tau OPMD's, low and high the others'."""
    four = logprobs, old_logprobs, advantages, mask
    if kind == "clip":
        return clipped_surrogate(*four, low=low, high=high)
    if kind == "dual-clip":
        return dual_clip(*four, low=low, high=high, cap=cap)
    if kind == "gspo":
        return gspo(*four, low=low, high=high)
    if kind == "cispo":
        return cispo(*four, low=low, high=high)
    return opmd(*four, tau=tau) if kind == "opmd" else reinforce(logprobs, advantages, mask)
