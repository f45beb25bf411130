"""Answers on the page: every token coloured by its advantage, escaped, some moments of a run; and what a run keeps of them."""

import json
import re

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rlkit.cli import main
from rlkit.cli.languages import coloured
from rlkit.report.answers import answers, chosen
from rlkit.run.answers import ANSWERS, append, cut, read_answers
from tests.report.test_page import read


def moment(step, tokens, reward=1.0, prompt="1 < 2?", gold="yes"):
    one = {"prompt": prompt, "gold": gold, "reward": reward, "tokens": tokens}
    return {"step": step, "reward": 0.5, "length": 2.0, "answers": [one]}


def test_colours_are_shares_of_the_largest_advantage_and_their_sign():
    page = answers([moment(1234, [["a", 0.5], ["b", -0.25], ["<b>", None], ["\n", 0.0]], reward=-0.5)])
    assert '<span class="t" style="--a:1.00" title="advantage +0.500">a</span>' in page
    assert '<span class="t bad" style="--a:0.50" title="advantage −0.250">b</span>' in page
    assert '<span class="said-by-others">&lt;b&gt;</span>' in page
    assert "1 &lt; 2?" in page
    assert "<b>1\u202f234 tokens</b>" in page
    assert '<b class="bad">−0.5</b>' in page
    assert "gold yes" in page


def test_a_long_run_shows_its_first_its_last_and_some_between():
    steps = [found["step"] for found in chosen([moment(i, []) for i in range(40)])]
    assert steps == [0, 8, 16, 23, 31, 39]
    assert len(chosen([moment(i, []) for i in range(3)])) == 3


def test_moments_are_kept_and_taken_back(tmp_path):
    for step in (1, 5, 9):
        append(tmp_path, moment(step, [["é", 1.0]]))
    with (tmp_path / ANSWERS).open("a") as file:
        file.write('{"step": 11, "rew')
    assert [found["step"] for found in read_answers(tmp_path)] == [1, 5, 9]
    assert cut(tmp_path, 5) == 5
    assert [found["step"] for found in read_answers(tmp_path)] == [1, 5]
    assert cut(tmp_path / "none", 5) == 0
    assert read_answers(tmp_path / "none") == []


def test_tokens_in_the_terminal():
    text = coloured([["good", 2.0], ["bad", -2.0], ["none", None], ["nothing", 0.0]])
    assert text.plain == "goodbadnonenothing"
    assert [str(span.style) for span in text.spans] == ["white on rgb(0,114,178)", "white on rgb(190,84,0)", "dim"]
    assert len(coloured([["x" * 300, 1.0]])) == 200


def test_a_run_s_answers_are_on_its_page_and_its_model_s_files_are_not(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = (
        "train grpo --task copying --model tiny --arg letters=ab --arg longest=1 --max-steps 3 --envs 16 --threads 1"
    )
    assert main([*words.split(), "--steps", "200", "--out", "one", "--no-show"]) == 0
    assert main(["train", "--resume", "one", "--steps", "400", "--no-show"]) == 0
    moments = read_answers("one")
    steps = [found["step"] for found in moments]
    assert steps == sorted(set(steps))
    assert len(steps) > 4
    assert steps[-1] >= 400
    told = EventAccumulator(str(tmp_path / "one"))
    told.Reload()
    tags = {"return", "length", "entropy", "kl", "clipped", "alike", "tokens_per_second"}
    assert tags <= set(told.Tags()["scalars"])
    assert all(event.value > 0.0 for event in told.Scalars("tokens_per_second"))
    assert main(["report", "one"]) == 0
    capsys.readouterr()
    reader = read(tmp_path / "one" / "report.html")
    said = " ".join(reader.words)
    assert "What it wrote" in said
    assert "vocab" not in said  # model/config.json is no result
    page = (tmp_path / "one" / "report.html").read_text()
    assert len(re.findall(r"<details", page)) == min(6, len(steps))
    shown = json.loads((tmp_path / "one" / "what_it_wrote.json").read_text())["answers"]
    assert any(value for found in shown for one in found["answers"] for _, value in one["tokens"])
