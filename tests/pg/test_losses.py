"""Losses: numbers by hand, gradients against autograd's and the mathematics, masks, padding, extremes."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg import losses
from rlkit.pg.reduce import aggregate, count
from tests.pg.cases import MASK, SHAPE, logprobs, normal, spoil

SURROGATES = {
    "importance_weighted": losses.importance_weighted,
    "clipped_surrogate": lambda *a: losses.clipped_surrogate(*a, low=0.2, high=0.3),
    "dual_clip": lambda *a: losses.dual_clip(*a, low=0.2, high=0.3, cap=1.5),
    "cispo": lambda *a: losses.cispo(*a, high=0.5),
    "gspo": lambda *a: losses.gspo(*a, low=0.2, high=0.3),
    "opmd": lambda *a: losses.opmd(*a, tau=0.3),
}
# each as f(x, x_old, constant, mask), differentiable in x alone
LOSSES = SURROGATES | {
    "reinforce": lambda x, _, a, m: losses.reinforce(x, a, m),
    "sequence_ratio": lambda x, y, _, m: losses.sequence_ratio(x, y, m),
    "value_loss": lambda x, _, a, m: losses.value_loss(x, a, m),
    "clipped_value_loss": lambda *a: losses.clipped_value_loss(*a, clip=0.3),
    "entropy": lambda x, y, a, m: losses.entropy(torch.stack([x, y, a], -1), m),
}


@pytest.fixture(params=LOSSES)
def loss(request):
    return LOSSES[request.param]


def inputs():
    return logprobs(0), logprobs(1), normal(2)


def one(*numbers):
    return torch.tensor([numbers], dtype=torch.float64)


def check(found, *numbers):
    torch.testing.assert_close(found, one(*numbers), rtol=1e-14, atol=1e-14)


RATIOS = one(0.5, 0.5, 1.0, 1.0, 1.5, 1.5, 4.0, 4.0)
SIGNS = one(2.0, -2.0, 2.0, -2.0, 2.0, -2.0, 2.0, -2.0)
ALL = torch.ones((1, 8), dtype=torch.bool)
OLD = torch.full((1, 8), 0.1, dtype=torch.float64).log()
NEW = OLD + RATIOS.log()


def gradient(function, *rest):
    leaf = NEW.clone().requires_grad_()
    function(leaf, OLD, SIGNS, ALL, *rest).sum().backward()
    return leaf.grad


def test_importance_weighted_by_hand():
    check(losses.importance_weighted(NEW, OLD, SIGNS, ALL), -1, 1, -2, 2, -3, 3, -8, 8)
    check(gradient(losses.importance_weighted), -1, 1, -2, 2, -3, 3, -8, 8)


def test_reinforce_by_hand():
    log = math.log
    check(losses.reinforce(one(log(0.5), log(0.25)), one(2.0, -1.0), ALL[:, :2]), 2 * log(2), -log(4))


def test_the_shared_vector_of_the_clipped_surrogate():
    """PPO, GRPO and DAPO call this function; with r = .5, 1, 1.5, 4 and A = ±2, low .2 and high .28."""
    expected = (-1, 1.6, -2, 2, -2.56, 3, -2.56, 8)
    check(losses.clipped_surrogate(NEW, OLD, SIGNS, ALL, low=0.2, high=0.28), *expected)
    # clipped where the ratio has already gone the way that the advantage wants; elsewhere -r A
    check(gradient(lambda *a: losses.clipped_surrogate(*a, low=0.2, high=0.28)), -1, 0, -2, 2, 0, 3, 0, 8)


def test_dual_clip_by_hand():
    check(losses.dual_clip(NEW, OLD, SIGNS, ALL, cap=3.0), -1, 1.6, -2, 2, -2.4, 3, -2.4, 6)
    check(gradient(losses.dual_clip), -1, 0, -2, 2, 0, 3, 0, 0)


def test_cispo_keeps_every_gradient_and_bounds_its_weight():
    check(gradient(lambda *a: losses.cispo(*a, high=1.0)), -1, 1, -2, 2, -3, 3, -4, 4)
    check(gradient(lambda *a: losses.cispo(*a, low=0.2, high=0.28)), -1.6, 1.6, -2, 2, -2.56, 2.56, -2.56, 2.56)
    found = losses.cispo(OLD, OLD, SIGNS, ALL, high=0.28)  # on policy the weight is 1, not epsilon
    torch.testing.assert_close(found, losses.reinforce(OLD, SIGNS, ALL))


def test_on_policy_every_surrogate_has_the_gradient_of_reinforce():
    new, _, advantages = inputs()
    grads = {}
    for name, surrogate in SURROGATES.items():
        leaf = new.clone().requires_grad_()
        advantage = advantages[:, :1].expand(SHAPE)
        aggregate(surrogate(leaf, new, advantage, MASK), MASK, "sequence", count(MASK, "sequence")).backward()
        grads[name] = leaf.grad
    leaf = new.clone().requires_grad_()
    reinforce = losses.reinforce(leaf, advantage, MASK)
    aggregate(reinforce, MASK, "sequence", count(MASK, "sequence")).backward()
    for found in grads.values():
        torch.testing.assert_close(found, leaf.grad, rtol=1e-12, atol=1e-15)


def test_gspo_is_the_closed_form():
    """s = (Π r)^{1/|o|}; -1/G Σ min(s A, clip(s) A), eq. 5; its gradient within the clip is -s A / (G |o|) at each token, eq. 10."""
    ratios = torch.tensor([[2.0, 0.5, 8.0, 9.0], [1.0, 4.0, 9.0, 9.0]], dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]], dtype=torch.bool)
    advantages = torch.tensor([[1.0], [-1.0]], dtype=torch.float64).expand(2, 4)
    old = torch.full((2, 4), -3.0, dtype=torch.float64)
    leaf = (old + ratios.log()).requires_grad_()
    found = losses.gspo(leaf, old, advantages, mask, low=0.5, high=3.0)
    s = torch.tensor([2.0, 2.0], dtype=torch.float64)  # 8^{1/3} and 4^{1/2}
    torch.testing.assert_close(losses.sequence_ratio(leaf, old, mask), torch.where(mask, s[:, None], 0))
    scalar = aggregate(found, mask, "sequence", count(mask, "sequence"))
    torch.testing.assert_close(scalar, (-2.0 + 2.0) * scalar.new_ones(()) / 2)
    scalar.backward()
    expected = torch.tensor([[-2 / 6, -2 / 6, -2 / 6, 0], [2 / 4, 2 / 4, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(leaf.grad, expected)
    tight = losses.gspo(leaf, old, advantages, mask)
    torch.testing.assert_close(tight[0, 0], -s.new_tensor(1.0004))
    torch.testing.assert_close(tight[1, 0], s[0])


def test_value_losses_by_hand():
    values, old, targets = one(1.0, 2.0, 5.0), one(1.0, 0.0, 6.0), one(3.0, 3.0, 5.5)
    mask = ALL[:, :3]
    check(losses.value_loss(values, targets, mask), 2.0, 0.5, 0.125)
    # clipped to 1, 0.5, 5.5: errors 2, 2.5, 0
    check(losses.clipped_value_loss(values, old, targets, mask, clip=0.5), 2.0, 3.125, 0.125)


def test_entropy_by_hand():
    log = math.log
    logits = one(0.0).new_tensor(
        [[[0.0] * 4, [0.0, 0.0, -math.inf, -math.inf], [0.0, -math.inf, -math.inf, -math.inf]]]
    )
    logits[0, 1, 0] = log(2)
    leaf = logits.clone().requires_grad_()
    found = losses.entropy(leaf, ALL[:, :3])
    check(found, log(4), log(3) - 2 / 3 * log(2), 0.0)
    found.sum().backward()
    assert leaf.grad.isfinite().all()
    assert (leaf.grad[logits.isinf()] == 0.0).all()


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"cispo"}))  # whose weight is constant: see the test by hand
def test_gradcheck(name):
    new, old, constant = inputs()
    assert gradcheck(lambda x: LOSSES[name](x, old, constant, MASK), [new.requires_grad_()])


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"entropy"}))  # all of whose inputs are logits
def test_no_gradient_reaches_what_is_constant(name):
    new, old, constant = (x.requires_grad_() for x in inputs())
    LOSSES[name](new, old, constant, MASK).sum().backward()
    assert new.grad is not None
    assert old.grad is None
    assert constant.grad is None


def test_masked_positions_are_exactly_zero_and_have_no_gradient(loss):
    clean = [x.requires_grad_() for x in inputs()]
    dirty = [spoil(x).requires_grad_() for x in inputs()]
    found, expected = loss(*dirty, MASK), loss(*clean, MASK)
    assert torch.equal(found, expected)
    assert found.shape == SHAPE
    assert (found[~MASK] == 0.0).all()
    found.sum().backward()
    expected.sum().backward()
    assert torch.equal(dirty[0].grad, clean[0].grad)
    assert (dirty[0].grad[~MASK] == 0.0).all()


def test_padding_and_row_order_change_nothing(loss):
    expected = loss(*inputs(), MASK)
    longer = [torch.nn.functional.pad(x, (3, 5)) for x in (*inputs(), MASK)]
    torch.testing.assert_close(loss(*longer)[:, 3 : 3 + SHAPE[1]], expected, rtol=1e-15, atol=1e-15)
    rows = torch.tensor([3, 1, 4, 0, 2])
    assert torch.equal(loss(*[x[rows] for x in (*inputs(), MASK)]), expected[rows])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_extremes_are_no_nan(loss, dtype):
    large = torch.finfo(dtype).max
    ladder = torch.tensor([-math.inf, -large, -1e4, -90.0, -1.0, -1e-4, 0.0], dtype=torch.float32).to(dtype)
    new, old = (x.reshape(-1, 7) for x in torch.meshgrid(ladder, ladder, indexing="ij"))
    mask = torch.ones(new.shape, dtype=torch.bool)
    for size in (0.0, 1.0, -1.0, large, -large):
        leaf = new.clone().requires_grad_()
        found = loss(leaf, old, torch.full_like(new, size), mask)
        assert found.dtype == torch.float32
        assert found.isfinite().all()
        found.sum().backward()
        assert not leaf.grad.isnan().any()


def test_a_ratio_far_outside_is_held_and_has_no_gradient():
    new, old, minus = (torch.tensor([[x]], dtype=torch.float32) for x in (0.0, -1e4, -1.0))
    leaf = new.requires_grad_()
    found = losses.clipped_surrogate(leaf, old, minus, torch.ones((1, 1), dtype=torch.bool))
    assert 9e18 < found.item() < 1e19
    found.sum().backward()
    assert leaf.grad.item() == 0.0


def test_a_counted_nan_is_not_hidden():
    new, old, advantages = inputs()
    new[0, 0] = math.nan
    assert losses.clipped_surrogate(new, old, advantages, MASK)[0, 0].isnan()


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"shape \[5, 1\] and its mask \[5, 7\]"):
        losses.clipped_surrogate(*inputs()[:2], normal(2, 5, 1), MASK)
