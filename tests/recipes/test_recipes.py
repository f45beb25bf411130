"""Recipes: what is taught earns its reward, stages are kept whole and not done again, judges come back, and the tiny model goes through all."""

import io
import json
import re

import numpy as np
import pytest
import torch
from rich.console import Console

from rlkit.cli import main
from rlkit.recipes.course import Course
from rlkit.recipes.judging import judge_of, learn_to_judge
from rlkit.recipes.lessons import imitate
from rlkit.recipes.rlhf import _preferred
from rlkit.recipes.school import General, Mixed, letters, liked, sums, tagged_text
from rlkit.recipes.setting import setting
from rlkit.sample.rejection import Scored
from rlkit.sample.studies import Answer, Pair

QUIET = Console(quiet=True)


def course(tmp_path, seed=0):
    return Course(tmp_path / "out", {"recipe": "test", "seed": seed}, setting("tiny", seed).build, QUIET)


@pytest.mark.parametrize("school", [letters(), sums()], ids=["letters", "sums"])
def test_the_cold_start_s_answers_earn_all_there_is(school):
    task = school.task(held_out=False, format_=1.0, language_=1.0)
    asked = {}
    rng = np.random.default_rng(0)
    for _ in range(300):
        problem = task.start(rng)
        asked[problem.prompt] = problem
    data = [one for one in school.clean(np.random.default_rng(1), 100) if one.prompt in asked]
    assert len(data) > 20
    assert all(asked[one.prompt].answer(one.answer).reward == 3.0 for one in data)
    assert all(re.search(r"<think>\w+</think>|<think>[\d+=]+</think>", one.answer) for one in data)


def test_nothing_that_is_held_out_is_taught():
    school, rng = letters(), np.random.default_rng(0)
    held_out = {school.task(held_out=True).start(rng).prompt for _ in range(500)}
    assert held_out
    assert not held_out & {one.prompt for one in school.noisy(rng, 2_000)}


def test_the_noise_is_what_the_school_says():
    data = [one for one in letters().noisy(np.random.default_rng(0), 4_000) if one.prompt.endswith("=")]
    tagged = [one for one in data if "<answer>" in one.answer]
    right = [tagged_text(one.answer, one.prompt[:-1]) for one in tagged]
    foreign = [bool(set(one.answer) & set("абцдэ")) for one in tagged]
    assert len(tagged) / len(data) == pytest.approx(0.5, abs=0.03)
    assert np.mean(foreign) == pytest.approx(0.5, abs=0.04)
    assert np.mean(right) == pytest.approx(0.51, abs=0.04)  # half, and what chance makes right


def test_what_is_liked():
    assert [liked("ab", text) for text in ("ab!", "ab", "ab.", "ba!", "")] == [1.0, 0.5, 0.5, 0.0, 0.0]
    mixed, rng = Mixed((General(), letters().task(held_out=False))), np.random.default_rng(0)
    assert {mixed.start(rng).prompt[-1] for _ in range(20)} == {"?", "="}


def test_people_prefer_what_they_like_and_never_one_of_two_equal_texts():
    found = [Scored("ab?", "ab!", 1.0, True), Scored("ab?", "b", 0.0, True)] * 400
    pairs = _preferred(found, np.random.default_rng(0))
    assert np.mean([pair.chosen == "ab!" for pair in pairs]) == pytest.approx(1.0 / (1.0 + np.exp(-8.0)), abs=0.01)
    assert not _preferred([found[0], found[0]], np.random.default_rng(0))


def test_a_finished_stage_is_not_done_again_and_a_stopped_one_leaves_nothing(tmp_path):
    done = []

    def teach(speaker, folder):
        done.append(speaker.tokenizer.size)
        imitate(speaker, [Answer("ab=", "ab")] * 8, lr=1e-2, seed=0, epochs=2)
        (folder / "note").write_text("kept")

    def fail(folder):
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    first = course(tmp_path)
    row = first.learn("one", "", teach, lambda _: {"pass@1": 0.5})
    weights = [p.detach().clone() for p in first.language("one").policy.parameters()]
    with pytest.raises(KeyboardInterrupt):
        first.stage("two", fail)
    second = course(tmp_path)
    assert second.learn("one", "", teach, lambda _: {"pass@1": 0.9}) == row
    assert len(done) == 1
    assert (second.folder("one") / "note").read_text() == "kept"
    assert not second.folder("two").exists()
    assert second.stage("two", lambda folder: {"left": len(list(folder.iterdir()))}) == {"left": 0}
    for mine, theirs in zip(weights, second.language("one").policy.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    fresh = list(second.language("").policy.parameters())
    assert not all(torch.equal(mine, theirs) for mine, theirs in zip(weights, fresh, strict=True))
    assert "0.5" in _text(second.table("stages"))


def test_another_recipe_in_the_folder_is_refused(tmp_path):
    course(tmp_path)
    with pytest.raises(ValueError, match="holds a recipe with seed 0, not 1"):
        course(tmp_path, 1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(ValueError, match="exists and holds no recipe"):
        Course(tmp_path / "other", {}, setting("tiny", 0).build, QUIET)


def test_a_judge_comes_back_from_its_folder(tmp_path):
    lessons, kept = course(tmp_path), {}
    data = [Pair(f"{word}?", f"{word}!", word) for word in ("ab", "cd", "ea", "bc")]

    def judge(folder):
        found = learn_to_judge(lessons.language(""), data, folder, lr=3e-3, epochs=40, seed=0)
        kept["said"] = found.score(["ab?"] * 2, ["ab!", "ab"])
        return {}

    lessons.stage("judge", judge)
    again = judge_of(lessons, "judge").score(["ab?"] * 2, ["ab!", "ab"])
    assert kept["said"][0] > kept["said"][1]
    np.testing.assert_array_equal(again, kept["said"])


def test_a_seed_below_zero_is_named(capsys):
    assert main(["r1", "--seed", "-1"]) == 2
    assert "--seed is -1" in capsys.readouterr().err


@pytest.mark.slow
def test_the_tiny_model_goes_through_all_stages_of_r1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["r1", "--out", "out"]) == 0
    rows = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("out/*/row.json")}
    assert len(rows) == 9
    assert rows["0-base"]["pass@1"] < 0.3 < rows["1-cold-start"]["pass@1"] + 0.1
    assert rows["2-reasoning"]["pass@1"] > rows["0-base"]["pass@1"] + 0.2
    assert rows["5-all"]["liked"] > rows["4-sft"]["liked"]
    assert "6 student" in capsys.readouterr().out
    assert main(["r1", "--out", "out"]) == 0  # all is there: read again


def _text(table):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()
