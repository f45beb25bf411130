"""The study itself: every estimator on one world, as rows."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.estimators import advantages as adv
from benchmarks.estimators.episodes import Part, sample, size
from benchmarks.estimators.gradients import Surrogate, gradients, on_policy
from benchmarks.estimators.measure import Array
from benchmarks.estimators.rows import Row, make_row
from benchmarks.estimators.theory import expected_gae, expected_n_step
from benchmarks.estimators.worlds import Case
from rlkit.pg.losses import clipped_surrogate

LAMBDAS = (0.0, 0.5, 0.9, 0.95, 1.0)
STEPS = 5  # of A2C's returns
FACTORS = ("γ^t", "1")


class Line(NamedTuple):
    """An estimator that is a mean over independent episodes, so that one pass gives every batch size."""

    family: str
    name: str
    critic: str
    detail: float | None
    advantages: Callable[[Part], Tensor]
    expected: Callable[[float], Array]  # from the discount of the states' weights: gamma, or 1
    loss: Surrogate = on_policy


def lines(case: Case, learned: Array) -> list[Line]:
    """Return the estimators whose expectation is known in closed form.

    Args:
        case: the world and the policy.
        learned: [S] values of a critic that has seen a few other episodes.
    """
    gamma, mdp, pi = case.gamma, case.mdp, case.pi
    best = adv.best_baseline(case)
    zero = np.zeros_like(case.v)

    def baseline(name: str, critic: str, table: Array) -> Line:
        made = adv.fixed(critic, table)
        return Line("REINFORCE", name, critic, None, lambda part: adv.generalised(part, made, gamma, 1.0), exactly)

    def exactly(discount: float) -> Array:
        return case.gradient if discount == gamma else case.undiscounted

    def with_q(name: str, table: Array) -> Line:
        return Line("exact q", name, "exact", None, lambda part: adv.of_pairs(part, table), exactly)

    found = [
        baseline("return to go", "", zero),
        baseline("… - v(s)", "exact", case.v),
        baseline("… - v(s)", "learned", learned),
        baseline("… - b*(s), (10.5)", "exact", best),
        with_q("q(s, a)", case.q),
        with_q("q(s, a) - v(s)", case.q - case.v[:, None]),
        with_q("q(s, a) - b*(s), (10.5)", case.q - best[:, None]),
    ]
    for critic, table in (("exact", case.v), ("learned", learned)):
        made = adv.fixed(critic, table)
        found += [
            Line(
                "GAE",
                f"λ = {lam:g}",
                critic,
                lam,
                lambda part, lam=lam, made=made: adv.generalised(part, made, gamma, lam),
                lambda discount, lam=lam, table=table: expected_gae(mdp, pi, table, gamma, lam, discount),
            )
            for lam in LAMBDAS
        ]
        found.append(
            Line(
                "A2C",
                f"{STEPS}-step",
                critic,
                STEPS,
                lambda part, made=made: adv.n_step(part, made, gamma, STEPS),
                lambda discount, table=table: expected_n_step(mdp, pi, table, gamma, STEPS, discount),
            )
        )
    made = adv.fixed("exact", case.v)
    found.append(
        Line(
            "PPO",
            "first epoch, GAE 0.95",
            "exact",
            0,
            lambda part: adv.generalised(part, made, gamma, 0.95),
            exactly,
            clipped_surrogate,
        )
    )
    return found


def whole_return(case: Case) -> Line:
    """Return REINFORCE with the return of the whole episode at each step; its discounts need no factor."""
    return Line(
        "REINFORCE",
        "whole return",
        "",
        None,
        lambda part: adv.whole(part.traj, case.gamma),
        lambda _: case.gradient,
    )


def linear(case: Case, parts: list[Part], learned: Array, sizes: tuple[int, ...]) -> Iterator[Row]:
    """Measure the estimators that are means over episodes, at every batch size, with γ^t and without."""
    theta = torch.from_numpy(case.theta).expand(size(parts), -1, -1)
    plan = [(whole_return(case), "score")] + [(line, factor) for line in lines(case, learned) for factor in FACTORS]
    for line, factor in plan:
        weights = [_weighted(line.advantages(part), part, case, factor) for part in parts]
        one = gradients(theta, parts, weights, 1, line.loss)
        expected = line.expected(case.gamma if factor == "γ^t" else 1.0)
        names = line.family, line.name, line.critic, factor, line.detail
        for n in sizes:
            means = one.unflatten(0, (-1, n)).mean(1)
            yield make_row(case.world, names, n, means, case.gradient, expected)


def with_own_critic(case: Case, parts: list[Part], sizes: tuple[int, ...]) -> Iterator[Row]:
    """Measure GAE and A2C with a critic that was fitted to the very episodes of the batch, at every batch size."""
    total = size(parts)
    for n in sizes:
        theta = torch.from_numpy(case.theta).expand(total // n, -1, -1)
        critic = adv.own(parts, total // n, n, case.mdp.n_states, case.gamma)
        found: list[tuple[str, str, float, list[Tensor]]] = [
            ("GAE", f"λ = {lam:g}", lam, [adv.generalised(part, critic, case.gamma, lam) for part in parts])
            for lam in LAMBDAS
        ]
        found.append(("A2C", f"{STEPS}-step", STEPS, [adv.n_step(part, critic, case.gamma, STEPS) for part in parts]))
        for family, name, detail, plain in found:
            for factor in FACTORS:
                weights = [_weighted(x, part, case, factor) for x, part in zip(plain, parts, strict=True)]
                g = gradients(theta, parts, weights, n)
                yield make_row(case.world, (family, name, "own", factor, detail), n, g, case.gradient)


def learn_values(case: Case, episodes: int, rng: np.random.Generator) -> Array:
    """Return the mean returns [S] from each state over some episodes: what a critic knows early on."""
    parts = sample(case.mdp, case.pi, episodes, rng)
    return adv.own(parts, 1, episodes, case.mdp.n_states, case.gamma).table[0].numpy()


def _weighted(advantages: Tensor, part: Part, case: Case, factor: str) -> Tensor:
    return advantages * adv.discounts(part.traj, case.gamma) if factor == "γ^t" else advantages
