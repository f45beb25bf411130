"""Targets and losses of action values: numbers by hand, gradients, masks, and what distributions must keep."""

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg import q_targets
from tests.pg.cases import MASK, SHAPE, normal, spoil

LOSSES = {
    "squared": lambda x, y, m: q_targets.squared_loss(x[..., 0], y[..., 0], m),
    "huber": lambda x, y, m: q_targets.huber_loss(x[..., 0], y[..., 0], m, kappa=0.5),
    "categorical": lambda x, y, m: q_targets.categorical_loss(x, torch.softmax(y, -1), m),
    "quantile": lambda x, y, m: q_targets.quantile_loss(x, y, m, kappa=0.5),
    "plain quantile": lambda x, y, m: q_targets.quantile_loss(x, y, m, kappa=0.0),
}


@pytest.fixture(params=LOSSES)
def loss(request):
    return LOSSES[request.param]


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def check(found, *values):
    torch.testing.assert_close(found, numbers(*values), rtol=1e-14, atol=1e-14)


def test_the_target_bootstraps_but_after_an_end_whatever_stands_there():
    found = q_targets.td_target(numbers(1.0, 2.0, 3.0), numbers(0.9, 0.0, 0.81), numbers(10.0, float("nan"), -10.0))
    check(found, 10.0, 2.0, -5.1)


def test_greedy_takes_the_lowest_of_the_best_that_is_allowed():
    q = numbers([1.0, 3.0, 3.0], [1.0, 3.0, 3.0], [-1e30, 5.0, 5.0], [1.0, 3.0, 2.0])
    allowed = torch.tensor([[1, 1, 1], [1, 0, 1], [1, 0, 0], [0, 0, 0]], dtype=torch.bool)
    assert q_targets.greedy(q).tolist() == [1, 1, 1, 1]
    assert q_targets.greedy(q, allowed).tolist() == [1, 2, 0, 1]


def test_chosen_gives_numbers_or_distributions():
    outputs = torch.arange(12.0).view(2, 1, 3, 2)
    assert q_targets.chosen(outputs, torch.tensor([[2], [0]])).tolist() == [[[4.0, 5.0]], [[6.0, 7.0]]]
    assert q_targets.chosen(outputs[..., :1], torch.tensor([[2], [0]])).tolist() == [[4.0], [6.0]]


SUPPORT = numbers(-1.0, 0.0, 1.0, 2.0)


def test_the_projection_by_hand():
    probabilities = numbers([0.1, 0.2, 0.3, 0.4])
    # z moves to 0.25 + 0.5 z = -0.25, 0.25, 0.75, 1.25
    found = q_targets.project(probabilities, SUPPORT, numbers(0.25), numbers(0.5))
    check(found, [0.025, 0.075 + 0.15 + 0.075, 0.05 + 0.225 + 0.3, 0.1])
    # an end: everything stands at the reward; and outside it is clipped
    check(q_targets.project(probabilities, SUPPORT, numbers(1.0), numbers(0.0)), [0.0, 0.0, 1.0, 0.0])
    check(q_targets.project(probabilities, SUPPORT, numbers(9.0), numbers(1.0)), [0.0, 0.0, 0.0, 1.0])
    check(q_targets.project(probabilities, SUPPORT, numbers(-9.0), numbers(1.0)), [1.0, 0.0, 0.0, 0.0])
    # nothing moves
    check(q_targets.project(probabilities, SUPPORT, numbers(0.0), numbers(1.0)), [0.1, 0.2, 0.3, 0.4])


def test_the_projection_keeps_mass_and_within_the_support_the_mean():
    probabilities = torch.softmax(normal(0, 5, 7, 51), -1)
    support = torch.linspace(-10.0, 10.0, 51, dtype=torch.float64)
    rewards, discounts = normal(1, 5, 7), torch.rand((5, 7), dtype=torch.float64) * 0.5
    found = q_targets.project(probabilities, support, rewards, discounts)
    torch.testing.assert_close(found.sum(-1), torch.ones(5, 7, dtype=torch.float64))
    torch.testing.assert_close(found @ support, rewards + discounts * (probabilities @ support))
    slow = torch.zeros_like(found)
    for j, z in enumerate(support):
        moved = (rewards + discounts * z).clamp(-10.0, 10.0)
        near = (1.0 - (moved[..., None] - support).abs() / 0.4).clamp(0.0, 1.0)
        slow += probabilities[..., j, None] * near
    torch.testing.assert_close(found, slow)


def test_smoothed_actions_by_hand():
    actions, noise = numbers([0.0, 0.9], [-0.5, -0.9]), numbers([0.1, 0.4], [-2.0, 0.05])
    found = q_targets.smoothed(actions, noise, clip=0.3, low=numbers(-0.7, -1.0), high=numbers(1.0, 1.0))
    check(found, [0.1, 1.0], [-0.7, -0.85])


def test_least_and_soft_values_by_hand():
    check(q_targets.least(numbers([1.0, 5.0], [2.0, 3.0])), 1.0, 3.0)
    check(q_targets.soft_value(numbers(2.0), numbers(-3.0), numbers(0.5)), 3.5)
    probabilities = numbers(0.25, 0.75)
    found = q_targets.expected_soft_value(numbers(1.0, 2.0), probabilities.log(), torch.tensor(0.5))
    entropy = -(probabilities * probabilities.log()).sum()
    torch.testing.assert_close(found, 1.75 + 0.5 * entropy)


def test_the_squared_and_the_huber_loss_by_hand():
    values, targets, mask = numbers([1.0, 4.0, 0.0]), numbers([0.5, 1.0, -0.5]), torch.tensor([[True, True, False]])
    check(q_targets.squared_loss(values, targets, mask), [0.125, 4.5, 0.0])
    check(q_targets.huber_loss(values, targets, mask, kappa=1.0), [0.125, 2.5, 0.0])


def test_the_categorical_loss_by_hand():
    logits, targets = numbers([[0.25, 0.75]]).log(), numbers([[0.5, 0.5]])
    found = q_targets.categorical_loss(logits, targets, torch.ones((1, 1), dtype=torch.bool))
    torch.testing.assert_close(found, -0.5 * numbers([0.25 * 0.75]).log())


def test_the_quantile_loss_by_hand():
    """θ = 0, 1 at τ̂ = 1/4, 3/4; y = 0.5, 3."""
    quantiles, targets, mask = numbers([[0.0, 1.0]]), numbers([[0.5, 3.0]]), torch.ones((1, 1), dtype=torch.bool)
    first = (0.25 * 0.125 + 0.25 * 2.5) / 2  # u = 0.5, 3
    second = (0.25 * 0.125 + 0.75 * 1.5) / 2  # u = -0.5, 2
    check(q_targets.quantile_loss(quantiles, targets, mask), [first + second])
    plain = (0.25 * 0.5 + 0.25 * 3.0) / 2 + (0.25 * 0.5 + 0.75 * 2.0) / 2
    check(q_targets.quantile_loss(quantiles, targets, mask, kappa=0.0), [plain])


def test_the_quantile_loss_is_least_at_the_quantiles():
    samples = torch.linspace(0.0, 1.0, 1001, dtype=torch.float64)[None, None]
    theta = torch.zeros((1, 1, 4), dtype=torch.float64, requires_grad=True)
    for _ in range(400):
        loss = q_targets.quantile_loss(theta, samples, torch.ones((1, 1), dtype=torch.bool), kappa=0.0).sum()
        (slope,) = torch.autograd.grad(loss, theta)
        theta = (theta - 0.05 * slope).detach().requires_grad_()
    torch.testing.assert_close(theta[0, 0].detach(), numbers(0.125, 0.375, 0.625, 0.875), atol=0.01, rtol=0.0)


def test_gradients_are_right_and_do_not_reach_targets(loss):
    inputs, targets = normal(0, *SHAPE, 3).requires_grad_(), normal(1, *SHAPE, 3).requires_grad_()
    assert gradcheck(lambda x: loss(x, targets.detach(), MASK), inputs)
    loss(inputs, targets, MASK).sum().backward()
    assert targets.grad is None


def test_what_the_mask_leaves_out_is_zero_and_has_no_gradient(loss):
    inputs, targets = spoil(normal(0, *SHAPE, 3)).requires_grad_(), spoil(normal(1, *SHAPE, 3))
    found = loss(inputs, targets, MASK)
    assert (found[~MASK] == 0.0).all()
    torch.testing.assert_close(found[MASK], loss(normal(0, *SHAPE, 3), normal(1, *SHAPE, 3), MASK)[MASK])
    found.sum().backward()
    assert (inputs.grad[~MASK] == 0.0).all()
    assert inputs.grad.isfinite().all()
