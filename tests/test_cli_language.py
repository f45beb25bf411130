"""`rlkit train grpo --task ... --model ...`: what is shown and written, going on, measuring, and every mistake's message."""

import json
import re
from pathlib import Path

import pytest

from rlkit.cli import main
from rlkit.cli.held_out import held_out
from rlkit.cli.languages import open_language
from rlkit.run.checkpoint import read
from rlkit.run.log import read_log

TRAIN = "train grpo --task copying --model tiny --arg letters=ab --arg longest=1 --preset drgrpo --max-steps 3 --lr 1e-3 --envs 64 --threads 1"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def test_a_language_model_learns_a_task_and_is_measured(capsys):
    assert main(f"{TRAIN} --steps 12000 --out one".split()) == 0
    said = capsys.readouterr().out
    assert "prompt" in said
    assert "gold" in said
    assert "tiny, 64 answers at a time" in said
    run = json.loads(Path("one/config.json").read_text())
    assert (run["env"], run["model"], run["arg"]) == ("copying", "tiny", ["letters=ab", "longest=1"])
    assert run["config"]["advantage"] == "none"  # Dr. GRPO's
    assert read_log(Path("one"))[-1].report.scalars["return"] > 0.9
    assert main(["eval", "one", "--episodes", "20"]) == 0
    assert "1 ± 0" in capsys.readouterr().out


def test_problems_that_are_held_out_are_answered_before_and_after(capsys):
    words = TRAIN.replace("longest=1", "longest=3").replace("--arg letters", "--arg held_out=False --arg letters")
    assert main(f"{words} --steps 12000 --out one --no-show".split()) == 0
    said = re.findall(r"held-out pass@1 (before|after): ([0-9.]+)", capsys.readouterr().out)
    assert [when for when, _ in said] == ["before", "after"]
    assert float(said[0][1]) < float(said[1][1])
    language = open_language("copying", ["letters=ab", "longest=3", "held_out=False", "temperature=0.5"], "tiny")
    apart = held_out(language, "copying", ["letters=ab", "longest=3", "held_out=False", "temperature=0.5"])
    trained = {problem.prompt for problem in language.task.problems()}
    assert trained.isdisjoint(problem.prompt for problem in apart.task.problems())
    assert apart.policy is language.policy
    assert held_out(language, "copying", ["letters=ab"]) is None
    assert held_out("an environment", "copying", ["held_out=False"]) is None


def test_a_run_goes_on_where_it_stopped(capsys):
    assert main(f"{TRAIN} --steps 1000 --report 1 --out whole --no-show".split()) == 0
    assert main(f"{TRAIN} --steps 500 --report 1 --out half --no-show".split()) == 0
    assert main(["train", "--resume", "half", "--steps", "1000", "--no-show"]) == 0
    one, other = (read(Path(name) / "checkpoint.npz").state for name in ("whole", "half"))
    assert one["step"] == other["step"]
    assert all((one["policy"][name] == other["policy"][name]).all() for name in one["policy"])
    assert "prompt" not in capsys.readouterr().out


def test_ppo_with_a_critic_of_tokens_trains_from_the_command_line(capsys):
    words = "train token_ppo --task copying --model tiny --arg letters=ab --arg longest=1 --max-steps 3 --lr 1e-3 --threads 1"
    assert main(f"{words} --envs 16 --batch 16 --steps 300 --out one --no-show".split()) == 0
    run = json.loads(Path("one/config.json").read_text())
    assert (run["agent"], run["config"]["epochs"], run["config"]["kl"]) == ("token_ppo", 4, 0.02)
    assert main(["train", "--resume", "one", "--steps", "400", "--no-show"]) == 0
    assert main(["eval", "one", "--episodes", "5"]) == 0
    assert "return" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train grpo --task addition", "--task and --model belong together"),
        ("train grpo --model tiny", "--task and --model belong together"),
        ("train grpo --task addition --model tiny --env CartPole-v1", "take the place of --env"),
        ("train ppo --task addition --model tiny", "ppo is no agent for language models; those are grpo"),
        ("train grpo --task adition --model tiny", "there is no task 'adition'; did you mean addition"),
        ("train grpo --task addition --model tiny --arg digit=2", "does not take these arguments"),
        ("train grpo --task addition --model ./nowhere", "./nowhere is no folder with a model"),
        ("train grpo --task addition --model tiny --arg temperature=0", "temperature"),
        ("train grpo --task addition --model tiny --max-steps 500", "the model's context is 256"),
        ("train grpo --task addition --model tiny --group 5", "group is 5, and 32 answers are written at a time"),
    ],
)
def test_mistakes_are_named(words, message, capsys):
    assert main(words.split()) == 2
    assert message in " ".join(capsys.readouterr().err.split())
