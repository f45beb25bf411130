"""Feature maps: formulas by hand, tile coding's properties, and features of states as tables."""

from functools import cache
from itertools import product

import gymnasium as gym
import numpy as np
import pytest

from rlkit.learning.features import read_map
from rlkit.learning.inputs import Inputs, inputs
from rlkit.tabular.features import scale


def unit(k=2):
    return Inputs(np.stack([np.zeros(k), np.ones(k)]), np.zeros((0, k)))


def vector(text, x, seen=None):
    found = read_map(text, seen or unit(len(x)))
    column, phi = found.column[None].copy(), found.phi[None].copy()
    assert found.encode(np.array(x, np.float64), column, phi, 0)
    out = np.zeros(found.size)
    np.add.at(out, column[0], phi[0])
    return out


@cache
def made(text, dimensions):
    return read_map(text, unit(dimensions))


def active(text, x):
    found = made(text, len(x))
    column, phi = found.column[None].copy(), found.phi[None].copy()
    found.encode(np.array(x, np.float64), column, phi, 0)
    return column[0]


def test_polynomials_are_the_products_up_to_the_degree():
    x, y = 0.3, 0.9
    u, w = 2 * x - 1, 2 * y - 1
    assert np.allclose(vector("polynomial(2)", [x, y]), [1, u, w, u * u, u * w, w * w], atol=1e-15)
    assert len(vector("polynomial(3)", [x, y])) == 10
    assert len(vector("polynomial(2)", [x] * 4)) == 15


def test_fourier_features_are_the_cosines_of_all_frequencies():
    x, y = 0.3, 0.9
    wanted = [np.cos(np.pi * (i * x + j * y)) for i in range(3) for j in range(3)]
    assert np.allclose(vector("fourier(2)", [x, y]), wanted, atol=1e-15)


def test_bumps_are_gaussian():
    wanted = [np.exp(-((0.2 - c) ** 2) / (2 * 0.5**2)) for c in (0, 0.5, 1)]
    assert np.allclose(vector("rbf(3)", [0.2]), wanted, atol=1e-15)
    wanted = [np.exp(-((0.2 - c) ** 2) / (2 * 0.1**2)) for c in (0, 0.5, 1)]
    assert np.allclose(vector("rbf(3, 0.1)", [0.2]), wanted, atol=1e-15)


@pytest.mark.parametrize(("k", "order"), [(1, 1), (1, 1000), (2, 20), (3, 5), (4, 2)])
def test_fourier_features_by_products_are_the_plain_cosines(k, order):
    frequencies = np.array(list(product(range(order + 1), repeat=k)))
    for x in [*np.random.default_rng(0).random((20, k)), np.zeros(k), np.ones(k), np.full(k, 0.5)]:
        found = vector(f"fourier({order})", x)
        assert np.allclose(found, np.cos(np.pi * frequencies @ x), rtol=0.0, atol=1e-12)


def test_aggregation_puts_the_thousand_states_of_the_book_into_ten_groups():
    seen = Inputs(np.array([[0.0], [999.0]]), np.arange(1000.0)[:, None])
    groups = [int(vector("aggregate(10)", [s], seen).argmax()) for s in range(1000)]
    assert groups == [s // 100 for s in range(1000)]
    assert vector("aggregate(3x2)", [0.99, 0.4]).tolist() == [0, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("text", ["tiles(8, 5)", "tiles(8, 5, hash=97)", "tiles(4, 3x7)"])
def test_each_tiling_has_one_active_tile(text):
    rng = np.random.default_rng(0)
    for x in [*rng.random((200, 2)), [0, 0], [1, 1], [0, 1]]:
        found = vector(text, x)
        assert found.sum() == len(active(text, x)) == int(text[6])
        assert set(np.unique(found)) <= ({0, 1} if "hash" not in text else {0, 1, 2, 3, 4})


def test_tiles_of_different_tilings_never_coincide():
    rng = np.random.default_rng(0)
    for x in rng.random((200, 2)):
        assert (active("tiles(8, 4x4)", x) // 25).tolist() == list(range(8))


def test_a_shift_by_a_whole_tile_shifts_every_active_tile_by_one():
    rng = np.random.default_rng(1)
    for x, y in rng.random((200, 2)) * 0.75:
        before, after = active("tiles(8, 4)", [x, y]), active("tiles(8, 4)", [x + 0.25, y])
        assert (after - before == 5).all()  # the first input's tiles are 5 places apart
        assert (active("tiles(8, 4)", [x, y + 0.25]) - before == 1).all()


def test_near_points_share_more_tiles_than_far_ones():
    one = active("tiles(8, 4)", [0.5, 0.5])
    shared = [int((active("tiles(8, 4)", [0.5 + step, 0.5]) == one).sum()) for step in (0.0, 0.04, 0.1, 0.2, 0.26)]
    assert shared[0] == 8
    assert shared == sorted(shared, reverse=True)
    assert shared[-1] == 0


def test_a_step_of_a_fraction_of_a_tile_changes_one_tile_of_eight():
    """The displacements of one input are all the eighths, so that any eighth of a tile crosses one border."""
    for j in range(2):
        for k in range(24):
            x = np.full(2, 0.33)
            x[j] = 0.1 + k / 32
            y = x.copy()
            y[j] += 1 / 32
            assert (active("tiles(8, 4)", x) != active("tiles(8, 4)", y)).sum() == 1


@pytest.mark.parametrize("size", [50, 200, 1000, 100_000])
def test_hashing_collides_as_often_as_chance(size):
    """Of n tiles in `size` places, size (1 - (1 - 1/size)^n) places are taken on average."""
    places = {}
    for x in np.linspace(0.0, 1.0, 120):
        for y in np.linspace(0.0, 1.0, 120):
            plain, hashed = active("tiles(4, 8)", [x, y]), active(f"tiles(4, 8, hash={size})", [x, y])
            for one, other in zip(plain.tolist(), hashed.tolist(), strict=True):
                assert places.setdefault(one, other) == other, "a tile has one place"
    n, taken = len(places), len(set(places.values()))
    expected = size * (1 - (1 - 1 / size) ** n)
    assert max(places.values()) < size
    assert abs(taken - expected) < 5 * np.sqrt(expected * (1 - expected / size)) + 1


def test_inputs_are_scaled_clipped_or_squashed():
    spans = np.array([[-2.0, 0.0], [4.0, np.inf]])
    for x, wanted in (([0, 0], [0.5, 0.5]), ([-2, 1], [0, 0.75]), ([9, -3], [1, 0.125])):
        numbers = np.array(x, np.float64)
        assert scale(numbers, spans)
        assert numbers.tolist() == wanted
    for bad in (np.nan, np.inf, -np.inf):
        assert not scale(np.array([0.0, bad]), spans)


def test_what_a_map_sees():
    grid = inputs(gym.make("CliffWalking-v1"), "")
    assert grid.spans.tolist() == [[0, 0], [11, 3]]
    assert grid.states[13].tolist() == [1, 1]
    assert grid.states[35].tolist() == [11, 2]
    assert inputs(gym.make("FrozenLake-v1"), "").states[6].tolist() == [2, 1]
    assert inputs(gym.make("Taxi-v4"), "").states[77].tolist() == [77]
    assert inputs(gym.make("Blackjack-v1"), "").states[-1].tolist() == [31, 10, 1]
    cart = inputs(gym.make("CartPole-v1"), "").spans
    assert np.isinf(cart[1]).tolist() == [False, True, False, True]
    assert inputs(gym.make("MountainCar-v0"), "-1:1, 0:3").spans.tolist() == [[-1, 0], [2, 3]]


def test_an_observation_of_another_size_than_its_space_is_named():
    found = read_map("fourier(2)", unit(2))
    with pytest.raises(ValueError, match=r"\[0.1, 0.2, 0.3\] has 3 numbers, and its observation_space 2"):
        found.encode([0.1, 0.2, 0.3], found.column[None], found.phi[None], 0)


def test_an_observation_is_left_as_it_is_whatever_its_type():
    wanted = vector("fourier(2)", [0.25, 0.5])
    found = read_map("fourier(2)", unit(2))
    for obs in (np.array([0.25, 0.5]), np.array([0.25, 0.5], np.float32), (0.25, 0.5), np.array([[0.25], [0.5]])):
        before, value = np.array(obs), np.zeros((1, found.size))
        assert found.encode(obs, found.column[None], value, 0)
        assert np.array_equal(value[0], wanted)
        assert np.array_equal(before, obs)
