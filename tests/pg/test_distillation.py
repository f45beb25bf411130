"""Distillation: numbers by hand, the mixture's two ends, temperature, the gradients that the three should have."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg.distillation import distil
from rlkit.pg.kl import categorical
from tests.pg.cases import MASK, SHAPE, normal, spoil

KINDS = ("forward", "reverse", "js")
STUDENT, TEACHER = normal(0, *SHAPE, 4), normal(1, *SHAPE, 4)


def test_numbers_by_hand():
    teacher, student = (torch.tensor([[x]], dtype=torch.float64).log() for x in ([0.5, 0.5], [0.25, 0.75]))
    mask = torch.ones((1, 1), dtype=torch.bool)
    found = {kind: distil(student, teacher, mask, divergence=kind, beta=0.2).item() for kind in KINDS}
    assert found["forward"] == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert found["reverse"] == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))
    m = (0.2 * 0.5 + 0.8 * 0.25, 0.2 * 0.5 + 0.8 * 0.75)
    p_m = sum(0.5 * math.log(0.5 / x) for x in m)
    q_m = 0.25 * math.log(0.25 / m[0]) + 0.75 * math.log(0.75 / m[1])
    assert found["js"] == pytest.approx(0.2 * p_m + 0.8 * q_m)


def test_the_reverse_one_is_the_exact_divergence_of_the_core():
    torch.testing.assert_close(
        distil(STUDENT, TEACHER, MASK, divergence="reverse"), categorical(STUDENT, TEACHER, MASK)
    )


def test_half_and_half_it_is_symmetric_and_its_ends_are_the_other_two():
    js = distil(STUDENT, TEACHER, MASK, divergence="js")
    torch.testing.assert_close(js, distil(TEACHER, STUDENT, MASK, divergence="js"))
    assert (js[MASK] < math.log(2)).all()
    for beta, scale, kind in ((1e-7, 1e-7, "forward"), (1 - 1e-7, 1e-7, "reverse")):
        near = distil(STUDENT, TEACHER, MASK, divergence="js", beta=beta) / scale
        torch.testing.assert_close(near, distil(STUDENT, TEACHER, MASK, divergence=kind), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_temperature_softens_and_keeps_the_gradient_s_size(kind):
    hot = distil(STUDENT, TEACHER, MASK, divergence=kind, temperature=3.0)
    torch.testing.assert_close(hot, 9.0 * distil(STUDENT / 3.0, TEACHER / 3.0, MASK, divergence=kind))
    sizes = []
    for temperature in (100.0, 1000.0):
        leaf = STUDENT.clone().requires_grad_()
        distil(leaf, TEACHER, MASK, divergence=kind, temperature=temperature).sum().backward()
        sizes.append(leaf.grad.norm().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02)  # without the square it would fall to a hundredth


def test_the_forward_gradient_is_the_difference_of_the_two():
    leaf = STUDENT.clone().requires_grad_()
    distil(leaf, TEACHER, MASK, divergence="forward").sum().backward()
    expected = torch.softmax(STUDENT, -1) - torch.softmax(TEACHER, -1)
    torch.testing.assert_close(leaf.grad, torch.where(MASK[..., None], expected, 0.0))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_gives_nothing_masks_hold_and_the_teacher_has_no_gradient(kind):
    torch.testing.assert_close(distil(TEACHER, TEACHER, MASK, divergence=kind), torch.zeros(SHAPE).double())
    assert gradcheck(lambda x: distil(x, TEACHER, MASK, divergence=kind), [STUDENT.clone().requires_grad_()])
    dirty, teacher = spoil(STUDENT).requires_grad_(), spoil(TEACHER).requires_grad_()
    found = distil(dirty, teacher, MASK, divergence=kind)
    assert torch.equal(found, distil(STUDENT, TEACHER, MASK, divergence=kind))
    found.sum().backward()
    assert (dirty.grad[~MASK] == 0.0).all()
    assert teacher.grad is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_both_forbid_adds_nothing(kind):
    forbidden = torch.tensor([[[0.0, 1.0, -math.inf]]], dtype=torch.float64)
    other = torch.tensor([[[0.5, 0.1, -math.inf]]], dtype=torch.float64)
    one = torch.ones((1, 1), dtype=torch.bool)
    leaf = forbidden.clone().requires_grad_()
    found = distil(leaf, other, one, divergence=kind)
    torch.testing.assert_close(found, distil(forbidden[..., :2], other[..., :2], one, divergence=kind))
    found.sum().backward()
    assert leaf.grad.isfinite().all()


def test_bad_input_is_named():
    for arguments, words in (
        ({"divergence": "sideways"}, "divergence is 'sideways'; choose one of 'forward'"),
        ({"divergence": "js", "beta": 1.0}, "beta is 1.0; .* 'forward' or 'reverse'"),
        ({"divergence": "js", "temperature": 0.0}, "temperature is 0.0"),
    ):
        with pytest.raises(ValueError, match=words):
            distil(STUDENT, TEACHER, MASK, **arguments)
    with pytest.raises(ValueError, match="need one vocabulary"):
        distil(STUDENT[..., :3], TEACHER, MASK, divergence="forward")
