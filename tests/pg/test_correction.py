"""Weights for a sampler that differs from the trainer: numbers by hand, exactness by enumeration, masks, no gradient."""

import pytest
import torch

from rlkit.pg import correction, measures
from rlkit.pg.losses import clipped_surrogate
from tests.pg.cases import MASK, logprobs, normal, spoil

OLD = torch.tensor([[4.0, 0.5, 3.0, 1.0], [0.25, 1.0, 9.0, 9.0]], dtype=torch.float64).log()
SAMPLER = torch.zeros_like(OLD)
SHORT = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]], dtype=torch.bool)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", [[1, 1, 1, 1], [1, 1, 0, 0]]),
        ("token-tis", [[2, 0.5, 2, 1], [0.25, 1, 0, 0]]),
        ("token-mis", [[0, 0.5, 0, 1], [0, 1, 0, 0]]),
        ("sequence-tis", [[2, 2, 2, 2], [0.25, 0.25, 0, 0]]),  # 6 and 1/4
        ("sequence-mis", [[0, 0, 0, 0], [0, 0, 0, 0]]),
    ],
)
def test_numbers_by_hand(kind, expected):
    found = correction.correct(kind, OLD, SAMPLER, SHORT, 0.4, 2.0)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_the_weight_of_a_row_is_the_product_of_its_steps():
    found = correction.importance(OLD, SAMPLER, SHORT, sequence=True)
    torch.testing.assert_close(found[:, 0], torch.tensor([6.0, 0.25], dtype=torch.float64))


@pytest.mark.parametrize("kind", ["token-tis", "sequence-tis", "token-mis", "sequence-mis"])
def test_on_policy_all_are_one_masks_hold_and_no_gradient_passes(kind):
    one = correction.correct(kind, logprobs(0), logprobs(0), MASK, 0.5, 2.0)
    assert torch.equal(one, MASK.double())
    leaf = logprobs(0).requires_grad_()
    found = correction.correct(kind, leaf, logprobs(1), MASK, 0.5, 2.0)
    assert not found.requires_grad
    assert torch.equal(found, correction.correct(kind, spoil(logprobs(0)), spoil(logprobs(1)), MASK, 0.5, 2.0))


def test_to_multiply_the_advantage_is_to_multiply_the_loss():
    new, old, advantages, weight = logprobs(0), logprobs(1), normal(2), normal(3).abs()
    inside = clipped_surrogate(new, old, advantages * weight, MASK)
    torch.testing.assert_close(inside, weight * clipped_surrogate(new, old, advantages, MASK))


def test_without_a_bound_the_weight_of_the_row_is_exact():
    """Over all 3 x 3 rows of two steps drawn from another policy: E_mu[w f] = E_pi[f]; by token it is not."""
    pi, mu, f = torch.softmax(normal(0, 3, 3), -1), torch.softmax(normal(1, 3, 3), -1), normal(2, 9)
    first, second = torch.arange(9) // 3, torch.arange(9) % 3
    logs = [torch.stack([p[0, first], p[first, second]], 1).log() for p in (pi, mu)]
    whole = torch.ones((9, 2), dtype=torch.bool)
    truth = (logs[0].sum(1).exp() * f).sum()
    chances = logs[1].sum(1).exp()
    by_row = correction.importance(*logs, whole, sequence=True)[:, 0]
    torch.testing.assert_close((chances * by_row * f).sum(), truth)
    by_token = correction.importance(*logs, whole, sequence=False)[:, 1]
    assert abs((chances * by_token * f).sum() - truth) > 1e-3


def test_what_is_measured_of_a_mismatch():
    found = measures.mismatch("token-tis", OLD, SAMPLER, SHORT, 0.0, 2.0)
    torch.testing.assert_close(found["weight_raw"].item(), (4 + 0.5 + 3 + 1 + 0.25 + 1) / 6)
    torch.testing.assert_close(found["weight"].item(), (2 + 0.5 + 2 + 1 + 0.25 + 1) / 6)
    ratios = OLD[SHORT].exp()
    torch.testing.assert_close(found["kl_sampler"], (ratios - 1 - ratios.log()).mean())
    assert set(measures.mismatch("none", OLD, SAMPLER, SHORT, 0.0, 2.0)) == {"kl_sampler"}
    still = measures.movement(OLD, OLD, torch.zeros(SHORT.shape), SHORT, 0.2, 0.2)
    assert [still["kl"].item(), still["clipped"].item()] == [0.0, 0.0]
    moved = measures.movement(OLD, SAMPLER, torch.zeros(SHORT.shape), SHORT, 0.2, 2.5)
    torch.testing.assert_close(moved["clipped"].item(), 3 / 6)  # 4, 1/2 and 1/4; 3 is within 1 + 2.5
