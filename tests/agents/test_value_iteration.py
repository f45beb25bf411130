"""Value iteration: the theoretical rate, the orders of its sweeps, and the numbers of known worlds."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401 - registers the ids
from rlkit.agents.value_iteration import Config, _order, make
from rlkit.mdp import from_env
from rlkit.tabular.ends import edges
from rlkit.tabular.problem import make_problem
from tests.probes import book_5x5, random_mdp
from tests.reference import optimum

ORDERS = ["jacobi", "gauss-seidel", "red-black", "random"]


def solved(world, seed=0, **config):
    agent = make(world, Config(**config), seed=seed)
    list(agent.updates(100_000))
    assert agent.converged
    return agent


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_the_distance_shrinks_by_gamma_in_every_sweep(gamma):
    rng = np.random.default_rng(0)
    for mdp in (book_5x5(), *(random_mdp(rng) for _ in range(20))):
        best = optimum(mdp, gamma)
        for order in ORDERS:
            agent = make(mdp, Config(gamma=gamma, order=order))
            distance = np.abs(best.v).max()
            for _ in agent.updates(200):
                closer = np.abs(agent.v - best.v).max()
                assert closer <= gamma * distance + 1e-12
                distance = closer


def test_on_a_deterministic_grid_the_rate_is_met():
    best = optimum(book_5x5(), 0.9)
    agent = make(book_5x5(), Config(tolerance=1e-9))
    errors = [np.abs(agent.v - best.v).max() for _ in agent.updates(100)]
    np.testing.assert_allclose(errors, 10 * 0.9 ** np.arange(1, 101), rtol=1e-9)  # the target collects 1 a sweep


def test_gauss_seidel_is_never_behind_jacobi_from_below():
    """From v0 <= T v0 both climb monotonically to v*, and newer values are larger (Puterman 6.3.3)."""
    mdp = from_env(gym.make("FrozenLake-v1"))
    jacobi, in_place = make(mdp, Config(gamma=0.99)), make(mdp, Config(gamma=0.99, order="gauss-seidel"))
    for _ in zip(jacobi.updates(300), in_place.updates(300), strict=True):
        assert (in_place.v >= jacobi.v - 1e-15).all()


def test_red_black_colours_a_grid_like_a_chess_board():
    board = make_problem(book_5x5(), 0.9)
    order = _order(board, "red-black")
    row, col = np.divmod(order, 5)
    np.testing.assert_array_equal((row + col) % 2, [0] * 13 + [1] * 12)
    np.testing.assert_array_equal(np.sort(order), np.arange(25))
    source, _, target = edges(board.model)
    first = set(order[:13].tolist())
    moved = source != target
    assert all((s in first) != (t in first) for s, t in zip(source[moved], target[moved], strict=True))


def test_every_order_visits_every_state_once():
    rng = np.random.default_rng(1)
    for _ in range(20):
        problem = make_problem(random_mdp(rng), 0.9)
        for name in ("gauss-seidel", "red-black"):
            np.testing.assert_array_equal(np.sort(_order(problem, name)), np.arange(problem.n_states))


def test_random_orders_come_from_the_seed():
    one, same, other = (make(book_5x5(), Config(order="random"), seed=seed) for seed in (3, 3, 4))
    for agent in (one, same, other):
        list(agent.updates(5))
    np.testing.assert_array_equal(one.v, same.v)
    assert not np.array_equal(one.v, other.v)


def test_span_stopping_returns_the_middle_of_the_bounds():
    best = optimum(book_5x5(), 0.9)
    fast, slow = solved(book_5x5(), stop="span"), solved(book_5x5())
    assert fast.step < slow.step
    assert np.abs(fast.v - best.v).max() <= fast.bound <= 1e-6
    assert solved(from_env(gym.make("FrozenLake-v1")), stop="span").bound <= 1e-6  # episodes end: as "sup"


@pytest.mark.parametrize("config", [{"order": "gauss_seidel"}, {"stop": "spam"}])
def test_a_misspelt_choice_is_refused(config):
    with pytest.raises(ValueError, match=r"(order is 'gauss_seidel'; .* 'gauss-seidel'|stop is 'spam'; .* 'span')"):
        make(book_5x5(), Config(**config))


@pytest.mark.parametrize("order", ORDERS)
def test_known_worlds(order):
    assert solved(gym.make("GridWorld-v0"), order=order).v.mean() == pytest.approx(7.79936, abs=6e-6)
    lake = solved(gym.make("FrozenLake-v1"), gamma=0.99, order=order, tolerance=1e-8)
    assert lake.v[0] == pytest.approx(0.542026, abs=5e-7)
