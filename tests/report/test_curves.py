"""Learning curves: which number, which points, where the optimum is, and what is drawn."""

import numpy as np
import pytest

import rlkit
from rlkit.agent import Report
from rlkit.report.curves import Curve, curve, learning_curves, metric, optimum
from rlkit.report.files import save_picture
from rlkit.report.page import report
from rlkit.report.runs import draw_run, draw_runs

NAN, INF = np.nan, np.inf


def reports(key, rows, **more):
    return [Report(10 * k, {key: float(np.mean(row)), **more}, {key: row}) for k, row in enumerate(rows, 1)]


def test_a_run_without_a_number_keeps_its_last_one_and_all_wait_for_the_first():
    found = curve(reports("return", [[NAN, 1.0], [2.0, NAN], [NAN, 3.0]]), "return")
    assert found.steps.tolist() == [20, 30]
    assert found.each.tolist() == [[2.0, 1.0], [2.0, 3.0]]


def test_agents_without_runs_side_by_side_have_one_curve():
    found = curve([Report(1, {"loss": 2.0}), Report(2, {"loss": 1.0})], "loss")
    assert found.each.tolist() == [[2.0], [1.0]]


def test_the_number_that_says_most_is_taken():
    control = reports("value", [[1.0, 2.0]], **{"return": 3.0, "regret": 0.5})
    prediction = [Report(1, {"return": 1.0, "rmse": 0.5})]
    assert metric(control) == "value"
    assert metric(prediction) == "rmse"
    assert metric(control, prediction) == "return"
    assert metric([Report(1, {"return": NAN, "loss": 2.0})]) == "loss"
    assert metric(reports("value", [[-INF, -INF]], **{"return": 3.0})) == "return"


def test_the_optimum_is_what_value_and_regret_come_to():
    assert optimum([Report(1, {"value": -INF, "regret": INF}), Report(2, {"value": 2.0, "regret": 0.5})]) == 2.5
    assert optimum([Report(1, {"return": 2.0})]) is None


def test_what_is_drawn():
    steps = np.arange(1, 11) * 100
    one = Curve(steps, np.linspace(0, 1, 10)[:, None] + np.array([0.0, 0.1, 0.2, 0.3]))
    two = Curve(steps, np.where(np.arange(10)[:, None] < 5, -INF, 0.5) * np.ones((10, 4)))
    made = learning_curves({"one": one, "two": two}, 1.5, title="t", y="value")
    (axes,) = made.axes
    optimal, first, _, second, _ = axes.lines[:5]
    assert optimal.get_ydata().tolist() == [1.5, 1.5]
    np.testing.assert_allclose(first.get_ydata(), np.linspace(0, 1, 10) + 0.15)
    assert second.get_xdata().tolist() == [600, 700, 800, 900, 1000]  # nothing is drawn where it is infinite
    words = {text.get_text() for text in axes.texts}
    assert words == {"optimum 1.5", "one", "two"}
    low, high = axes.get_ylim()
    assert high > 1.5
    assert low > -1


def test_nothing_to_draw_is_named():
    empty = Curve(np.zeros(0, np.int64), np.zeros((0, 1)))
    with pytest.raises(ValueError, match="sarsa has no finite number"):
        learning_curves({"sarsa": empty})


def test_a_run_is_drawn_from_its_directory(tmp_path):
    rlkit.fit(rlkit.make("q_learning", "FrozenLake-v1", seeds=3), 1000, out=tmp_path / "a", origin={"env": "lake"})
    rlkit.fit(rlkit.make("td0", "FrozenLake-v1"), 1000, out=tmp_path / "b")
    picture, result = draw_run(tmp_path / "a")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "q_learning, lake" in result.read_text()
    draw_runs(tmp_path)
    assert (tmp_path / "b" / "curve.png").exists()
    page = report(tmp_path).read_text(encoding="utf-8")
    assert page.count("<article") == 2  # config.json is no result


def test_a_run_is_drawn_again_only_where_it_went_on(tmp_path, monkeypatch):
    rlkit.fit(rlkit.make("td0", "FrozenLake-v1"), 100, out=tmp_path / "a")
    drawn = []
    monkeypatch.setattr("rlkit.report.runs.draw_run", lambda folder: drawn.append(folder.name))
    draw_runs(tmp_path)
    assert drawn == ["a"]
    save_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "a" / "curve.png")
    draw_runs(tmp_path)
    assert drawn == ["a"]


def test_a_run_without_reports_is_no_error(tmp_path):
    from rlkit.run.directory import begin

    begin(tmp_path / "a", rlkit.make("td0", "FrozenLake-v1"))
    assert draw_run(tmp_path / "a") == []
