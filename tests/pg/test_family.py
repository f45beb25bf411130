"""Advantages, losses and refusals by name: numbers by hand, rewards that are missing, and what each name calls."""

import math
from typing import get_args

import pytest
import torch

from rlkit.pg import baselines, family, losses
from tests.pg.cases import MASK, logprobs, normal, spoil

REWARDS = torch.tensor([[0.0, 1.0, 3.0], [0.0, 2.0, 9.0], [5.0, 1.0, 1.0]], dtype=torch.float64)
ROWS = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 1, 1]], dtype=torch.bool)
GROUP = torch.tensor([0, 0, 0])


def found(kind, rewards=REWARDS, gamma=1.0, **more):
    return family.advantage(kind, rewards, ROWS, GROUP, gamma=gamma, **more)


def close(x, numbers):
    torch.testing.assert_close(x, torch.tensor(numbers, dtype=torch.float64))


def test_numbers_by_hand():
    """Scores 4, 2, 2."""
    close(found("return"), [[4, 4, 4], [2, 2, 0], [0, 2, 2]])
    close(found("to-go"), [[4, 4, 3], [2, 2, 0], [0, 2, 1]])
    close(found("none"), [[4 / 3] * 3, [-2 / 3, -2 / 3, 0], [0, -2 / 3, -2 / 3]])
    close(found("leave-one-out"), [[2] * 3, [-1, -1, 0], [0, -1, -1]])
    deviation = math.sqrt(8 / 9) + 1e-6
    close(found("population")[:, 1], [4 / 3 / deviation, -2 / 3 / deviation, -2 / 3 / deviation])
    deviation = math.sqrt(4 / 3) + 1e-6
    close(found("sample")[:, 1], [4 / 3 / deviation, -2 / 3 / deviation, -2 / 3 / deviation])


def test_the_discount_counts_from_the_first_counted_step():
    close(family.row_scores(REWARDS, ROWS, 0.5), [1.25, 1.0, 1.5])
    close(found("to-go", gamma=0.5), [[1.25, 1.25, 0.75], [1.0, 1.0, 0], [0, 1.5, 0.5]])


def test_whitening_is_over_all_counted_steps_of_all_groups():
    """REINFORCE++: 4 4 3 2 2 2 1 has mean 18/7."""
    x = torch.tensor([4, 4, 3, 2, 2, 2, 1], dtype=torch.float64)
    white = found("to-go", whitened=True)
    torch.testing.assert_close(white[ROWS], (x - x.mean()) / (x.std(correction=0) + 1e-8))
    assert (white[~ROWS] == 0.0).all()
    doubled = found("to-go", whitened=True, across=lambda x: x * 7.0)  # as if other ranks had more of the same
    torch.testing.assert_close(doubled, white)


@pytest.mark.parametrize("kind", get_args(family.Advantage))
@pytest.mark.parametrize("whitened", [False, True])
def test_a_row_that_nobody_could_score_teaches_nothing_and_is_in_no_baseline(kind, whitened):
    holes = torch.cat([REWARDS, torch.full((1, 3), math.nan, dtype=torch.float64)])
    rows, group = torch.cat([ROWS, ROWS[:1]]), torch.zeros(4, dtype=torch.int64)
    with_hole = family.advantage(kind, holes, rows, group, gamma=1.0, whitened=whitened)
    torch.testing.assert_close(with_hole[:3], found(kind, whitened=whitened))
    assert (with_hole[3] == 0.0).all()
    nothing = family.advantage(kind, holes * math.nan, rows, group, gamma=1.0, whitened=whitened)
    assert (nothing == 0.0).all()


@pytest.mark.parametrize("kind", get_args(family.Advantage))
def test_what_the_mask_leaves_out_is_not_read(kind):
    rewards, group = normal(0), torch.tensor([0, 0, 0, 1, 1])
    clean = family.advantage(kind, rewards, MASK, group, gamma=0.9)
    assert torch.equal(family.advantage(kind, spoil(rewards), MASK, group, gamma=0.9), clean)


def test_the_share_of_groups_that_teach_nothing():
    scores = torch.tensor([1.0, 1.0, 0.0, 1.0, 5.0, math.nan, 3.0])
    assert baselines.alike(scores, torch.tensor([7, 7, -1, -1, 4, 4, 2])).item() == 0.75  # only group -1 differs
    assert baselines.alike(torch.zeros(0), torch.zeros(0, dtype=torch.int64)).item() == 1.0


def test_every_name_is_its_loss():
    four = logprobs(0), logprobs(1), normal(2), MASK
    expected = {
        "clip": losses.clipped_surrogate(*four, low=0.1, high=0.3),
        "dual-clip": losses.dual_clip(*four, low=0.1, high=0.3, cap=1.5),
        "reinforce": losses.reinforce(four[0], four[2], MASK),
        "gspo": losses.gspo(*four, low=0.1, high=0.3),
        "cispo": losses.cispo(*four, low=0.1, high=0.3),
        "opmd": losses.opmd(*four, tau=0.7),
    }
    assert set(expected) == set(get_args(family.Loss))
    for kind, loss in expected.items():
        assert torch.equal(family.surrogate(kind, *four, low=0.1, high=0.3, cap=1.5, tau=0.7), loss)


def test_every_divergence_but_k1_may_stand_in_a_loss():
    assert set(family.DIVERGENCES) == set(get_args(family.Estimator)) - {"k1"}


def test_opmd_is_the_paper_s_term():
    """Σ_t of the loss is -A log π(o) + τ/2 (log π(o) - log π_i(o))²."""
    new, old = (torch.tensor([x], dtype=torch.float64) for x in ([-1.0, -2.0, -9.0], [-1.5, -0.5, -3.0]))
    mask, advantages = torch.tensor([[True, True, False]]), torch.full((1, 3), 2.0, dtype=torch.float64)
    loss = losses.opmd(new, old, advantages, mask, tau=0.3)
    torch.testing.assert_close(loss.sum().item(), -2.0 * -3.0 + 0.15 * (-3.0 + 2.0) ** 2)
    assert loss[0, 2] == 0.0
