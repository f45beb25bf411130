"""The bounds hold for any v at all, are tight where the theory says so, and say nothing where nothing is known."""

from fractions import Fraction

import numpy as np
import pytest

from rlkit.mdp import from_P
from rlkit.tabular.bellman import jacobi, q_of
from rlkit.tabular.certificate import certify, rounding_error
from rlkit.tabular.ends import never_ends
from rlkit.tabular.model import sparse, stencil
from tests.probes import book_5x5, dense, random_mdp
from tests.reference import fused_q, optimum, plain_q

GAMMAS = [0.0, 0.5, 0.9, 0.99, 0.9999]


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("ends", [0.0, 0.3])
def test_v_star_lies_between_the_bounds_of_any_v(gamma, ends):
    rng = np.random.default_rng([int(1e4 * gamma), int(10 * ends)])
    ergodic_ones = 0
    for _ in range(60):
        mdp = random_mdp(rng, ends=ends)
        best = optimum(mdp, gamma)
        model = stencil(mdp, gamma) or sparse(mdp, gamma)
        ergodic = never_ends(model, gamma)
        ergodic_ones += ergodic
        noise = rng.choice([0.0, 1e-12, 1e-6, 1.0, 100.0])
        v = best.v + noise * rng.normal(size=mdp.n_states) + rng.choice([0.0, 5.0])
        proof = certify(model, v, gamma, ergodic)
        assert (v + proof.lower <= best.v + best.error).all()
        assert (v + proof.upper >= best.v - best.error).all()
        assert np.abs(v - best.v).max() <= proof.bound + best.error
        assert proof.span_bound <= proof.bound
    assert ergodic_ones == 60 if ends == 0.0 else ergodic_ones < 40 or gamma == 0.0


def test_a_constant_error_is_seen_through_where_no_episode_ends():
    best = optimum(book_5x5(), 0.9)
    model = sparse(book_5x5(), 0.9)
    v = best.v + 123.0
    seen = certify(model, v, 0.9, ergodic=True)
    assert seen.span_bound < 1e-11
    assert seen.lower == pytest.approx(-123.0)
    assert seen.upper == pytest.approx(-123.0)
    blind = certify(model, v, 0.9, ergodic=False)
    assert (blind.lower, blind.upper) == (pytest.approx(-123.0), pytest.approx(0.0, abs=1e-11))


@pytest.mark.parametrize("gamma", GAMMAS[1:])
def test_a_constant_found_from_afar_is_known_to_rounding_only(gamma):
    rng = np.random.default_rng(5)
    for _ in range(40):
        rows = [[[(float(p), s, 1.0, False) for s, p in enumerate(rng.dirichlet(np.ones(6)))]] for _ in range(6)]
        mdp = from_P(rows)
        P = dense(mdp).P[:, 0].astype(np.longdouble)
        exact = np.linalg.solve(np.eye(6) - gamma * P.astype(np.float64), np.ones(6)).astype(np.longdouble)
        for _ in range(3):
            gap = 1 + np.longdouble(gamma) * (P @ exact) - exact
            exact += np.linalg.solve(np.eye(6) - gamma * P.astype(np.float64), gap.astype(np.float64))
        for model in (sparse(mdp, gamma), stencil(mdp, gamma)):
            proof = certify(model, np.zeros(6), gamma, never_ends(model, gamma))
            assert proof.lower <= exact.min() <= exact.max() <= proof.upper
            assert proof.span_bound < 1e-9 * exact.max()


def test_an_end_that_is_all_but_impossible_is_an_end():
    mdp = from_P([[[(1.0 - 5e-13, 0, 1.0, False), (5e-13, 0, 1.0, True)]]])
    model = sparse(mdp, 0.9999)
    proof = certify(model, np.zeros(1), 0.9999, never_ends(model, 0.9999))
    assert proof.lower <= 1 / (1 - 0.9999 * (1 - 5e-13)) <= proof.upper


def test_never_ends():
    def loop(prob, over):
        return from_P([[[(prob, 0, 0.0, False), (1 - prob, 0, 1.0, over)]]])

    for gamma in (0.5, 0.9999):
        for build in (sparse, stencil):
            assert never_ends(build(loop(0.3, False), gamma), gamma)
            assert never_ends(build(loop(1.0, True), gamma), gamma)  # what has probability zero never ends anything
            assert not never_ends(build(loop(0.9, True), gamma), gamma)
            assert not never_ends(build(loop(0.0, True), gamma), gamma)


def test_the_rounding_bound_covers_the_rounding_of_a_backup():
    rng = np.random.default_rng(3)
    for _ in range(60):
        mdp = random_mdp(rng)
        P, r, _, _ = (part.astype(np.longdouble) for part in dense(mdp))
        v = rng.normal(size=mdp.n_states) * 10.0 ** rng.integers(-3, 6)
        exact = r + np.longdouble(0.9) * (P @ v)
        for build, twin in ((sparse, plain_q), (stencil, fused_q)):
            model = build(mdp, 0.9)
            if model is None:
                continue
            allowed = rounding_error(model, float(np.abs(v).max()))
            q = [[twin(model, v, s, a) for a in range(mdp.n_actions)] for s in range(mdp.n_states)]
            assert float(np.abs(q - exact).max()) <= allowed


def test_the_rounding_bound_covers_rewards_that_cancel():
    """Tenths of 70, 70 and -30 come to almost nothing, which a sum in floating point loses."""
    outcomes = [(0.1, 0, 70.0, False), (0.2, 0, 70.0, False), (0.7, 0, -30.0, False)]
    exact = sum((Fraction(p) * Fraction(r) for p, _, r, _ in outcomes), Fraction())
    for model in (sparse(from_P([[outcomes]]), 0.5), stencil(from_P([[outcomes]]), 0.5)):
        q = q_of(model, np.zeros(1), 1)[0, 0]
        assert 0 < abs(Fraction(q) - exact) <= rounding_error(model, 0.0)


def test_the_rounding_bound_covers_outcomes_that_are_merged():
    n = 1000
    P = from_P([[[(1 / n, 0, 0.0, False)] * n]])
    exact = Fraction(0.9) * n * Fraction(1 / n)
    for model in (sparse(P, 0.9), stencil(P, 0.9)):
        q = q_of(model, np.ones(1), 1)[0, 0]
        assert abs(Fraction(q) - exact) <= rounding_error(model, 1.0)


def test_at_gamma_1_only_an_end_is_a_proof():
    walk = from_P(
        [[[(1.0, 1, -1.0, False)], [(1.0, 0, 0.0, False)]], [[(1.0, 1, -1.0, True)], [(1.0, 0, -1.0, False)]]]
    )
    model = sparse(walk, 1.0)
    far = certify(model, np.array([-5.0, -5.0]), 1.0, ergodic=False)
    assert far.bound == np.inf
    ends = from_P([[[(1.0, 1, -1.0, False)]], [[(1.0, 1, -1.0, True)]]])
    near = certify(sparse(ends, 1.0), np.array([-2.0, -1.0 + 1e-9]), 1.0, ergodic=False)
    assert near.bound == pytest.approx(1e-9, abs=1e-14)
    assert certify(model, np.zeros(2), 1.0, ergodic=False).bound == np.inf  # the free loop is greedy there: no proof


def test_a_bound_shrinks_by_gamma_a_sweep():
    model = stencil(book_5x5(), 0.9) or sparse(book_5x5(), 0.9)
    v, bounds = np.zeros(25), []
    for _ in range(40):
        bounds.append(certify(model, v, 0.9, ergodic=True).bound)
        out = np.empty_like(v)
        jacobi(model, v, out)
        v = out
    bounds = np.array(bounds)
    assert (bounds[1:] <= 0.9 * bounds[:-1] + 1e-12).all()
