"""A language model as a policy: the plain forward's numbers, whatever the padding, the order, the sharing and the cutting."""

import numpy as np
import pytest
import torch

from rlkit.policies.language import LanguagePolicy
from rlkit.policies.tiny_lm import tiny
from tests.policies.token_rows import plainly, random_rows, trajectories

V = 13


def model(seed=0):
    return tiny(V, np.random.default_rng(seed), scale=7.0)


@pytest.fixture(autouse=True)
def _one_thread():
    """In float32 sums differ by the last digit with the number of threads; what is compared here is close to that."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def rows(seed=1, **kwargs):
    return random_rows(np.random.default_rng(seed), V, **kwargs)


def close(found, expected, atol=1e-6):
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a.double(), b.double(), rtol=0, atol=atol)


@pytest.mark.parametrize("turns", [1, 3])
@pytest.mark.parametrize("budget", [0, 1, 40])
def test_it_says_what_the_plain_forward_says(turns, budget):
    lm, traj = model(), trajectories(rows(turns=turns))
    found = LanguagePolicy(lm, budget=budget).evaluate(traj)
    expected = plainly(lm, traj)
    assert expected[0].min() < -4.0
    close(found, expected)


def test_in_double_precision_to_the_last_digits():
    lm, traj = model().double(), trajectories(rows(turns=2))
    close(LanguagePolicy(lm).evaluate(traj), plainly(lm, traj), 1e-12)


def test_padding_order_and_the_group_number_change_nothing():
    policy, drawn = LanguagePolicy(model()), rows()
    plain = policy.evaluate(trajectories(drawn))
    wide = policy.evaluate(trajectories(drawn, width=30, padding=V - 1))
    size = plain.logprobs.shape[1]
    close((x[:, :size] for x in wide), plain)
    assert not any(x[:, size:].any() for x in wide)
    order = np.random.default_rng(0).permutation(len(drawn))
    close(policy.evaluate(trajectories([drawn[i] for i in order])), (x[order] for x in plain))
    close(policy.evaluate(trajectories([(0, *row[1:]) for row in drawn])), plain)
    close(policy.evaluate(trajectories([(i, *row[1:]) for i, row in enumerate(drawn)])), plain)


def gradient(policy, traj, weights):
    found = policy.evaluate(traj)
    loss = (found.logprobs * weights).sum() + 0.3 * (found.entropy * weights).sum()
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(policy.parameters()))])


@pytest.mark.parametrize("budget", [1, 40])
def test_the_gradient_is_that_of_the_plain_forward_and_does_not_depend_on_the_cutting(budget):
    lm, traj = model().double(), trajectories(rows(turns=2))
    weights = torch.randn(traj.mask.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = gradient(LanguagePolicy(lm), traj, weights)
    torch.testing.assert_close(
        gradient(LanguagePolicy(lm, budget=budget), traj, weights), whole, rtol=1e-10, atol=1e-10
    )
    logs = lm.logits(lm.hidden(traj.obs)).log_softmax(-1)
    entropy = -(logs.exp() * logs).sum(-1)
    said = torch.where(traj.mask, logs.gather(2, traj.actions[..., None])[..., 0] + 0.3 * entropy, 0)
    plain = torch.cat([g.flatten() for g in torch.autograd.grad((said * weights).sum(), list(lm.parameters()))])
    torch.testing.assert_close(whole, plain, rtol=1e-10, atol=1e-10)


def test_masked_positions_have_no_gradient_and_a_row_without_choices_takes_no_part():
    drawn = rows()
    drawn[0] = (*drawn[0][:2], [False] * len(drawn[0][1]))
    traj = trajectories(drawn)
    policy = LanguagePolicy(model())
    assert policy.evaluate(traj).logprobs[0].abs().sum() == 0.0
    masked = gradient(policy, traj, (~traj.mask).float())
    assert masked.abs().max() == 0.0
    nobody = trajectories([(0, [1, 2, 3], [False] * 3)])
    assert not policy.evaluate(nobody).logprobs.any()


def test_temperature_and_sets_shape_the_distribution():
    lm, traj = model(), trajectories(rows())
    allowed = torch.rand(*traj.mask.shape, V, generator=torch.Generator().manual_seed(3)) < 0.5
    allowed.scatter_(2, traj.actions[..., None], value=True)
    given = type(traj)(**{**vars(traj), "allowed": allowed})
    found = LanguagePolicy(lm, temperature=0.7).evaluate(given)
    logits = lm.logits(lm.hidden(traj.obs)) / 0.7
    logs = logits.masked_fill(~allowed, -torch.inf).log_softmax(-1)
    entropy = -(logs.exp() * logs.masked_fill(~allowed, 0.0)).sum(-1)
    expected = logs.gather(2, traj.actions[..., None])[..., 0], entropy
    close(found, (torch.where(traj.mask, x, 0) for x in expected), 5e-6)
    assert torch.isfinite(gradient(LanguagePolicy(lm, top_k=3), traj, traj.mask.float())).all()
    assert LanguagePolicy(lm, top_k=1).evaluate(traj).logprobs.min() > -30.0  # what was drawn is always in


def test_what_does_not_fit_is_refused():
    lm = tiny(V, np.random.default_rng(0), context=8)
    with pytest.raises(ValueError, match="a row has 9 tokens; the model's context is 8"):
        LanguagePolicy(lm).evaluate(trajectories([(0, [1] * 10, [False] + [True] * 9)]))
    for wrong, name in (
        ({"temperature": 0.0}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"budget": -1}, "budget"),
    ):
        with pytest.raises(ValueError, match=name):
            LanguagePolicy(lm, **wrong)
