"""What is worth watching while a policy is trained on its own answers: how far it has moved, and whether its sampler agrees with it."""

from torch import Tensor

from rlkit.pg.correction import Correction, correct, importance
from rlkit.pg.kl import k3
from rlkit.pg.reduce import masked_mean


def movement(
    logprobs: Tensor, old_logprobs: Tensor, entropy: Tensor, mask: Tensor, low: float, high: float
) -> dict[str, Tensor]:
    """Return means over steps, scalars: the entropy, the divergence since sampling, the share of ratios outside 1 - low and 1 + high.

    Args:
        logprobs: log π now, [B, T], and so the next two.
        old_logprobs: log π_old.
        entropy: of π now.
        mask: [B, T].
        low: of the clip.
        high: of the clip.
    """
    ratio = (logprobs - old_logprobs).exp()
    outside = (ratio < 1.0 - low) | (ratio > 1.0 + high)
    return {
        "entropy": masked_mean(entropy, mask),
        "kl": masked_mean(k3(old_logprobs, logprobs, mask), mask),
        "clipped": masked_mean(outside.float(), mask),
    }


def explained(values: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return 1 - Var(R - V) / Var(R) over counted steps, [B, T] each: how much of what its targets differ by a critic foresees."""
    spread = [masked_mean((x - masked_mean(x, mask)).square(), mask) for x in (targets - values, targets)]
    return 1.0 - spread[0] / (spread[1] + 1e-8)


def mismatch(
    kind: Correction, logprobs: Tensor, sampler_logprobs: Tensor, mask: Tensor, low: float, high: float
) -> dict[str, Tensor]:
    """Return the divergence of the sampler from the trainer, scalars, and the mean weight before and after the bound, if there is one.

    Without both weights nobody sees how much a bound takes away. Arguments are those of `rlkit.pg.correction.correct`.
    """
    found = {"kl_sampler": masked_mean(k3(sampler_logprobs, logprobs, mask), mask)}
    if kind != "none":
        raw = importance(logprobs, sampler_logprobs, mask, sequence=kind.startswith("sequence"))
        weight = correct(kind, logprobs, sampler_logprobs, mask, low, high)
        found |= {"weight_raw": masked_mean(raw, mask), "weight": masked_mean(weight, mask)}
    return found
