"""Heads: log-probabilities and entropies as torch.distributions has them, samples from given draws, masks that hold."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import distributions as td

from rlkit.policies.heads import Bernoulli, Categorical, Gaussian, MultiCategorical, for_env, head

N = 64
GENERATOR = torch.Generator().manual_seed(0)
CASES = [
    (Categorical(4), lambda out: td.Categorical(logits=out)),
    (Bernoulli(3), lambda out: td.Independent(td.Bernoulli(logits=out), 1)),
    (Gaussian(2), lambda out: td.Independent(td.Normal(out[..., :2], out[..., 2:].exp()), 1)),
]


def outputs(one):
    return torch.randn(N, 5, one.size, generator=GENERATOR, dtype=torch.float64)


def draws(one):
    make = torch.rand if one.draw == "uniform" else torch.randn
    return make(N, 5, one.draws, generator=GENERATOR, dtype=torch.float64)


@pytest.mark.parametrize(("one", "reference"), CASES)
def test_log_probabilities_and_entropies(one, reference):
    out = outputs(one)
    actions = one.sample(out, draws(one))
    theirs = reference(out)
    torch.testing.assert_close(one.log_prob(out, actions), theirs.log_prob(actions.to(out.dtype)))
    torch.testing.assert_close(one.entropy(out), theirs.entropy())
    assert torch.equal(one.mode(out), theirs.mode.to(actions.dtype))


def test_several_choices_add_up():
    one = MultiCategorical((2, 3))
    out = outputs(one)
    actions = one.sample(out, draws(one))
    first, second = td.Categorical(logits=out[..., :2]), td.Categorical(logits=out[..., 2:])
    torch.testing.assert_close(
        one.log_prob(out, actions), first.log_prob(actions[..., 0]) + second.log_prob(actions[..., 1])
    )
    torch.testing.assert_close(one.entropy(out), first.entropy() + second.entropy())
    assert torch.equal(one.mode(out), torch.stack([first.mode, second.mode], -1))


def test_an_action_is_the_number_of_cumulative_probabilities_up_to_u():
    out = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64).log().expand(5, 3)
    u = torch.tensor([[0.0], [0.2499], [0.2501], [0.7499], [0.9999]], dtype=torch.float64)
    assert Categorical(3).sample(out, u).tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("one", [Categorical(3), MultiCategorical((3, 2)), Bernoulli(2)])
def test_samples_are_as_frequent_as_they_are_probable(one):
    out = torch.randn(one.size, generator=GENERATOR, dtype=torch.float64).expand(200_000, one.size)
    u = torch.rand(200_000, one.draws, generator=GENERATOR, dtype=torch.float64)
    actions = one.sample(out, u)
    kinds, counts = torch.unique(actions.view(len(out), -1), dim=0, return_counts=True)
    probs = one.log_prob(out[: len(kinds)], kinds if actions.ndim > 1 else kinds[:, 0]).exp()
    np.testing.assert_allclose(counts / len(out), probs, atol=0.005)


@pytest.mark.parametrize("forbidden", [0, 1, 3])
def test_a_forbidden_action_never_comes_even_where_sums_are_rounded(forbidden):
    logits = torch.randn(10_000, 4, generator=GENERATOR)
    logits[:, forbidden] = torch.finfo(torch.float32).min / 4
    u = torch.full((10_000, 1), 1.0 - 2.0**-53, dtype=torch.float64)
    assert not (Categorical(4).sample(logits, u) == forbidden).any()
    assert torch.isfinite(Categorical(4).entropy(logits)).all()


def test_every_space_has_its_head():
    assert head(spaces.Discrete(3)) == Categorical(3)
    assert head(spaces.MultiDiscrete([3, 2])) == MultiCategorical((3, 2))
    assert head(spaces.MultiBinary((2, 2))) == Bernoulli(4)
    assert head(spaces.Box(-1, 1, (2, 3))) == Gaussian(6)
    for other in (spaces.Text(3), spaces.Box(0, 255, (3,), np.uint8)):
        with pytest.raises(ValueError, match="actions are"):
            head(other)


def test_environments_get_what_their_space_contains():
    for space in (
        spaces.Discrete(3, start=-1),
        spaces.MultiDiscrete([3, 2]),
        spaces.MultiBinary((2, 2)),
        spaces.Box(-1, 1, (2, 3)),
    ):
        one = head(space)
        actions = one.sample(3.0 * outputs(one)[:, 0], draws(one)[:, 0]).numpy()
        assert all(space.contains(action) for action in for_env(space, actions))
