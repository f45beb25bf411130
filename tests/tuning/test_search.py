"""The search finds a known optimum, gives up what is bad, and goes on from its journal."""

import pytest

from rlkit.tuning.ranges import Range
from rlkit.tuning.search import open_study, ranking, search

SPACE = {"x": Range(0.0, 1.0), "kind": Range(values=("good", "bad"))}


def play(config, i):
    return -((config["x"] - 0.3) ** 2) - (config["kind"] == "bad") + 1e-6 * i


def test_it_finds_the_best_and_gives_up_the_worst(tmp_path):
    study = open_study(tmp_path, 0, "test")
    tried = list(search(study, 40, SPACE, play, 3))
    best = ranking(study)[0]
    assert best.config["kind"] == "good"
    assert best.config["x"] == pytest.approx(0.3, abs=0.05)
    assert best.score == pytest.approx(play(best.config, 1))
    assert all(len(one.each) == 3 for one in tried if one.whole)
    given_up = [one for one in tried if not one.whole]
    assert given_up
    assert all(one.score < best.score for one in given_up)


def test_it_goes_on_from_its_journal(tmp_path):
    first = list(search(open_study(tmp_path, 0, "test"), 3, SPACE, play, 1))
    study = open_study(tmp_path, 0, "test")
    more = list(search(study, 2, SPACE, play, 1))
    assert [one.number for one in first + more] == [0, 1, 2, 3, 4]
    assert {one.number for one in ranking(study)} == {0, 1, 2, 3, 4}
    assert max(ranking(study), key=lambda one: one.score) == ranking(study)[0]


def test_what_an_agent_refuses_or_blows_up_is_no_result(tmp_path):
    def refuse(config, _):
        if config["kind"] == "bad":
            raise ValueError("no such kind")
        return float("nan")

    study = open_study(tmp_path, 0, "test")
    assert not any(one.whole for one in search(study, 6, SPACE, refuse, 2))
    assert ranking(study) == []
    assert "no such kind" in {trial.user_attrs.get("refused") for trial in study.trials}
