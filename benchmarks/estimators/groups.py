"""Advantages within groups of episodes that share a start: GRPO in three scales, and leave-one-out, over the group's size."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchmarks.estimators import advantages as adv
from benchmarks.estimators.episodes import Part, sample, size
from benchmarks.estimators.gradients import gradients
from benchmarks.estimators.measure import Array
from benchmarks.estimators.rows import Row, make_row
from benchmarks.estimators.theory import group_factor, pass_fail_factor
from benchmarks.estimators.worlds import Case
from rlkit.pg.baselines import group_advantages, leave_one_out, per_step
from rlkit.pg.reduce import How

SIZES = (2, 4, 8, 16, 32, 64)
BATCH = 64  # episodes, whatever the size of the groups
KINDS: tuple[tuple[str, How], ...] = (
    ("leave one out", "constant"),
    ("none", "constant"),
    ("population", "constant"),
    ("sample", "constant"),
    ("population", "sequence"),
)


def grouped(case: Case, episodes: int, rng: np.random.Generator, sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Measure every kind of group advantage, by the discounted score of whole episodes."""
    theta = torch.from_numpy(case.theta).expand(episodes // BATCH, -1, -1)
    for group in sizes:
        parts = sample(case.mdp, case.pi, episodes, rng, group)
        scores = all_scores(parts, case.world.score_gamma)
        for kind, how in KINDS:
            rows = centred(kind, scores, torch.arange(episodes) // group)
            g = gradients(theta, parts, [per_step(rows[index], traj.mask) for index, traj in parts], BATCH, how=how)
            expected = expectation(case, kind, group) if how == "constant" else None
            family = "RLOO" if kind == "leave one out" else "GRPO"
            name = kind if how == "constant" else f"{kind}, row means"
            yield make_row(case.world, (family, name, "", "score", group), BATCH, g, case.score_gradient, expected)


def centred(kind: str, scores: Tensor, group: Tensor) -> Tensor:
    """Return the advantage of each row against its group, [B]."""
    if kind == "leave one out":
        return leave_one_out(scores, group)
    return group_advantages(scores, group, scale=kind)  # type: ignore[arg-type]  # one of the names above


def all_scores(parts: list[Part], gamma: float) -> Tensor:
    """Return the discounted return of every episode of a sample, [B]."""
    found = torch.zeros(size(parts), dtype=torch.float64)
    for index, traj in parts:
        found[index] = adv.scores(traj, gamma)
    return found


def expectation(case: Case, kind: str, group: int) -> Array | None:
    """Return the expected gradient, or None where it has no closed form.

    Divided by the deviation it has one where all episodes start alike and pay 1 or 0 in all.
    """
    if kind in ("leave one out", "none"):
        return group_factor(kind, group) * case.score_gradient
    if case.world.pass_fail:
        return pass_fail_factor(kind, group, case.score) * case.score_gradient
    return None
