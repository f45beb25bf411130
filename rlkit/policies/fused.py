"""Pieces of a Llama's layer as one function each, which remembers for the gradient what it was given and nothing that it made of that.

A norm and a product after it keep x and one number a row; a gate and the product after it keep the gate's input. What is between is made
again, which is elementwise. `plain_normed` and `plain_gated`, operation by operation, are the slow twins, and serve types that round more.
Within `summing` the gradient of a matrix is added to its `.grad` by the product that makes it, and is never held apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, rms_norm, silu

_EXACT = (torch.float32, torch.float64)
_FEW = 16  # rows up to which a product is faster the other way round
_SOME = 64  # the same for the matrix of a large vocabulary
_BLOCK = 2048  # rows of a matrix that are multiplied at a time then
_summing = [False]


def normed(x: Tensor, scale: Tensor, epsilon: float, matrix: Tensor) -> Tensor:
    """Return W (s x / rms(x)), [*, O], rms(x)² = mean x² + ε; Zhang & Sennrich, arXiv:1910.07467.

    Args:
        x: [*, H].
        scale: s, [H].
        epsilon: ε.
        matrix: W, [O, H].
    """
    if x.dtype not in _EXACT:
        return plain_normed(x, scale, epsilon, matrix)
    found: Tensor = _Normed.apply(x, scale, epsilon, matrix)  # type: ignore[no-untyped-call]  # torch's
    return found


def gated(both: Tensor, matrix: Tensor) -> Tensor:
    """Return W (silu(g) u), [*, O], of g and u side by side; Shazeer, arXiv:2002.05202.

    Args:
        both: g and u, [*, 2 I].
        matrix: W, [O, I].
    """
    if both.dtype not in _EXACT:
        return plain_gated(both, matrix)
    found: Tensor = _Gated.apply(both, matrix)  # type: ignore[no-untyped-call]  # torch's
    return found


def product(x: Tensor, matrix: Tensor) -> Tensor:
    """Return W x, [*, O]. Few rows, as when a model writes, go as (W xᵀ)ᵀ: BLAS then reads W as it lies, up to twice as fast.

    Args:
        x: [*, I].
        matrix: W, [O, I].
    """
    count = x.numel() // x.shape[-1]
    few = count <= (_SOME if len(matrix) > 8 * _BLOCK else _FEW)
    if torch.is_grad_enabled() or not few or x.device.type != "cpu" or x.dtype not in _EXACT:
        return linear(x, matrix)
    columns, found = x.reshape(count, -1).t(), x.new_empty(len(matrix), count)
    for rows, part in zip(torch.split(matrix, _BLOCK), torch.split(found, _BLOCK), strict=True):
        torch.mm(rows, columns, out=part)
    return found.t().contiguous().view(*x.shape[:-1], len(matrix))


def plain_normed(x: Tensor, scale: Tensor, epsilon: float, matrix: Tensor) -> Tensor:
    """Return what `normed` does."""
    return linear(rms_norm(x, list(scale.shape), scale, epsilon), matrix)


def plain_gated(both: Tensor, matrix: Tensor) -> Tensor:
    """Return what `gated` does."""
    gate, up = both.chunk(2, -1)
    return linear(silu(gate) * up, matrix)


@contextmanager
def summing() -> Iterator[None]:
    """Let backward passes add the gradients of matrices to their `.grad`, where they have one, as they are made."""
    before, _summing[0] = _summing[0], True
    try:
        yield
    finally:
        _summing[0] = before


def sum_of(matrix: Tensor) -> Tensor | None:
    """Return what the gradient of a matrix is to be added to at once; None: it is to be returned."""
    return matrix.grad if _summing[0] and matrix.is_leaf else None


def _to_matrix(matrix: Tensor, gradient: Tensor, x: Tensor) -> Tensor | None:
    """Return ∂/∂W of W x, from the gradient [*, O] of that and x [*, I]; None where it was added."""
    left, right, total = gradient.flatten(0, -2).t(), x.flatten(0, -2), sum_of(matrix)
    if total is None:
        return left @ right
    total.addmm_(left, right)
    return None


class _Normed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, epsilon: float, matrix: Tensor) -> Tensor:
        shrink = x.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, shrink, scale, matrix)
        return product((x * shrink).mul_(scale), matrix)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, Tensor | None]:
        x, shrink, scale, matrix = ctx.saved_tensors
        unit, pull = x * shrink, gradient @ matrix
        to_matrix = _to_matrix(matrix, gradient, unit * scale)
        along = pull * unit
        to_scale = along.flatten(0, -2).sum(0)
        along = along.mul_(scale).mean(-1, keepdim=True)
        return pull.mul_(scale).sub_(unit.mul_(along)).mul_(shrink), to_scale, None, to_matrix


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, both: Tensor, matrix: Tensor) -> Tensor:
        ctx.save_for_backward(both, matrix)
        gate, up = both.chunk(2, -1)
        return product(silu(gate).mul_(up), matrix)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        both, matrix = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        bent = silu(gate)
        to_matrix = _to_matrix(matrix, gradient, bent * up)
        pull = gradient @ matrix
        found = torch.empty_like(both)
        to_gate, to_up = found.chunk(2, -1)
        torch.mul(pull, bent, out=to_up)
        to_gate.copy_(torch.ops.aten.silu_backward(pull.mul_(up), gate))
        return found, to_matrix
