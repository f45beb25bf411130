"""All numbers of the study, as rows: what each algorithm's gradient is on average, on every world."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from benchmarks.truth import algorithms, divergences
from benchmarks.truth.expectation import exact_gradient, moments
from benchmarks.truth.worlds import WORLDS, World, logits_of

STEP = 0.7  # how far the policy has moved, along the gradient, for a second update
APART = 0.5  # deviation of the sampler's logits from the trainer's


class Result(NamedTuple):
    """A line of a table on a world."""

    table: str  # "on policy", "moved", "sampler", "divergence"
    name: str
    world: str
    group: int
    cosine: float  # of the mean gradient with the exact one
    length: float  # of the mean gradient, over the exact one's
    noise: float | None  # √tr Cov g / ‖E g‖, of one batch
    value: float | None  # of a divergence, over the true one
    what: str  # is known of the mean


def study(worlds: Sequence[World] = WORLDS) -> Iterator[Result]:
    """Compute everything."""
    for world in worlds:
        logits = logits_of(world, 0)
        truth = exact_gradient(world, logits)
        now = logits + STEP * (truth / truth.norm()).view(logits.shape)
        there = exact_gradient(world, now)
        for row in algorithms.ON_POLICY:
            found = moments(world, algorithms.config_of(row, world), logits)
            yield _result("on policy", row, world, found.cosine(truth), found.length(truth), found.noise())
        for row in algorithms.MOVED:
            found = moments(world, algorithms.config_of(row, world), logits, now=now)
            yield _result("moved", row, world, found.cosine(there), found.length(there), found.noise())
        sampler = logits + logits_of(world, 7, APART)
        for row in algorithms.SAMPLERS:
            found = moments(world, algorithms.config_of(row, world), logits, sampler=sampler)
            yield _result("sampler", row, world, found.cosine(truth), found.length(truth), found.noise())
        reference = logits_of(world, 5)
        _, slope = divergences.exact(world, logits, reference)
        for form in divergences.forms(world, logits, reference):
            length = float(form.mean.norm() / slope.norm())
            cosine = float(torch.cosine_similarity(form.mean, slope, 0)) if length > 1e-12 else 0.0
            yield Result("divergence", form.name, world.name, 1, cosine, length, None, form.value, "")


def _result(table: str, row: algorithms.Row, world: World, cosine: float, length: float, noise: float) -> Result:
    return Result(table, row.name, world.name, world.group, cosine, length, noise, None, row.what)
