"""Advantages across samples: numbers by hand, equal scores, odd groups, unbiasedness and least variance by enumeration."""

import itertools

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg import baselines
from tests.pg.cases import MASK, normal

SCALES = ("population", "sample", "none")
SCORES = torch.tensor([1.0, 7.0, 3.0, 5.0, 5.0, 4.0, 2.0, 5.0], dtype=torch.float64)
GROUP = torch.tensor([90, -3, 90, 4, 4, 90, 90, 4])  # 1 3 4 2, then 7 alone, then 5 5 5


def close(found, *numbers):
    torch.testing.assert_close(found, torch.tensor(numbers, dtype=torch.float64), rtol=1e-14, atol=1e-14)


def test_numbers_by_hand():
    centred = (-1.5, 0, 0.5, 0, 0, 1.5, -0.5, 0)
    close(baselines.group_advantages(SCORES, GROUP, scale="none"), *centred)
    population, sample = 1.25**0.5, (5 / 3) ** 0.5
    close(baselines.group_advantages(SCORES, GROUP, scale="population"), *(a / population for a in centred))
    close(baselines.group_advantages(SCORES, GROUP, scale="sample"), *(a / sample for a in centred))
    found = baselines.group_advantages(SCORES, GROUP, scale="sample", epsilon=1e-4)
    close(found, *(a / (sample + 1e-4) for a in centred))
    close(baselines.leave_one_out(SCORES, GROUP), -2.0, 0, 2 / 3, 0, 0, 2.0, -2 / 3, 0)


def advantages():
    functions = [lambda s, g, scale=scale: baselines.group_advantages(s, g, scale=scale) for scale in SCALES]
    return [*functions, baselines.leave_one_out]


@pytest.mark.parametrize("function", advantages(), ids=[*SCALES, "leave_one_out"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_equal_scores_give_exactly_zero(function, dtype):
    """A mean of equal numbers need not be that number: 0.1 * 3 / 3 is not 0.1 in binary."""
    for number in (0.1, 0.7, 1 / 3, 0.0, -1e3, torch.finfo(dtype).max):
        for size in (1, 2, 3, 7, 1000):
            scores, group = torch.full((size,), number, dtype=dtype), torch.zeros(size, dtype=torch.int64)
            assert (function(scores, group) == 0.0).all()
    almost = torch.tensor([0.1 + 0.2, 0.3, 0.3], dtype=torch.float64).to(dtype)  # the same sum, added up otherwise
    assert (function(almost, torch.zeros(3, dtype=torch.int64)) == 0.0).all()


@pytest.mark.parametrize("function", advantages(), ids=[*SCALES, "leave_one_out"])
def test_rows_may_stand_anywhere_and_groups_have_any_number(function):
    scores, group = normal(0, 60), torch.randint(-3, 9, (60,), generator=torch.Generator().manual_seed(1))
    expected = function(scores, group)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(function(scores[order], group[order]), expected[order])
    torch.testing.assert_close(function(scores, group * 1_000_003 - 5), expected)
    for number in group.unique():
        rows = group == number
        torch.testing.assert_close(function(scores[rows], group[rows]), expected[rows])
        torch.testing.assert_close(expected[rows].sum().item(), 0.0, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("function", advantages(), ids=[*SCALES, "leave_one_out"])
def test_gradcheck(function):
    group = torch.tensor([0, 1, 0, 1, 0, 2])
    assert gradcheck(lambda s: function(s, group), [normal(0, 6).requires_grad_()])


def test_whole_scores_and_truth_values_are_read_as_numbers():
    group = torch.zeros(2, dtype=torch.int64)
    assert baselines.group_advantages(torch.tensor([0, 1]), group, scale="population").tolist() == [-1.0, 1.0]
    assert baselines.leave_one_out(torch.tensor([True, False]), group).tolist() == [1.0, -1.0]


def test_what_each_does_to_the_expected_gradient():
    """Over all groups of 3 samples of a bandit: leave-one-out is exact, the plain mean shrinks it by (G - 1) / G."""
    logits, reward, size = normal(3, 3).requires_grad_(), torch.tensor([1.0, 0.2, -0.5], dtype=torch.float64), 3
    (truth,) = torch.autograd.grad((torch.softmax(logits, 0) * reward).sum(), logits, retain_graph=True)
    logs = torch.log_softmax(logits, 0)
    scores = torch.eye(3, dtype=torch.float64) - logs.exp().detach()  # ∇ log π(a), one row an action
    group = torch.zeros(size, dtype=torch.int64)

    def mean_gradient(function):
        total = torch.zeros(3, dtype=torch.float64)
        for actions in itertools.product(range(3), repeat=size):
            chosen = torch.tensor(actions)
            weight = logs[chosen].sum().exp().detach()
            total += weight * (function(reward[chosen], group)[:, None] * scores[chosen]).mean(0)
        return total

    torch.testing.assert_close(mean_gradient(baselines.leave_one_out), truth)
    plain = mean_gradient(lambda s, g: baselines.group_advantages(s, g, scale="none"))
    torch.testing.assert_close(plain, truth * (size - 1) / size)
    scaled = mean_gradient(lambda s, g: baselines.group_advantages(s, g, scale="population"))
    assert torch.cosine_similarity(scaled, truth, 0) < 0.9999  # the deviation turns it


def test_the_optimal_baseline_by_hand_and_its_least_variance():
    probs, q = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64), torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    norms = baselines.softmax_squared_norms(probs)  # 1 - 2π + 3/8
    torch.testing.assert_close(norms, torch.tensor([0.375, 0.875, 0.875], dtype=torch.float64))
    best = baselines.optimal_baseline(probs, norms, q)
    torch.testing.assert_close(best.item(), (0.1875 + 0.4375 + 0.875) / 0.625)
    scores = torch.eye(3, dtype=torch.float64) - probs
    torch.testing.assert_close(scores.square().sum(1), norms)

    def variance(baseline):
        sample = scores * (q - baseline)[:, None]
        mean = (probs[:, None] * sample).sum(0)
        return (probs[:, None] * (sample - mean).square()).sum()

    leaf = best.clone().requires_grad_()
    (slope,) = torch.autograd.grad(variance(leaf), leaf)
    torch.testing.assert_close(slope.item(), 0.0, rtol=0.0, atol=1e-14)
    assert variance(best) < variance((probs * q).sum()) < variance(torch.zeros(()))


def test_the_optimal_baseline_of_many_states_and_of_a_deterministic_policy():
    probs, q = torch.softmax(normal(0, 4, 6, 3), -1), normal(1, 4, 6, 3)
    norms = baselines.softmax_squared_norms(probs)
    found = baselines.optimal_baseline(probs, norms, q)
    torch.testing.assert_close(found, (probs * norms * q).sum(-1) / (probs * norms).sum(-1))
    assert gradcheck(baselines.optimal_baseline, [x.detach().requires_grad_() for x in (probs, norms, q)])
    sure = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    assert baselines.optimal_baseline(sure, baselines.softmax_squared_norms(sure), q[0, 0]) == q[0, 0, 1]


def test_an_advantage_of_a_row_stands_at_its_counted_steps():
    found = baselines.per_step(torch.tensor([1.0, 2.0, 3.0, 4.0, float("nan")]), MASK)
    assert torch.equal(found, MASK.float() * torch.tensor([1.0, 2.0, 3.0, 4.0, 0.0])[:, None])


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="scale is 'std'; choose one of 'population', 'sample', 'none'"):
        baselines.group_advantages(SCORES, GROUP, scale="std")
    with pytest.raises(ValueError, match=r"scores have shape \[8, 1\] and group \[8\]"):
        baselines.leave_one_out(SCORES[:, None], GROUP)
