"""Distillation: how far a student's next token is from a teacher's, from the logits of both, [B, T, V] in and [B, T] out.

P is the teacher, Q the student. On a teacher's answers the forward divergence, on the student's own the reverse or a mixture
(on-policy distillation, GKD, arXiv:2306.13649). Both need one vocabulary; to learn from a teacher's answers alone is
`rlkit.pg.preferences.negative_log_likelihood`. No gradient reaches the teacher. The scalar is the mean over counted tokens of the
global batch.
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from rlkit.pg.masking import log_softmax

Divergence = Literal["forward", "reverse", "js"]


def distil(
    student: Tensor,
    teacher: Tensor,
    mask: Tensor,
    *,
    divergence: Divergence,
    beta: float = 0.5,
    temperature: float = 1.0,
) -> Tensor:
    """Return τ² D(P ‖ Q) of P = softmax(teacher / τ), Q = softmax(student / τ), [B, T]; 0 where the mask is False.

    τ² keeps the gradient's size as τ grows (Hinton et al., arXiv:1503.02531 section 2).

    Args:
        student: logits [B, T, V].
        teacher: logits [B, T, V].
        mask: [B, T].
        divergence: "forward": KL(P ‖ Q), Q covers P. "reverse": KL(Q ‖ P), Q keeps to where P is. "js": β KL(P ‖ M) +
            (1 - β) KL(Q ‖ M) with M = β P + (1 - β) Q, GKD; divided by β, forward at β → 0; by 1 - β, reverse at 1.
        beta: β of js, between 0 and 1 and neither.
        temperature: τ.

    Raises:
        ValueError: naming an unknown divergence, a bad β or τ, or vocabularies that differ.
    """
    if divergence not in get_args(Divergence):
        raise ValueError(f"divergence is {divergence!r}; choose one of {', '.join(map(repr, get_args(Divergence)))}")
    if student.shape != teacher.shape:
        raise ValueError(
            f"the student's logits have shape {list(student.shape)} and the teacher's {list(teacher.shape)}; they need one vocabulary"
        )
    if not temperature > 0.0:
        raise ValueError(f"temperature is {temperature}; it must be above 0")
    if divergence == "js" and not 0.0 < beta < 1.0:
        raise ValueError(f"beta is {beta}; it must lie between 0 and 1; for the ends take 'forward' or 'reverse'")
    q, p = log_softmax(student / temperature, mask), log_softmax(teacher.detach() / temperature, mask)
    if divergence == "forward":
        found = _kl(p, q)
    elif divergence == "reverse":
        found = _kl(q, p)
    else:
        m = torch.logaddexp(p + math.log(beta), q + math.log1p(-beta))
        found = beta * _kl(p, m) + (1.0 - beta) * _kl(q, m)
    return torch.where(mask, temperature**2 * found, 0)


def _kl(p: Tensor, q: Tensor) -> Tensor:
    """Σ_a p (log p - log q) of log-probabilities."""
    return (p.exp() * (p - q)).sum(-1)
