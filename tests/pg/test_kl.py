"""KL estimators by enumeration: expected values and expected gradients over all actions of a categorical policy."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg import kl, losses
from tests.pg.cases import MASK, SHAPE, logprobs, normal, spoil

LOGITS, REF = normal(0, 5), normal(1, 5)
ALL = torch.ones((1, 5), dtype=torch.bool)
ESTIMATORS = (kl.k1, kl.k2, kl.k3)


def exact(p, q):
    """KL of two distributions given by logits [A], and its gradient with respect to the leaf among them."""
    p, q = torch.log_softmax(p, 0), torch.log_softmax(q, 0)
    return (p.exp() * (p - q)).sum()


def expected(estimator):
    """Σ_a π(a) k(a) and Σ_a π(a) ∇ k(a), the action's probability held constant as sampling does."""
    leaf = LOGITS.clone().requires_grad_()
    logs, ref = torch.log_softmax(leaf, 0)[None], torch.log_softmax(REF, 0)[None]
    mean = (logs.detach().exp() * estimator(logs, ref, ALL)).sum()
    return mean.detach(), torch.autograd.grad(mean, leaf)[0]


def gradient(value, leaf):
    return torch.autograd.grad(value, leaf)[0]


def test_values():
    truth = exact(LOGITS, REF)
    torch.testing.assert_close(expected(kl.k1)[0], truth)
    torch.testing.assert_close(expected(kl.k3)[0], truth)
    assert abs(expected(kl.k2)[0] - truth) > 0.01 * truth  # biased, and more so the farther they are


def test_gradients():
    leaf = LOGITS.clone().requires_grad_()
    forward = gradient(exact(leaf, REF), leaf)
    backward = gradient(exact(REF, leaf), leaf)
    torch.testing.assert_close(expected(kl.k1)[1], torch.zeros_like(LOGITS), rtol=0.0, atol=1e-15)
    torch.testing.assert_close(expected(kl.k2)[1], forward)
    torch.testing.assert_close(expected(kl.k3)[1], backward)
    assert torch.cosine_similarity(forward, backward, 0) < 0.999


def test_the_ratio_times_k3_has_the_right_value_and_the_right_gradient():
    leaf = LOGITS.clone().requires_grad_()

    def weighted(logs, ref, mask):
        ratio = -losses.importance_weighted(logs, logs.detach(), torch.ones_like(logs), mask)
        return ratio * kl.k3(logs, ref, mask)

    value, grad = expected(weighted)
    torch.testing.assert_close(value, exact(LOGITS, REF))
    torch.testing.assert_close(grad, gradient(exact(leaf, REF), leaf))


def test_k1_as_a_reward_has_the_right_gradient():
    leaf = LOGITS.clone().requires_grad_()

    def penalty(logs, ref, mask):
        return -losses.reinforce(logs, kl.k1(logs, ref, mask), mask)

    torch.testing.assert_close(expected(penalty)[1], gradient(exact(leaf, REF), leaf))


def test_numbers_by_hand():
    new, ref = (torch.tensor([[x, x]], dtype=torch.float64).log() for x in (0.5, 0.25))
    mask = ALL[:, :2]
    for estimator, number in zip(ESTIMATORS, (math.log(2), math.log(2) ** 2 / 2, 0.5 - 1 + math.log(2)), strict=True):
        torch.testing.assert_close(estimator(new, ref, mask)[0, 0].item(), number)
        assert (estimator(new, new, mask) == 0.0).all()
    half, quarter = torch.tensor([[[1.0, 1.0]]]).double().log(), torch.tensor([[[1.0, 3.0]]]).double().log()
    # 1/2 log(2) + 1/2 log(2/3)
    torch.testing.assert_close(kl.categorical(half, quarter, ALL[:, :1]).item(), math.log(4 / 3) / 2)


def test_k3_is_exact_where_the_policies_almost_agree():
    """e^d - 1 - d loses all digits in float32 if e^d is rounded first."""
    new, ref = (torch.tensor([[x]], dtype=torch.float32) for x in (-1.0, -0.9997))
    d = (ref.double() - new.double()).item()
    torch.testing.assert_close(kl.k3(new, ref, ALL[:, :1]).item(), d**2 / 2 + d**3 / 6, rtol=1e-3, atol=0.0)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_masks_gradients_and_extremes(estimator):
    ref = logprobs(1)
    assert gradcheck(lambda x: estimator(x, ref, MASK), [logprobs(0).requires_grad_()])
    dirty = spoil(logprobs(0)).requires_grad_()
    found = estimator(dirty, spoil(ref), MASK)
    assert torch.equal(found, estimator(logprobs(0), ref, MASK))
    assert (found[~MASK] == 0.0).all()
    found.sum().backward()
    assert (dirty.grad[~MASK] == 0.0).all()
    for dtype in (torch.float16, torch.bfloat16):
        low = torch.full(SHAPE, torch.finfo(dtype).min, dtype=dtype)
        for new, other in ((low, low * 0), (low * 0, low), (low, low)):
            leaf = new.clone().requires_grad_()
            extreme = estimator(leaf, other, MASK)
            assert extreme.isfinite().all()
            extreme.sum().backward()
            assert not leaf.grad.isnan().any()


def test_exact_kl_masks_gradients_and_extremes():
    logits, ref = normal(0, *SHAPE, 4), normal(1, *SHAPE, 4)
    assert gradcheck(lambda x: kl.categorical(x, ref, MASK), [logits.clone().requires_grad_()])
    dirty = spoil(logits).requires_grad_()
    found = kl.categorical(dirty, spoil(ref), MASK)
    assert torch.equal(found, kl.categorical(logits, ref, MASK))
    assert (found[~MASK] == 0.0).all()
    assert (found >= 0.0).all()
    found.sum().backward()
    assert (dirty.grad[~MASK] == 0.0).all()
    forbidden = torch.tensor([[[0.0, 1.0, -math.inf]]])
    leaf = forbidden.clone().requires_grad_()
    both = kl.categorical(leaf, forbidden, ALL[:, :1])
    both.sum().backward()
    assert both.item() == 0.0
    assert leaf.grad.isfinite().all()
    only = kl.categorical(torch.zeros((1, 1, 3)), forbidden, ALL[:, :1])
    assert only.isfinite()
    assert only > 1e18


def test_k2_of_a_row_by_hand_and_its_gradient():
    """d = 1, 2, masked, -1: the sum is 2, k2 of the row 2, and every step's slope the sum."""
    leaf = torch.tensor([[1.0, 2.0, 5.0, -1.0]], dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, True, False, True]])
    found = kl.k2_sequence(leaf, torch.zeros_like(leaf), mask)
    torch.testing.assert_close(found.detach(), torch.tensor([[1.0, 2.0, 0.0, -1.0]], dtype=torch.float64))
    found.sum().backward()
    torch.testing.assert_close(leaf.grad, torch.tensor([[2.0, 2.0, 0.0, 2.0]], dtype=torch.float64))
    other = logprobs(1)
    assert gradcheck(lambda x: kl.k2_sequence(x, other, MASK), [logprobs(0).requires_grad_()])
    torch.testing.assert_close(
        kl.k2_sequence(spoil(logprobs(0)), spoil(other), MASK), kl.k2_sequence(logprobs(0), other, MASK)
    )


def test_the_ratio_times_k3_is_k3_with_the_gradient_of_k2_at_every_step():
    grads = []
    for estimator in (kl.ratio_k3, kl.k2):
        leaf = logprobs(0).requires_grad_()
        found = estimator(leaf, logprobs(1), MASK)
        found.sum().backward()
        grads.append(leaf.grad)
    torch.testing.assert_close(kl.ratio_k3(leaf, logprobs(1), MASK), kl.k3(leaf, logprobs(1), MASK))
    torch.testing.assert_close(grads[0], grads[1])
