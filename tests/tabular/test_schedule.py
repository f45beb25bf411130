"""Schedules: how they are written, what they are worth at each count, which conditions they meet, what is refused."""

import math
import re

import numpy as np
import pytest

from rlkit.tabular.schedule import COSINE, LINEAR, POWER, Schedule, bounded, per_visit, rate, schedule

FORMS = {
    "0.1": Schedule(POWER, 0.1),
    "1e-3": Schedule(POWER, 0.001),
    "0": Schedule(POWER, 0.0),
    "1/k": Schedule(POWER, 1.0, power=1.0),
    "1/n": Schedule(POWER, 1.0, power=1.0, per_visit=True),
    "1/(k)": Schedule(POWER, 1.0, power=1.0),
    "1 / (k + 10)": Schedule(POWER, 1.0, offset=10.0, power=1.0),
    "2/(n+0.5)": Schedule(POWER, 2.0, offset=0.5, power=1.0, per_visit=True),
    "2/(k-0.5)": Schedule(POWER, 2.0, offset=-0.5, power=1.0),
    "0.5/k^0.7": Schedule(POWER, 0.5, power=0.7),
    "0.5/(k+3)^0.7": Schedule(POWER, 0.5, offset=3.0, power=0.7),
    "linear(0.5, 0.01, 10000)": Schedule(LINEAR, 0.5, 0.01, horizon=10000.0),
    "cosine(1,0,100)": Schedule(COSINE, 1.0, 0.0, horizon=100.0),
}


@pytest.mark.parametrize("text", FORMS)
def test_the_grammar(text):
    assert schedule(text) == FORMS[text]


@pytest.mark.parametrize("text", [*FORMS, "0.1234567891", "1/(k+12345678)", "linear(0.123456789, 0, 1e7)"])
def test_a_schedule_is_written_so_that_it_can_be_read(text):
    found = schedule(text)
    assert schedule(str(found)) == found
    assert schedule(found) == found


def test_numbers_may_come_as_numbers():
    assert schedule(0.25) == schedule(np.float64(0.25)) == schedule("0.25")
    assert schedule(1) == schedule("1")


def test_values_by_hand():
    for text, values in {
        "0.1": {1: 0.1, 2: 0.1, 10**9: 0.1},
        "1/k": {1: 1.0, 2: 0.5, 4: 0.25},
        "3/(k+2)": {1: 1.0, 4: 0.5},
        "1/(k-0.5)": {1: 2.0, 2: 1 / 1.5},
        "2/k^0.5": {1: 2.0, 4: 1.0, 16: 0.5},
        "1/(k+7)^2": {1: 1 / 64, 3: 0.01},
        "linear(1, 0.2, 4)": {1: 1.0, 2: 0.8, 3: 0.6, 5: 0.2, 99: 0.2},
        "linear(0, 1, 2)": {1: 0.0, 2: 0.5, 3: 1.0},
        "cosine(1, 0, 4)": {1: 1.0, 2: 0.5 + math.sqrt(0.125), 3: 0.5, 5: 0.0, 99: 0.0},
    }.items():
        for k, value in values.items():
            assert schedule(text)(k) == pytest.approx(value, abs=1e-15), (text, k)
            assert rate(schedule(text).packed(), k) == schedule(text)(k)


def test_only_n_counts_visits():
    assert per_visit(schedule("1/n").packed())
    assert not per_visit(schedule("1/k").packed())


@pytest.mark.parametrize(
    ("text", "diverges", "squares"),
    [
        ("0.1", True, False),
        ("0", False, True),
        ("1/k", True, True),
        ("0.01/(n+1000)", True, True),
        ("1/k^0.7", True, True),
        ("1/k^0.5", True, False),  # Σ 1/k
        ("1/k^0.3", True, False),
        ("1/k^1.01", False, True),
        ("1/k^2", False, True),  # π²/6
        ("0/k", False, True),
        ("1/k^0", True, False),
        ("linear(1, 0, 100)", False, True),
        ("linear(0, 0.1, 100)", True, False),
        ("cosine(1, 0, 100)", False, True),
        ("cosine(1, 0.01, 100)", True, False),
    ],
)
def test_the_conditions_of_robbins_and_monro(text, diverges, squares):
    found = schedule(text)
    assert (found.sum_diverges, found.squares_converge) == (diverges, squares)
    assert found.robbins_monro == (diverges and squares)


def test_the_sums_behave_as_the_conditions_say():
    """Doubling the number of terms adds as much again and again where a sum diverges, and less and less where not."""

    def doublings(text, power):
        a = np.array([schedule(text)(k) for k in range(1, 2**14 + 1)]) ** power
        return [a[2**n : 2 ** (n + 1)].sum() for n in (11, 12, 13)]

    for text in ("1/k", "1/k^0.7", "1/(k+5)", "1/k^0.5", "1/k^1.5", "0.1"):
        first, _, last = doublings(text, 1)
        assert (last > 0.99 * first) == schedule(text).sum_diverges, text
        first, _, last = doublings(text, 2)
        assert (last < 0.99 * first) == schedule(text).squares_converge, text


def test_the_last_value():
    for text, last in {
        "0.1": 0.1,
        "1/k": 0.0,
        "linear(1, 0.2, 4)": 0.2,
        "cosine(1, 0, 4)": 0.0,
        "0.5/k^0": 0.5,
    }.items():
        assert schedule(text).last == last


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fast",
        "1/m",
        "1/k+10",
        "1/(k+10",
        "1/k)",
        "1/(k+)",
        "1//k",
        "k",
        "1/2",
        "linear(1,0)",
        "cosine(1,0,5",
        "1/(k+1)^",
    ],
)
def test_what_is_no_schedule_is_refused_with_the_ways_to_write_one(text):
    with pytest.raises(ValueError, match=r"alpha is .*; write a number, '1/k'") as error:
        schedule(text, "alpha")
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    "text", ["-0.1", "-1/k", "nan", "inf", "1/k^-1", "linear(1, -0.1, 5)", "1e999", "nan/k", "1/k^inf"]
)
def test_numbers_that_make_no_sense_are_refused(text):
    with pytest.raises(ValueError, match=r"alpha is .*finite, and none may be negative"):
        schedule(text, "alpha")


@pytest.mark.parametrize("text", ["1/(k-1)", "1/(k-7)", "linear(1, 0, 0)", "cosine(1, 0, -5)"])
def test_division_by_zero_is_refused(text):
    with pytest.raises(ValueError, match="it divides by zero"):
        schedule(text, "alpha")


def test_bounds_hold_for_every_value():
    for text in ("1", "0.5/k", "linear(1, 0, 10)", "cosine(0, 1, 10)", "1/(k+3)^2"):
        bounded(text, "alpha", 0.0, 1.0, open_below=True)
    for text, value in {
        "2": "2",
        "2/k": "2",
        "1/(k-0.5)": "2",
        "linear(0.5, 3, 10)": "3",
        "cosine(1.5, 0, 10)": "1.5",
    }.items():
        with pytest.raises(
            ValueError, match=rf"alpha is '{re.escape(text)}', which takes the value {value}; it must lie in \(0, 1\]"
        ):
            bounded(text, "alpha", 0.0, 1.0, open_below=True)


@pytest.mark.parametrize("text", ["0", 0.0, "0/k", "linear(0, 0, 10)"])
def test_a_step_of_zero_is_no_step(text):
    with pytest.raises(ValueError, match=r"takes the value 0; it must lie in \(0, 1\]"):
        bounded(text, "alpha", 0.0, 1.0, open_below=True)
    assert bounded(text, "epsilon", 0.0, 1.0)(1) == 0.0
