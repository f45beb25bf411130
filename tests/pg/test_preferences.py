"""Preference losses: numbers by hand, gradients, what the papers say of each, bad input."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg import preferences as p
from tests.pg.cases import MASK, logprobs, normal, spoil

BETA = 0.3


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def close(found, *values):
    torch.testing.assert_close(found, numbers(*values), rtol=1e-13, atol=1e-13)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def pair(seed=0):
    return normal(seed, 6), normal(seed + 1, 6)


def test_bradley_terry_by_hand():
    chosen, rejected = numbers(2.0, -1.0), numbers(1.0, 1.0)
    close(p.bradley_terry(chosen, rejected), -math.log(sigmoid(1)), -math.log(sigmoid(-2)))
    close(p.bradley_terry(chosen, rejected, margin=0.5), -math.log(sigmoid(0.5)), -math.log(sigmoid(-2.5)))
    close(p.bradley_terry(chosen, rejected, margin=numbers(0.0, 1.0)), -math.log(sigmoid(1)), -math.log(sigmoid(-3)))
    close(p.bradley_terry(chosen, rejected, centre=0.01), -math.log(sigmoid(1)) + 0.09, -math.log(sigmoid(-2)))
    torch.testing.assert_close(p.bradley_terry(chosen + 7.0, rejected + 7.0), p.bradley_terry(chosen, rejected))


def test_at_the_reference_dpo_is_log_2_and_its_margin_0():
    chosen, rejected = pair()
    margin = p.log_ratio_margin(chosen, rejected, chosen, rejected)
    assert (margin == 0.0).all()
    for smoothing in (0.0, 0.1):
        close(p.dpo(margin, beta=BETA, smoothing=smoothing), *[math.log(2)] * 6)
    close(p.robust_dpo(margin, beta=BETA, smoothing=0.1), *[math.log(2)] * 6)
    close(p.ipo(margin, beta=BETA), *[1 / (4 * BETA**2)] * 6)
    close(p.hinge(margin, beta=BETA), *[1.0] * 6)


def test_dpo_and_its_relatives_by_hand():
    margin = p.log_ratio_margin(numbers(-2.0), numbers(-7.0), numbers(-3.0), numbers(-6.0))
    close(margin, 2.0)
    right, wrong = -math.log(sigmoid(0.6)), -math.log(sigmoid(-0.6))
    close(p.dpo(margin, beta=BETA), right)
    close(p.dpo(margin, beta=BETA, smoothing=0.1), 0.9 * right + 0.1 * wrong)
    close(p.robust_dpo(margin, beta=BETA, smoothing=0.1), (0.9 * right - 0.1 * wrong) / 0.8)
    close(p.ipo(margin, beta=BETA), (2.0 - 1 / 0.6) ** 2)
    close(p.hinge(margin, beta=BETA), 0.4)
    close(p.hinge(2.0 * margin, beta=BETA), 0.0)


def test_dpo_s_gradient_is_that_of_its_paper():
    """-β σ(β (Δ_l - Δ_w)) (∇ log π(w) - ∇ log π(l)): pairs that are ranked wrongly weigh more."""
    (chosen, rejected), refs = [x.requires_grad_() for x in pair()], pair(2)
    margin = p.log_ratio_margin(chosen, rejected, *refs)
    p.dpo(margin, beta=BETA).sum().backward()
    weight = BETA * torch.sigmoid(-BETA * margin.detach())
    torch.testing.assert_close(chosen.grad, -weight)
    torch.testing.assert_close(rejected.grad, weight)


def test_the_smoothed_loss_is_least_at_a_finite_margin():
    margin = numbers(math.log(9) / BETA).requires_grad_()  # log((1 - ε) / ε) / β
    p.dpo(margin, beta=BETA, smoothing=0.1).sum().backward()
    close(margin.grad, 0.0)
    again = margin.detach().requires_grad_()
    p.dpo(again, beta=BETA).sum().backward()
    assert again.grad < 0.0  # without smoothing it would go on for ever


def test_the_robust_loss_undoes_flipped_labels():
    """E over labels of which the share ε is flipped is DPO's loss on the right ones; cDPO's is not."""
    margin, flipped = normal(0, 6), 0.2
    for loss, exact in ((p.robust_dpo, True), (p.dpo, False)):
        mean = (1 - flipped) * loss(margin, beta=BETA, smoothing=flipped) + flipped * loss(
            -margin, beta=BETA, smoothing=flipped
        )
        assert torch.allclose(mean, p.dpo(margin, beta=BETA), atol=1e-12) == exact


def test_ipo_wants_one_margin_of_all_pairs():
    margin = numbers(1 / (2 * BETA)).requires_grad_()
    p.ipo(margin, beta=BETA).sum().backward()
    close(margin.grad, 0.0)


def test_kto_by_hand():
    reference = p.kto_reference(numbers(0.5, 1.5, -0.5, 0.5))
    close(reference[None], 0.5)
    found = p.kto(numbers(1.5, 1.5), torch.tensor([True, False]), reference, beta=BETA, weight_undesirable=2.0)
    close(found, 1 - sigmoid(0.3), 2 * (1 - sigmoid(-0.3)))


def test_kto_s_reference_is_a_constant_never_negative_and_of_all_ranks():
    leaf = numbers(1.0, 2.0).requires_grad_()
    reference = p.kto_reference(leaf)
    assert not reference.requires_grad
    assert p.kto_reference(numbers(-1.0, -2.0)) == 0.0
    # one rank has mean 1, another -3: the joint mean is below 0, though the first alone is above
    assert p.kto_reference(numbers(1.0), across=lambda x: (x - 3.0) / 2.0) == 0.0
    ratios = numbers(0.3, -0.2).requires_grad_()
    p.kto(ratios, torch.tensor([True, False]), ratios.sum(), beta=BETA).sum().backward()
    z0 = 0.1
    s = [sigmoid(BETA * (0.3 - z0)), sigmoid(BETA * (z0 + 0.2))]
    close(ratios.grad, -BETA * s[0] * (1 - s[0]), BETA * s[1] * (1 - s[1]))


def test_mismatched_pairs_have_no_answer_to_its_own_prompt():
    for rows in (2, 3, 8):
        order = p.shifted(rows)
        assert sorted(order.tolist()) == list(range(rows))
        assert (order != torch.arange(rows)).all()
    with pytest.raises(ValueError, match="a batch of 1 has no mismatched pairs"):
        p.shifted(1)


def test_simpo_by_hand():
    close(p.simpo(numbers(-0.5), numbers(-1.5)), -math.log(sigmoid(2.5 - 1.375)))
    close(p.simpo(numbers(-0.5), numbers(-1.5), beta=2.0, gamma=0.0), -math.log(sigmoid(2.0)))


def test_orpo_by_hand():
    chosen, rejected = numbers(math.log(0.75)), numbers(math.log(0.2))  # odds 3 and 1/4, ratio 12
    close(p.log_odds(chosen), math.log(3))
    close(p.odds_ratio(chosen, rejected), math.log(13 / 12))
    close(p.orpo(chosen, rejected), -math.log(0.75) + 0.1 * math.log(13 / 12))
    sure = p.log_odds(torch.zeros(1).requires_grad_())
    assert sure.isfinite().all()


def test_fine_tuning_is_a_mean_over_the_tokens_of_all():
    new = logprobs(0)
    found = p.negative_log_likelihood(spoil(new), MASK)
    assert torch.equal(found, torch.where(MASK, -new, 0.0))


PAIRED = {
    "bradley_terry": lambda w, l: p.bradley_terry(w, l, margin=0.2, centre=0.1),  # noqa: E741 - w and l as in the papers
    "dpo": lambda w, l: p.dpo(w - l, beta=BETA, smoothing=0.1),  # noqa: E741
    "robust_dpo": lambda w, l: p.robust_dpo(w - l, beta=BETA, smoothing=0.1),  # noqa: E741
    "ipo": lambda w, l: p.ipo(w - l, beta=BETA),  # noqa: E741
    "hinge": lambda w, l: p.hinge(w - l, beta=BETA),  # noqa: E741
    "simpo": p.simpo,
    "orpo": lambda w, l: p.orpo(-w.abs() - 0.1, -l.abs() - 0.1),  # noqa: E741
    "kto": lambda w, l: p.kto(w, l.detach() > 0, torch.tensor(0.1), beta=BETA),  # noqa: E741
    "margin": lambda w, l: p.log_ratio_margin(w, l, *pair(2)),  # noqa: E741
}


@pytest.mark.parametrize("name", PAIRED)
def test_gradcheck(name):
    rejected = pair()[1]
    assert gradcheck(lambda w: PAIRED[name](w, rejected), [pair()[0].requires_grad_()])


@pytest.mark.parametrize("name", sorted(PAIRED.keys() - {"margin", "ipo", "bradley_terry"}))
def test_far_from_the_reference_nothing_is_lost(name):
    """log σ of large numbers: neither infinite nor NaN in float32, in value or gradient."""
    for far in (-1e4, 1e4):
        leaf = torch.full((2,), far, requires_grad=True)
        found = PAIRED[name](leaf, -leaf.detach())
        found.sum().backward()
        assert found.isfinite().all()
        assert leaf.grad.isfinite().all()


@pytest.mark.parametrize("name", ["dpo", "ipo", "hinge", "simpo"])
def test_a_step_down_prefers_what_was_preferred(name):
    chosen, rejected = [x.requires_grad_() for x in pair(4)]
    PAIRED[name](chosen * 0.1, rejected * 0.1).sum().backward()
    torch.testing.assert_close(chosen.grad, -rejected.grad)
    assert (chosen.grad < 0).all()


def test_the_reference_has_no_gradient():
    (chosen, rejected), refs = pair(), [x.requires_grad_() for x in pair(2)]
    assert not p.log_ratio_margin(chosen, rejected, *refs).requires_grad


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"shapes \[2\], \[3\]; each must be \[B\]"):
        p.simpo(numbers(0.0, 0.0), numbers(0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match=r"shapes \[2, 3\]"):
        p.bradley_terry(torch.zeros(2, 3), torch.zeros(2, 3))
    for loss in (p.dpo, p.robust_dpo):
        with pytest.raises(ValueError, match=r"smoothing is 0.5; .* below 1/2"):
            loss(numbers(0.0), beta=0.1, smoothing=0.5)
    with pytest.raises(ValueError, match=r"desirable is torch\.int64; it must be torch.bool"):
        p.kto(numbers(0.0), torch.tensor([1]), numbers(0.0)[0], beta=0.1)
