"""Pieces of a Llama's layer: values and gradients of the slow twins, and less to remember."""

import pytest
import torch
from torch import Tensor

from rlkit.policies.chosen import chosen
from rlkit.policies.fused import gated, normed, plain_gated, plain_normed, product, summing


def inputs(dtype: torch.dtype, *shapes: tuple[int, ...]) -> list[Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=rng, dtype=torch.float64).to(dtype).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("rows", [(5,), (2, 3)])
def test_a_norm_and_a_product_have_the_gradient_of_the_definition(rows: tuple[int, ...]) -> None:
    x, scale, matrix = inputs(torch.float64, (*rows, 4), (4,), (3, 4))
    assert torch.autograd.gradcheck(lambda *given: normed(*given[:2], 1e-5, given[2]), (x, scale, matrix))
    by_hand = (x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * scale) @ matrix.t()
    torch.testing.assert_close(normed(x, scale, 1e-5, matrix), by_hand, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rows", [(5,), (2, 3)])
def test_a_gate_and_a_product_have_the_gradient_of_the_definition(rows: tuple[int, ...]) -> None:
    both, matrix = inputs(torch.float64, (*rows, 8), (3, 4))
    assert torch.autograd.gradcheck(gated, (both, matrix))
    gate, up = both[..., :4], both[..., 4:]
    by_hand = (gate / (1 + (-gate).exp()) * up) @ matrix.t()
    torch.testing.assert_close(gated(both, matrix), by_hand, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_they_equal_their_twins_in_every_type(dtype: torch.dtype) -> None:
    x, scale, wide, both, down = inputs(dtype, (7, 16), (16,), (24, 16), (7, 48), (16, 24))
    bound = {torch.float64: 1e-13, torch.float32: 1e-5, torch.bfloat16: 0.0}[dtype]
    for fast, slow, given in (
        (lambda a, b, c: normed(a, b, 1e-6, c), lambda a, b, c: plain_normed(a, b, 1e-6, c), (x, scale, wide)),
        (gated, plain_gated, (both, down)),
    ):
        found, twin = fast(*given), slow(*given)
        torch.testing.assert_close(found, twin, rtol=bound, atol=bound)
        pull = torch.ones_like(twin)
        for one, other in zip(
            torch.autograd.grad(found, given, pull), torch.autograd.grad(twin, given, pull), strict=True
        ):
            torch.testing.assert_close(one, other, rtol=bound, atol=bound)


def test_what_lies_between_is_not_remembered() -> None:
    x, scale, wide, both, down = inputs(torch.float32, (70, 16), (16,), (24, 16), (70, 48), (16, 24))
    leaves = {one.data_ptr() for one in (x, scale, wide, both, down)}

    def remembered(compute: Tensor) -> int:
        assert compute.requires_grad
        return sum(size for place, size in kept.items() if place not in leaves)

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes() // 4
        return tensor

    counts = []
    for make in (
        lambda: normed(x, scale, 1e-6, wide),
        lambda: plain_normed(x, scale, 1e-6, wide),
        lambda: gated(both, down),
        lambda: plain_gated(both, down),
    ):
        kept: dict[int, int] = {}
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            counts.append(remembered(make()))
    assert (counts[0], counts[2]) == (70, 0)
    assert counts[1] >= 70 * 16
    assert counts[3] >= 2 * 70 * 24


@pytest.mark.parametrize(
    ("rows", "outputs"), [((1,), 5), ((16,), 3000), ((4, 3), 7), ((17,), 5), ((64,), 20_000), ((65,), 20_000)]
)
def test_few_rows_or_many_the_product_is_the_same(rows: tuple[int, ...], outputs: int) -> None:
    x, matrix = inputs(torch.float64, (*rows, 6), (outputs, 6))
    with torch.no_grad():
        found = product(x, matrix)
    assert found.is_contiguous()
    torch.testing.assert_close(found, x.detach() @ matrix.detach().t(), rtol=0, atol=1e-13)
    assert torch.autograd.grad(product(x, matrix).sum(), matrix)[0].shape == matrix.shape


def test_gradients_of_matrices_are_added_where_they_are_wanted_and_left_alone_elsewhere() -> None:
    x, scale, wide, down, head = inputs(torch.float64, (7, 16), (16,), (48, 16), (16, 24), (50, 16))
    matrices = [wide, down, head]

    def loss() -> Tensor:
        hidden = gated(normed(x, scale, 1e-6, wide), down)
        return chosen(hidden, head, torch.arange(7))[0].sum()

    once = torch.autograd.grad(loss(), matrices)
    for matrix in matrices:
        matrix.grad = torch.ones_like(matrix)
    with summing():
        torch.autograd.backward(loss(), inputs=[scale, *matrices])
        torch.autograd.backward(loss(), inputs=[scale, *matrices])
    again = torch.autograd.grad(loss(), matrices)
    for matrix, gradient, same in zip(matrices, once, again, strict=True):
        torch.testing.assert_close(matrix.grad, 1.0 + 2.0 * gradient, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(same, gradient, rtol=0, atol=0)
