"""PPO after its first epoch: the clipped surrogate's gradient while the policy moves away from the one that acted."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchmarks.estimators import advantages as adv
from benchmarks.estimators.episodes import Part, sample
from benchmarks.estimators.gradients import gradients, log_policy
from benchmarks.estimators.measure import Array
from benchmarks.estimators.rows import Row, make_row
from benchmarks.estimators.worlds import Case, softmax
from rlkit import exact
from rlkit.pg.losses import clipped_surrogate, importance_weighted

BATCH = 64  # episodes
UPDATES = (0, 1, 2, 3, 5, 7, 10, 14, 20)
RATE, LAM, CLIP = 0.03, 0.95, 0.2


def later_epochs(
    case: Case, episodes: int, rng: np.random.Generator, updates: tuple[int, ...] = UPDATES
) -> Iterator[Row]:
    """Let every batch take steps of Adam on its own surrogate, and measure the next gradient against the truth where it stands.

    On the same episodes the gradient is biased because they were fitted to, because it clips, and because the surrogate keeps
    the states and the advantages of the old policy. On fresh episodes of that policy the second and the third are left, and
    without the clip only the third.
    Advantages are GAE with the exact values of the old policy.
    """
    parts = sample(case.mdp, case.pi, episodes, rng)
    for factor in ("γ^t", "1"):
        weights = [adv.generalised(part, adv.fixed("exact", case.v), case.gamma, LAM) for part in parts]
        if factor == "γ^t":
            weights = [x * adv.discounts(part.traj, case.gamma) for x, part in zip(weights, parts, strict=True)]
        theta = torch.from_numpy(case.theta).repeat(episodes // BATCH, 1, 1)
        optimiser = torch.optim.Adam([theta], lr=RATE, eps=1e-8)
        for k in range(max(updates) + 1):
            same = gradients(theta, parts, weights, BATCH, clipped_surrogate)
            if k in updates:
                truth = _exact(case, theta)
                notes = {"kl": _divergence(case, theta), "outside": _outside(theta, parts)}
                after, moved = theta.roll(1, 0), np.roll(truth, 1, axis=0)
                fresh, plain = (
                    gradients(after, parts, weights, BATCH, f) for f in (clipped_surrogate, importance_weighted)
                )
                for name, g, e in (("same", same, truth), ("fresh", fresh, moved), ("fresh, no clip", plain, moved)):
                    names = "PPO", f"{k} updates, {name}", "exact", factor, k
                    yield make_row(case.world, names, BATCH, g, e, notes=notes)
            theta.grad = -same
            optimiser.step()


def _exact(case: Case, theta: Tensor) -> Array:
    """The policy gradient at each batch's own policy, [R, S, A]."""
    return np.stack([exact.policy_gradient(case.mdp, pi, case.gamma) for pi in softmax(theta.numpy())])


def _divergence(case: Case, theta: Tensor) -> float:
    """The mean KL from the old policy, over the states that it visits and over batches."""
    visits = exact.discounted_occupancy(case.mdp, case.pi, 1.0)
    new = softmax(theta.numpy())
    return float(((case.pi * np.log(case.pi / new)).sum(axis=2) @ visits / visits.sum()).mean())


def _outside(theta: Tensor, parts: list[Part]) -> float:
    """The share of steps whose ratio is outside of the clip range."""
    out = steps = 0
    for index, traj in parts:
        ratio = (log_policy(theta, index // BATCH, traj) - traj.logprobs)[traj.mask].exp()
        out += int(((ratio - 1.0).abs() > CLIP).sum())
        steps += len(ratio)
    return out / steps
