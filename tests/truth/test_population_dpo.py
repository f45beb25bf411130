"""DPO over the whole population of pairs finds what the KL-regularised objective wants: π_ref exp(r / β) / Z."""

import pytest
import torch

from benchmarks.truth.expectation import objective
from benchmarks.truth.worlds import THREE, TWO, log_chances, logits_of, rows_of
from rlkit.pg import preferences

BETA = 0.5


def optimum(world, reference):
    """The log-chances of all answers under π_ref exp(r / β) / Z, and the rewards, [P, N] each."""
    rows = rows_of(world, reference)
    rewards = rows.rewards.sum(1).view(len(world.prompts), -1)
    return torch.log_softmax(log_chances(rows, reference, len(world.prompts)) + rewards / BETA, 1), rewards


def population(world, logits, reference, loss):
    """The mean loss of all pairs of answers that the reference draws, each ranked as Bradley and Terry's model says."""
    rows, prompts = rows_of(world, reference), len(world.prompts)
    logs, ref, rewards = (
        log_chances(rows, logits, prompts),
        log_chances(rows, reference, prompts),
        optimum(world, reference)[1],
    )
    first, second = torch.triu_indices(logs.shape[1], logs.shape[1], 1)
    total = torch.zeros((), dtype=torch.float64)
    for p in range(prompts):
        ahead = torch.sigmoid(rewards[p, first] - rewards[p, second])
        for w, l, chance in ((first, second, ahead), (second, first, 1 - ahead)):  # noqa: E741 - as in the paper
            margin = preferences.log_ratio_margin(logs[p, w], logs[p, l], ref[p, w], ref[p, l])
            total = total + (2 * (ref[p, w] + ref[p, l]).exp() * chance * loss(margin)).sum()
    return total / prompts


def minimised(function, start):
    leaf = start.clone().requires_grad_()
    search = torch.optim.LBFGS(
        [leaf], max_iter=300, tolerance_grad=1e-13, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def step():
        search.zero_grad()
        value = function(leaf)
        value.backward()
        return value

    search.step(step)
    return leaf.detach()


@pytest.mark.parametrize("world", [TWO, pytest.param(THREE, marks=pytest.mark.slow)], ids=lambda world: world.name)
def test_it_recovers_the_regularised_optimum(world):
    reference = logits_of(world, 5, 0.5)
    wanted, _ = optimum(world, reference)
    found = minimised(lambda x: population(world, x, reference, lambda m: preferences.dpo(m, beta=BETA)), reference)
    rows = rows_of(world, reference)
    chances = log_chances(rows, found, len(world.prompts)).exp()
    torch.testing.assert_close(chances, wanted.exp(), rtol=0.0, atol=1e-7)
    assert (log_chances(rows, reference, len(world.prompts)).exp() - wanted.exp()).abs().max() > 0.1
    best = objective(world, found, reference=reference, beta=BETA)  # and nothing near it is better
    for seed in range(20):
        other = found + 0.05 * logits_of(world, 100 + seed)
        assert objective(world, other, reference=reference, beta=BETA) < best
    slope = found.clone().requires_grad_()
    objective(world, slope, reference=reference, beta=BETA).backward()
    assert slope.grad.abs().max() < 1e-7


@pytest.mark.slow
def test_smoothing_moves_the_optimum_and_the_robust_loss_does_not():
    reference = logits_of(TWO, 5, 0.5)
    wanted = optimum(TWO, reference)[0].exp()
    rows = rows_of(TWO, reference)

    def flipped(loss):
        """Labels of which a fifth is wrong."""
        return lambda m: 0.8 * loss(m) + 0.2 * loss(-m)

    apart = {}
    for name, loss in (
        ("plain", preferences.dpo),
        ("robust", lambda m, **k: preferences.robust_dpo(m, smoothing=0.2, **k)),
    ):
        found = minimised(
            lambda x, loss=loss: population(TWO, x, reference, flipped(lambda m: loss(m, beta=BETA))), reference
        )
        apart[name] = (log_chances(rows, found, 2).exp() - wanted).abs().max()
    assert apart["robust"] < 1e-6
    assert apart["plain"] > 0.02


def test_the_optimum_s_implicit_reward_is_the_reward():
    """β (log π* - log π_ref) is r up to a constant of the prompt: what DPO's margin stands on."""
    reference = logits_of(THREE, 5, 0.5)
    wanted, rewards = optimum(THREE, reference)
    ref = log_chances(rows_of(THREE, reference), reference, 2)
    margin = preferences.log_ratio_margin(wanted[0, 1:], wanted[0, :-1], ref[0, 1:], ref[0, :-1])
    torch.testing.assert_close(BETA * margin, rewards[0, 1:] - rewards[0, :-1])
