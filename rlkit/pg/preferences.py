"""Losses of preferences, one number a pair or an answer, [B] in and [B] out: reward models, DPO and its relatives, KTO, SimPO, ORPO.

Answers come in as one log-probability each, summed over their counted tokens or averaged (`rlkit.pg.reduce.masked_sum` and
`masked_mean` with dim=(1,)): which of the two is part of a loss, and stands at each. The scalar is the mean over the pairs of the
whole batch; cut into parts, the sum of each divided by the number of all. Of w and l, w is the answer that was preferred.

Nothing here knows a temperature, a template or a model. A reference is a constant: no gradient reaches it.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from rlkit.pg.masking import keep


def bradley_terry(chosen: Tensor, rejected: Tensor, *, margin: float | Tensor = 0.0, centre: float = 0.0) -> Tensor:
    """Return -log σ(r_w - r_l - m) + λ (r_w + r_l)², [B]: a reward model's loss; Bradley and Terry 1952, arXiv:2203.02155 eq. 1.

    Args:
        chosen: r_w, the model's reward at the last token of the answer, its EOS, [B].
        rejected: r_l, [B].
        margin: m, by how much w is better, a number or [B]; Llama 2, arXiv:2307.09288 eq. 2.
        centre: λ of a pull of the rewards to a mean of 0, which the first term leaves open; arXiv:2312.09244.
    """
    _pairs(chosen, rejected)
    return -logsigmoid(chosen - rejected - margin) + centre * (chosen + rejected).square()


def log_ratio_margin(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor) -> Tensor:
    """Return h = Δ_w - Δ_l with Δ = log π(y|x) - log π_ref(y|x), [B]; β h is the margin of DPO's implicit rewards β Δ.

    All four are sums over the answer's tokens, [B]. Averages make another loss: see `ipo`.
    """
    _pairs(chosen, rejected, ref_chosen, ref_rejected)
    return chosen - ref_chosen.detach() - (rejected - ref_rejected.detach())


def dpo(margin: Tensor, *, beta: float, smoothing: float = 0.0) -> Tensor:
    """Return -(1 - ε) log σ(β h) - ε log σ(-β h), [B]; arXiv:2305.18290 eq. 7, with ε cDPO (Mitchell 2023).

    ε is the chance that a label is wrong; its optimum is a finite margin, log((1 - ε) / ε) / β, where plain DPO has none. At the
    reference the loss is log 2.

    Args:
        margin: h of `log_ratio_margin`, from sums, [B].
        beta: β, the weight of the divergence from the reference in the objective that is maximised; 0.1 in the paper.
        smoothing: ε, below 1/2.
    """
    _smoothing(smoothing)
    return -(1.0 - smoothing) * logsigmoid(beta * margin) - smoothing * logsigmoid(-beta * margin)


def robust_dpo(margin: Tensor, *, beta: float, smoothing: float) -> Tensor:
    """Return (-(1 - ε) log σ(β h) + ε log σ(-β h)) / (1 - 2 ε), [B]; arXiv:2403.00409.

    In expectation over labels of which the share ε is flipped it is DPO's loss on the right ones. Arguments as of `dpo`.
    """
    _smoothing(smoothing)
    right, wrong = -logsigmoid(beta * margin), -logsigmoid(-beta * margin)
    return ((1.0 - smoothing) * right - smoothing * wrong) / (1.0 - 2.0 * smoothing)


def ipo(margin: Tensor, *, beta: float) -> Tensor:
    """Return (h - 1 / (2 β))², [B]; arXiv:2310.12036 eq. 17, whose τ is β.

    From sums, as the paper writes it. TRL averages over tokens; its β is then another one, and its losses are not comparable.
    """
    return (margin - 1.0 / (2.0 * beta)).square()


def hinge(margin: Tensor, *, beta: float) -> Tensor:
    """Return max(0, 1 - β h), [B]: DPO's margin under the loss of SLiC-HF, arXiv:2305.10425, as arXiv:2309.06657 normalises it."""
    return (1.0 - beta * margin).clamp(min=0.0)


def kto_reference(mismatched: Tensor, across: Callable[[Tensor], Tensor] = torch.clone) -> Tensor:
    """Return z0 = max(0, mean of Δ over mismatched pairs), a constant scalar; arXiv:2402.01306 section 4.1.

    Args:
        mismatched: Δ = log π(y'|x) - log π_ref(y'|x), sums, where y' is the answer to another prompt of the batch, [B]: `shifted`.
        across: averages over ranks, as `rlkit.dist.mean` does; ranks have as many rows each.
    """
    return across(mismatched.detach().mean()).clamp(min=0.0)


def shifted(rows: int) -> Tensor:
    """Return whose answer stands beside each prompt in a mismatched pair, the next row's, [B].

    Raises:
        ValueError: there are fewer than two rows, so that every answer is to its own prompt.
    """
    if rows < 2:
        raise ValueError(
            f"a batch of {rows} has no mismatched pairs for KTO's reference point; take a batch of at least 2 on each process"
        )
    return torch.arange(rows).roll(-1)


def kto(
    log_ratios: Tensor,
    desirable: Tensor,
    reference: Tensor,
    *,
    beta: float,
    weight_desirable: float = 1.0,
    weight_undesirable: float = 1.0,
) -> Tensor:
    """Return λ_D (1 - σ(β (Δ - z0))) where an answer is desirable, λ_U (1 - σ(β (z0 - Δ))) where not, [B]; arXiv:2402.01306 eq. 8.

    Args:
        log_ratios: Δ, sums, [B].
        desirable: bool [B].
        reference: z0 of `kto_reference`, a scalar.
        beta: β, 0.1 in the paper.
        weight_desirable: λ_D; the paper wants λ_D n_D / (λ_U n_U) between 1 and 4/3.
        weight_undesirable: λ_U.

    Raises:
        ValueError: shapes differ, or `desirable` is no bool.
    """
    _pairs(log_ratios, desirable)
    if desirable.dtype != torch.bool:
        raise ValueError(f"desirable is {desirable.dtype}; it must be torch.bool")
    gain = beta * (log_ratios - reference.detach())
    weight = torch.where(desirable, weight_desirable, weight_undesirable).to(gain.dtype)
    return weight * torch.sigmoid(torch.where(desirable, -gain, gain))  # 1 - σ(x) = σ(-x)


def simpo(chosen: Tensor, rejected: Tensor, *, beta: float = 2.5, gamma: float = 1.375) -> Tensor:
    """Return -log σ(β (log π_w / |y_w| - log π_l / |y_l|) - γ), [B]; arXiv:2405.14734 eq. 6, without a reference.

    Args:
        chosen: the mean log-probability of a token of w, [B].
        rejected: of l, [B].
        beta: β.
        gamma: γ, the margin that is asked for.
    """
    _pairs(chosen, rejected)
    return -logsigmoid(beta * (chosen - rejected) - gamma)


def log_odds(mean: Tensor) -> Tensor:
    """Return log(P / (1 - P)) of log P = the mean log-probability of a token, [B]; arXiv:2403.07691 section 4.1."""
    below = mean.clamp(max=-torch.finfo(mean.dtype).eps)  # at P = 1 the odds have no number
    return below - torch.log(-torch.expm1(below))


def odds_ratio(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Return -log σ(log odds_w - log odds_l) from mean log-probabilities, [B]; arXiv:2403.07691 eq. 7."""
    _pairs(chosen, rejected)
    return -logsigmoid(log_odds(chosen) - log_odds(rejected))


def orpo(chosen: Tensor, rejected: Tensor, *, weight: float = 0.1) -> Tensor:
    """Return -log P_w + λ `odds_ratio`, [B]; arXiv:2403.07691 eq. 6: learning from w and preferring it to l in one, without a reference.

    log P is the mean over the answer's tokens. TRL takes its first term over the prompt's too; the paper does not.
    """
    return -chosen + weight * odds_ratio(chosen, rejected)


def negative_log_likelihood(logprobs: Tensor, mask: Tensor) -> Tensor:
    """Return -log π(token), [B, T]; 0 where the mask is False: supervised fine-tuning.

    Its scalar is the mean over all counted tokens of the global batch: `aggregate(..., "token", dist.mean(count(mask, "token")))`. A
    mean of means of micro-batches is another loss, in which tokens of short answers weigh more.
    """
    return -keep(logprobs, mask)


def _pairs(*tensors: Tensor) -> None:
    first = tensors[0].shape
    if len(first) != 1 or any(one.shape != first for one in tensors):
        found = ", ".join(str(list(one.shape)) for one in tensors)
        raise ValueError(f"the inputs have shapes {found}; each must be [B], one number an answer")


def _smoothing(smoothing: float) -> None:
    if not 0.0 <= smoothing < 0.5:
        raise ValueError(
            f"smoothing is {smoothing}; it is the chance that a label is wrong, at least 0 and below 1/2, where labels say nothing"
        )
