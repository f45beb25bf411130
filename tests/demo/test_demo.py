"""The demo: the book's numbers stand in its tables, every card has its files, and the page holds them all."""

import json

import pytest

from rlkit import demo
from rlkit.demo import chapter2, chapter3, chapter4, maze, rates, toy_text


def rows(cards, name):
    (card,) = [card for card in cards if card.name == name]
    return card.table


def test_chapter_2():
    cards = chapter2.cards()
    values = [[row[f"v(s{s})"] for s in (1, 2, 3, 4)] for row in rows(cards, "chapter2-2x2")]
    assert values == [pytest.approx(v) for v in ([9, 10, 10, 10], [8, 10, 10, 10], [8.5, 10, 10, 10])]
    means = [row["mean value"] for row in rows(cards, "chapter2-5x5")]
    assert means[2] == pytest.approx(-3.52, abs=0.005)
    assert rows(cards, "chapter2-5x5")[1]["worst"] == pytest.approx(-10)  # bumping for ever


def test_chapter_3():
    cards = chapter3.cards()
    first, short, blind, careful = rows(cards, "chapter3-figure-3-4")
    assert first["mean value"] == pytest.approx(7.79936)
    assert (short["best"], blind["best"], careful["best"]) == pytest.approx((2.0, 1.0, 10.0))
    (affine,) = [card.scalars for card in cards if card.name == "chapter3-affine"]
    assert affine["least difference"] == pytest.approx(10)
    assert affine["largest difference"] == pytest.approx(10)
    assert affine["the same optimal actions"]


def test_chapter_4():
    cards = chapter4.cards()
    table = rows(cards, "chapter4-value-iteration")
    assert [row["v"] for row in table] == pytest.approx([0, 0, 0, 0, 0, 1, 1, 1, 0.9, 1.9, 1.9, 1.9])
    sweeps = rows(cards, "chapter4-evaluation")
    assert [(row["v(s1)"], row["v(s2)"]) for row in sweeps[:3]] == [(0, 0), (-1, 0), pytest.approx((-1.9, -0.9))]
    cells = rows(cards, "chapter4-two-cells")
    assert [row["v"] for row in cells] == pytest.approx([-10, -9, 10, 10])
    assert [row["next policy"] for row in cells] == ["right", "stay", "right", "stay"]
    figure = rows(cards, "chapter4-figure-4-4")
    assert figure[-1]["cells improved"] == 0
    errors = [row["largest error"] for row in figure]
    assert errors == sorted(errors, reverse=True)


def test_every_bound_holds_and_value_iteration_keeps_its_rate():
    cards = rates.cards()
    for name in ("rates-book", "rates-slippery"):
        table = rows(cards, name)
        assert [row["planner"] for row in table] == list(rates.PLANNERS)
        for row in table:
            if row["planner"] != "backward induction":  # its bound is on the values of a finite number of steps
                assert row["true error"] <= row["proven bound"] <= 1e-9
    value_iteration = rows(cards, "rates-book")[0]
    assert value_iteration["true error"] == pytest.approx(10 * 0.9 ** value_iteration["rounds"], rel=1e-3)


def test_gymnasiums_worlds():
    scalars = {card.title: card.scalars for card in toy_text.cards()}
    starts = {title: found["value at the start"] for title, found in scalars.items()}
    known = {"FrozenLake-v1": 0.542026, "FrozenLake8x8-v1": 0.41464, "CliffWalking-v1": -13, "Taxi-v4": 7.93}
    assert starts == pytest.approx(known, abs=2e-6)


def test_the_maze_is_left():
    (card,) = maze.cards()
    assert card.scalars["states"] == 40_000
    assert card.scalars["proven error"] <= 1e-6
    assert 398 <= card.scalars["steps of the way"] < 1000


def test_the_page(tmp_path, capsys):
    parts = (("Two", chapter2.cards), ("Three", chapter3.cards))
    page = demo.demo(tmp_path, parts)
    text = page.read_text(encoding="utf-8")
    assert text.index("<h2>Two") < text.index("<h2>Three")
    assert len(list(tmp_path.glob("*.png"))) == 5
    found = json.loads((tmp_path / "chapter2-2x2.json").read_text(encoding="utf-8"))
    assert found["group"] == "Two"
    assert "✓ Two 2 cards" in capsys.readouterr().out
