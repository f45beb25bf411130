"""The compiled PCG64 against NumPy's, bit for bit."""

import numpy as np
import pytest
from numba import njit

from envs.pcg64 import from_generator, random, random_53, seeded, thresholds, to_generator, unseeded


@njit
def draw(rng, i, n):
    out = np.empty(n)
    for t in range(n):
        out[t] = random(rng, i)
    return out


@njit
def draw_words(rng, i, n):
    out = np.empty(n, np.uint64)
    for t in range(n):
        out[t] = random_53(rng, i)
    return out


@pytest.mark.parametrize("seed", [0, 1, 123, 2**31, 2**64 + 5, 2**200])
def test_draws_equal_numpy(seed):
    rows = seeded([7, seed])
    assert np.array_equal(draw(rows, 1, 20_000), np.random.default_rng(seed).random(20_000))
    assert np.array_equal(rows[0], seeded([7])[0])  # a row is touched by nobody else


def test_state_is_carried_both_ways():
    numpy_rng = np.random.default_rng(3)
    numpy_rng.random(1001)
    rows = np.array([from_generator(numpy_rng.bit_generator)], np.uint64)
    assert np.array_equal(draw(rows, 0, 999), numpy_rng.random(999))
    assert np.array_equal(to_generator(rows[0]).random(50), numpy_rng.random(50))
    assert tuple(rows[0]) == from_generator(to_generator(rows[0]).bit_generator)


def test_low_word_carries_into_the_high_word():
    rows = np.array([[0, 2**64 - 1, 2**64 - 1, 2**64 - 1], [2**64 - 1, 2**64 - 1, 0, 1], [0, 0, 5, 1]], np.uint64)
    for i in range(3):
        reference = to_generator(rows[i])
        assert np.array_equal(draw(rows, i, 500), reference.random(500))


def test_a_threshold_is_passed_exactly_when_the_cdf_is():
    rng = np.random.default_rng(0)
    u = np.concatenate([rng.random(5000), [0.0, 0.5, 0.1]])
    words = (u * 2.0**53).astype(np.uint64)
    cdf = np.concatenate([rng.random(50), u[:50], np.nextafter(u[:50], 1.0), np.nextafter(u[:50], 0.0), [0.0, 1.0]])
    assert np.array_equal(thresholds(cdf)[None] <= words[:, None], cdf[None] <= u[:, None])


def test_words_are_the_bits_of_random():
    assert np.array_equal(draw_words(seeded([5]), 0, 100) * 2.0**-53, np.random.default_rng(5).random(100))


def test_unseeded_rows_differ_and_are_legal():
    rows = unseeded(100)
    assert (rows[:, 3] % 2 == 1).all()
    assert len({tuple(row) for row in rows}) == 100
    assert len(np.unique([draw(rows, i, 1)[0] for i in range(100)])) == 100
