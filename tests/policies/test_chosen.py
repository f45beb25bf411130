"""What is said of chosen tokens, block by block: the numbers and gradients of all logits at once."""

import pytest
import torch

from rlkit.policies import chosen as module
from rlkit.policies.chosen import chosen, serves
from rlkit.policies.sampling import Transform, log_probabilities

V, M, H = 1000, 7, 5


def given(dtype=torch.float64, scale=3.0):
    generator = torch.Generator().manual_seed(0)
    hidden, matrix = (torch.randn(n, H, generator=generator, dtype=dtype) for n in (M, V))
    actions = torch.tensor([0, 255, 256, 511, 512, 999, 3])  # at the edges of blocks of 256
    return (scale * hidden).requires_grad_(), matrix.requires_grad_(), actions


def plainly(hidden, matrix, actions, temperature=1.0):
    logs = log_probabilities(hidden @ matrix.t(), Transform(temperature))
    return logs.gather(1, actions[:, None])[:, 0], -(logs.exp() * logs).sum(1)


@pytest.mark.parametrize("block", [1, 1 << 20])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_it_is_what_all_logits_say_and_so_are_the_gradients(block, temperature, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    hidden, matrix, actions = given()
    weights = torch.randn(2, M, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found, expected = (f(hidden, matrix, actions, temperature) for f in (chosen, plainly))
    with torch.no_grad():
        torch.testing.assert_close(chosen(hidden, matrix, actions, temperature), expected, rtol=0, atol=1e-12)
    for pick in ([0], [1], [0, 1]):
        slopes = [
            torch.autograd.grad(sum((weights[i] * said[i]).sum() for i in pick), (hidden, matrix), retain_graph=True)
            for said in (found, expected)
        ]
        torch.testing.assert_close(*slopes, rtol=0, atol=1e-12)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    (only,) = torch.autograd.grad(chosen(hidden, matrix.detach(), actions)[0].sum(), hidden)
    torch.testing.assert_close(only, torch.autograd.grad(plainly(hidden, matrix, actions)[0].sum(), hidden)[0])


def test_the_least_likely_tokens_and_certain_ones_are_numbers(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 1)
    hidden, matrix, actions = given(torch.float32, scale=300.0)
    logprobs, entropy = chosen(hidden, matrix, actions)
    expected = plainly(*(x.double() if x.is_floating_point() else x for x in (hidden, matrix, actions)))
    assert logprobs.min() < -1000.0
    torch.testing.assert_close(logprobs.double(), expected[0], rtol=1e-6, atol=1e-3)
    torch.testing.assert_close(entropy.double(), expected[1], rtol=1e-3, atol=1e-5)
    slopes = torch.autograd.grad(logprobs.sum() + entropy.sum(), (hidden, matrix))
    assert all(torch.isfinite(slope).all() for slope in slopes)


def test_which_models_it_serves():
    assert serves(torch.ones(2, 2))
    assert not serves(torch.ones(2, 2, dtype=torch.bfloat16))
    assert not serves(None)
