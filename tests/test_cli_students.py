"""`rlkit train sft --data ... --model ...` and its kin: what is shown and written, going on, measuring in a task, and mistakes."""

import json
from pathlib import Path

import pytest

from rlkit.cli import main
from rlkit.run.checkpoint import read
from rlkit.run.log import read_log

PAIR = {"prompt": "a", "chosen": "b", "rejected": "c"}


@pytest.fixture(autouse=True)
def _folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    answers = [{"question": f"{a}+{b}=", "answer": str(a + b)} for a in range(4) for b in range(4)]
    Path("answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    Path("pairs.jsonl").write_text(json.dumps(PAIR))
    Path("broken.jsonl").write_text(json.dumps(PAIR) + "\n{")


def test_a_model_learns_answers_goes_on_and_is_measured(capsys):
    words = "train sft --data answers.jsonl --model tiny --lr 3e-3 --no-show --report 1 --threads 1"
    assert main(f"{words} --steps 30 --out whole".split()) == 0
    assert "tiny, 16 items a batch" in capsys.readouterr().out
    assert main(f"{words} --steps 20 --out half".split()) == 0
    assert main(["train", "--resume", "half", "--steps", "30", "--no-show"]) == 0
    one, other = (read(Path(name) / "checkpoint.npz").state for name in ("whole", "half"))
    assert all((one["net"][name] == other["net"][name]).all() for name in one["net"])
    assert Path("whole/model/model.safetensors").is_file()
    losses = [line.report.scalars["loss"] for line in read_log(Path("whole"))]
    assert losses[-1] < 0.5 * losses[0]
    assert main(["eval", "whole", "--env", "addition", "--arg", "digits=1", "--episodes", "3"]) == 0
    assert "addition" in capsys.readouterr().out


def test_a_run_is_named_after_its_data():
    assert main(["train", "dpo", "--data", "pairs.jsonl", "--model", "tiny", "--steps", "1", "--no-show"]) == 0
    run = json.loads(Path("runs/dpo-pairs-0/config.json").read_text())
    assert (run["env"], run["model"], run["config"]["data"]) == ("pairs.jsonl", "tiny", "pairs.jsonl")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train sft --model tiny", "sft learns from what was written: give --data FILE.jsonl and --model"),
        ("train sft --data answers.jsonl", "give --data FILE.jsonl and --model"),
        ("train sft --data answers.jsonl --model tiny --env CartPole-v1", "neither --env nor --task"),
        ("train sft --data nowhere.jsonl --model tiny", "there is no file 'nowhere.jsonl'"),
        (
            "train dpo --data answers.jsonl --model tiny",
            "answers.jsonl, line 1 has no field 'chosen' but question, answer",
        ),
        ("train dpo --data broken.jsonl --model tiny", "broken.jsonl, line 2 is no JSON"),
        ("train dpo --data pairs.jsonl --model ./nowhere", "./nowhere is no folder with a model"),
        ("train dpo --data pairs.jsonl --model tiny --beta 0", "beta is 0.0"),
    ],
)
def test_mistakes_are_named(words, message, capsys):
    assert main(words.split()) == 2
    assert message in " ".join(capsys.readouterr().err.split())
