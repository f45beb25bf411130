"""Attention of shared prefixes: hidden states and gradients of one mask over everything, for rows of one length and of many."""

import numpy as np
import pytest
import torch

from rlkit.policies.prefix import dense, layout, share
from rlkit.policies.tiny_lm import tiny
from tests.policies.token_rows import random_rows, trajectories

V = 13


def alike(groups=2, each=3, prompt=5, answer=4):
    rng = np.random.default_rng(0)
    begins = rng.integers(V, size=(groups, prompt)).tolist()
    chosen = [False] * prompt + [True] * answer
    return [(g, begins[g] + rng.integers(V, size=answer).tolist(), chosen) for g in range(groups) for _ in range(each)]


@pytest.mark.parametrize(
    "rows",
    [
        alike(),
        alike(answer=1),  # nothing but prefixes
        random_rows(np.random.default_rng(1), V, turns=2),
        [(0, [1, 2, 3, 4], [False, True, True, True]), (1, [5, 6], [False, True])],
    ],
)
def test_it_is_one_mask_over_everything(rows):
    model, traj = tiny(V, np.random.default_rng(0), scale=7.0).double(), trajectories(rows)
    laid = layout(traj, share(traj))
    found, expected = model.packed(laid), dense(model, laid)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(0), dtype=found.dtype)
    named = [p for name, p in model.named_parameters() if name != "head"]
    slopes = [torch.autograd.grad((x * weights).sum(), named) for x in (found, expected)]
    assert min(slope.abs().max() for slope in slopes[0]) > 1e-3
    torch.testing.assert_close(*slopes, rtol=1e-10, atol=1e-10)
