"""Choosing actions: probabilities by hand, ties, and that drawn actions have the probabilities that are stated."""

import math

import numpy as np
import pytest

from rlkit.tabular import explore
from rlkit.tabular.explore import EPSILON_GREEDY, SOFTMAX, UCB, Behaviour

Q = np.array([[1.0, 3.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0], [-1.0, -2.0, -3.0, -0.5]])
EVEN = (np.arange(10_000) + 0.5) / 10_000


def shares(choose):
    return np.bincount([choose(u) for u in EVEN], minlength=4) / len(EVEN)


def test_greedy_takes_the_lowest_of_the_best():
    assert [explore.greedy(Q, s) for s in range(3)] == [1, 0, 3]
    assert [explore.best(Q, s) for s in range(3)] == [3.0, 0.0, -0.5]


def test_epsilon_greedy_has_the_probabilities_of_the_book():
    np.testing.assert_allclose(shares(lambda u: explore.epsilon_greedy(Q, 2, 0.4, u)), [0.1, 0.1, 0.1, 0.7], atol=2e-4)


def test_ties_are_broken_evenly_while_exploring():
    np.testing.assert_allclose(
        shares(lambda u: explore.epsilon_greedy(Q, 0, 0.2, u)), [0.05, 0.45, 0.45, 0.05], atol=2e-4
    )
    np.testing.assert_allclose(shares(lambda u: explore.epsilon_greedy(Q, 1, 0.0, u)), np.full(4, 0.25), atol=2e-4)


def test_epsilon_one_never_looks_at_the_values():
    np.testing.assert_allclose(shares(lambda u: explore.epsilon_greedy(Q, 2, 1.0, u)), np.full(4, 0.25), atol=2e-4)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 1e-3, 1e3])
def test_softmax_has_its_probabilities(temperature):
    weight = np.exp((Q[2] - Q[2].max()) / temperature)
    np.testing.assert_allclose(
        shares(lambda u: explore.softmax(Q, 2, temperature, u)), weight / weight.sum(), atol=2e-4
    )


def test_upper_confidence_tries_everything_first_then_the_largest_bound():
    visits = np.array([[3, 0, 2, 0]])
    np.testing.assert_allclose(shares(lambda u: explore.upper_confidence(Q[:1], visits, 0, 1.0, u)), [0, 0.5, 0, 0.5])
    visits = np.array([[1, 10, 10, 1]])
    bounds = [q + 2.0 * math.sqrt(math.log(22) / n) for q, n in zip(Q[0], visits[0], strict=True)]
    assert explore.upper_confidence(Q[:1], visits, 0, 2.0, 0.5) == int(np.argmax(bounds))


@pytest.mark.parametrize("behaviour", [Behaviour(EPSILON_GREEDY, 0.3), Behaviour(SOFTMAX, 0.7), Behaviour(UCB, 2.0)])
@pytest.mark.parametrize("s", [0, 1, 2])
def test_expected_value_is_the_mean_under_the_stated_probabilities(behaviour, s):
    pi = np.array([explore.probability(Q, s, a, behaviour) for a in range(4)])
    assert pi.sum() == pytest.approx(1.0)
    assert explore.expected(Q, s, behaviour) == pytest.approx(pi @ Q[s])
