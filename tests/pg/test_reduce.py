"""One denominator: a batch gives the same loss and gradient however it is cut; numbers by hand; masks."""

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg import reduce
from rlkit.pg.losses import clipped_surrogate
from tests.pg.cases import MASK, normal, spoil

HOWS = ("token", "sequence", "constant")


@pytest.mark.parametrize(
    ("how", "number"), [("token", 15 / 5), ("sequence", (4 / 2 + 11 / 3) / 2), ("constant", 15 / 20)]
)
def test_numbers_by_hand(how, number):
    """Rows 1 + 3 and 2 + 4 + 5, and one of padding alone, at most 10 steps long."""
    nan = float("nan")
    loss = torch.tensor([[1.0, 3.0, nan, nan], [2.0, nan, 4.0, 5.0], [nan, nan, nan, nan]], dtype=torch.float64)
    mask = ~loss.isnan()
    denominator = reduce.count(mask, how, length=10)
    torch.testing.assert_close(reduce.aggregate(loss, mask, how, denominator).item(), number)


def ragged(n, steps, seed):
    lengths = torch.randint(1, steps + 1, (n,), generator=torch.Generator().manual_seed(seed))
    lengths[0] = steps
    return torch.arange(steps) < lengths[:, None]


def loss_and_gradient(parts, mask, how, dtype):
    """A shared linear policy's clipped surrogate over the parts (lists of rows) of a batch of 64 rows."""
    steps = mask.shape[1]
    features, old, advantages = (
        normal(3, 64, steps, 8, dtype=dtype),
        -normal(4, 64, steps, dtype=dtype).abs(),
        normal(5, 64, steps),
    )
    weights = (0.1 * normal(6, 8, dtype=dtype)).requires_grad_()
    denominator = reduce.count(mask, how, length=steps)
    total = 0.0
    for rows in parts:
        width = int(mask[rows].sum(1).max())  # each micro-batch is padded to its own longest row
        new = old[rows, :width] + features[rows, :width] @ weights
        cut = mask[rows, :width]
        loss = clipped_surrogate(new, old[rows, :width], advantages[rows, :width].to(dtype), cut)
        scalar = reduce.aggregate(loss, cut, how, denominator)
        scalar.backward()
        total += scalar.item()
    return total, weights.grad


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 1e-6)])
def test_micro_batches_in_any_order_give_the_whole_batch(how, dtype, bound):
    mask = ragged(64, 23, seed=7)
    loss, gradient = loss_and_gradient([torch.arange(64)], mask, how, dtype)
    shuffled = torch.randperm(64, generator=torch.Generator().manual_seed(8))
    for parts in (
        torch.arange(64).split(16),
        shuffled.split(16),
        shuffled.split(1),
        shuffled.split([3, 40, 20, 1]),
        [shuffled],
    ):
        other, other_gradient = loss_and_gradient(parts, mask, how, dtype)
        assert abs(other - loss) <= bound * abs(loss)
        assert (other_gradient - gradient).norm() <= bound * gradient.norm()


def test_a_denominator_of_each_micro_batch_would_be_wrong():
    """The bug that this design excludes: a mean of means weighs the tokens of short micro-batches more."""
    mask = ragged(64, 23, seed=7)
    loss = normal(9, 64, 23)
    whole = reduce.aggregate(loss, mask, "token", reduce.count(mask, "token"))
    means = [reduce.masked_mean(loss[r], mask[r]) for r in mask.sum(1).argsort().split(16)]
    assert abs(torch.stack(means).mean() - whole) > 0.01 * abs(whole)


@pytest.mark.parametrize("how", HOWS)
def test_nothing_counted_gives_zero_and_padding_rows_nothing(how):
    none = torch.zeros((2, 3), dtype=torch.bool)
    leaf = torch.full((2, 3), float("nan")).requires_grad_()
    scalar = reduce.aggregate(leaf, none, how, reduce.count(none, how, length=3))
    scalar.backward()
    assert scalar.item() == 0.0
    assert (leaf.grad == 0.0).all()
    more = torch.cat([MASK, torch.zeros_like(MASK)])
    assert reduce.count(more, how, length=7) == reduce.count(MASK, how, length=7)


@pytest.mark.parametrize("how", HOWS)
def test_masks_and_gradients(how):
    denominator = reduce.count(MASK, how, length=7)
    assert gradcheck(lambda x: reduce.aggregate(x, MASK, how, denominator), [normal(0).requires_grad_()])
    leaf = spoil(normal(0)).requires_grad_()
    scalar = reduce.aggregate(leaf, MASK, how, denominator)
    torch.testing.assert_close(scalar, reduce.aggregate(normal(0), MASK, how, denominator))
    scalar.backward()
    assert (leaf.grad[~MASK] == 0.0).all()
    assert (leaf.grad[MASK] > 0.0).all()


def test_masked_sums_and_means():
    x = spoil(torch.arange(35.0).view(5, 7))
    assert reduce.masked_sum(x, MASK, dim=(1,)).tolist() == [21.0, 24.0, 51.0, 94.0, 0.0]
    assert reduce.masked_mean(x, MASK, dim=(1,)).tolist() == [3.0, 8.0, 17.0, 23.5, 0.0]
    assert reduce.masked_sum(x, MASK).item() == 190.0
    torch.testing.assert_close(reduce.masked_mean(x, MASK).item(), 190.0 / 17.0)


def test_sums_of_half_precision_do_not_overflow():
    x = torch.full((4, 64), 6e4, dtype=torch.float16)
    assert reduce.masked_sum(x, x > 0.0).item() == x[0, 0].item() * 256
    many = torch.ones((1, 5000), dtype=torch.bfloat16)
    assert reduce.masked_mean(many, many > 0.0).item() == 1.0


def test_whitening():
    white = reduce.whiten(spoil(3.0 + 5.0 * normal(0)), MASK)
    assert (white[~MASK] == 0.0).all()
    torch.testing.assert_close(white[MASK].mean().item(), 0.0, rtol=0.0, atol=1e-12)
    torch.testing.assert_close(white[MASK].std(correction=0).item(), 1.0)
    assert gradcheck(lambda x: reduce.whiten(x, MASK), [normal(0).requires_grad_()])
    for number in (0.1, 1e6 / 3, 0.0):  # equal up to rounding: nothing varies
        assert (reduce.whiten(torch.full((100, 70), number), torch.ones((100, 70), dtype=torch.bool)) == 0.0).all()
    assert (reduce.whiten(normal(0), MASK & ~MASK) == 0.0).all()


def test_whitening_across_two_halves_is_whitening_of_the_whole():
    """`across` averages over ranks; here two ranks' sums are put together by hand, in the order in which they are asked for."""
    x, halves = normal(0), (slice(0, 2), slice(2, 5))
    number = [MASK[h].sum() for h in halves]
    total = [x[h][MASK[h]].sum() for h in halves]
    mean = sum(total) / sum(number)
    squares = [(x[h][MASK[h]] - mean).square().sum() for h in halves]
    for half in halves:
        answers = iter([sum(number) / 2, sum(total) / 2, sum(squares) / 2])
        found = reduce.whiten(x[half], MASK[half], across=lambda _, answers=answers: next(answers))
        torch.testing.assert_close(found, reduce.whiten(x, MASK)[half])


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="how is 'mean'; choose one of 'token', 'sequence', 'constant'"):
        reduce.count(MASK, "mean")
    with pytest.raises(ValueError, match="how is 'mean'"):
        reduce.aggregate(normal(0), MASK, "mean", torch.ones(()))
    with pytest.raises(ValueError, match="length is 0"):
        reduce.count(MASK, "constant")
