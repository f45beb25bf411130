"""`rlkit train` and `rlkit eval`: what is shown and written, going on after every kind of end, and every mistake's message."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import rlkit
from rlkit.agents import load, names
from rlkit.cli import main
from rlkit.cli.train import Train
from rlkit.learning.config import Learning
from rlkit.run.checkpoint import read
from rlkit.run.log import read_log
from rlkit.sample.config import Deep
from tests import crashing  # noqa: F401 - registers Crashing-v0

CRASH = "tests.crashing:Crashing-v0"
FILES = {"config.json", "checkpoint.npz", "reports.jsonl", "curve.png", "curve.json"}
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def cli(words):
    """Run the command line in this process."""
    return main(words.split())


def run(*argv, **environment):
    """Run the command line in a process of its own."""
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", "import sys; from rlkit.cli import main; sys.exit(main())", *argv],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def state(folder):
    return read(Path(folder) / "checkpoint.npz").state


def same(one, other):
    """Whether two runs have learned the same to the last bit, and said the same on the way."""
    first, second = state(one)["memory"], state(other)["memory"]
    assert first.keys() == second.keys()
    told = [[(line.report.step, repr(line.report)) for line in read_log(folder)] for folder in (one, other)]
    return all(np.array_equal(first[key], second[key]) for key in first) and told[0] == told[1]


def steps_in_tensorboard(folder, tag):
    found = EventAccumulator(str(folder))
    found.Reload()
    return [event.step for event in found.Scalars(tag)]


def test_a_training_shows_and_writes(capsys):
    words = "train q_learning --env GridWorld-Book3x3-v0 --arg max_episode_steps=20 --alpha 0.2 --seeds 5 --steps 40000 --epsilon 0.3"
    assert cli(words) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "5 runs of 40,000" in shown.out
    assert "in 5 of 5 runs" in shown.out
    assert "│ X→  → T○ │" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines()[:-2])
    folder = Path("runs/q_learning-GridWorld-Book3x3-v0-0")
    assert f"tensorboard --logdir {folder}" in shown.out
    assert {path.name for path in folder.iterdir()} >= FILES
    assert steps_in_tensorboard(folder, "value") == [400 * k for k in range(1, 101)]
    config = json.loads((folder / "config.json").read_text())
    assert (config["config"]["alpha"], config["seed"], config["arg"]) == (0.2, 0, ["max_episode_steps=20"])


def test_another_training_has_another_folder():
    for _ in range(2):
        assert cli("train td0 --env FrozenLake-v1 --steps 100 --seed 3") == 0
    assert {path.name for path in Path("runs").iterdir()} == {"td0-FrozenLake-v1-3", "td0-FrozenLake-v1-3-2"}


def test_prediction_shows_its_error_and_a_map_file_is_a_world(capsys):
    Path("my map.txt").write_text("S..\n..T\n")
    assert main(["train", "td0", "--env", "my map.txt", "--arg", "max_episode_steps=30", "--steps", "3000"]) == 0
    shown = capsys.readouterr().out
    assert "root mean square" in shown
    assert " value" in shown
    assert "policy" not in shown
    assert Path("runs/td0-my map-0/curve.png").exists()


def test_without_a_model_the_return_is_drawn(capsys):
    assert cli("train q_learning --env Blackjack-v1 --steps 2000 --out out") == 0
    assert "env.step, one by one" in capsys.readouterr().out
    assert "return of the episodes" in Path("out/curve.json").read_text()


def test_where_no_episode_ends_it_says_so(capsys):
    assert cli("train q_learning --steps 200 --no-show --out out") == 0
    assert "no episode has ended" in capsys.readouterr().out


@pytest.mark.parametrize("engine", ["compiled", "stepped"])
def test_going_on_in_a_new_process_equals_never_stopped(engine):
    words = f"train sarsa --env FrozenLake-v1 --seeds 2 --engine {engine} --report 50 --no-show".split()
    assert main([*words, "--steps", "1000", "--out", "whole"]) == 0
    assert main([*words, "--steps", "400", "--out", "part"]) == 0
    done = run("train", "--resume", "part", "--steps", "1000")
    assert (done.returncode, done.stderr) == (0, "")
    assert same("whole", "part")
    assert steps_in_tensorboard("part", "episodes") == list(range(50, 1001, 50))
    assert json.loads(Path("part/config.json").read_text())["steps"] == 1000


@pytest.mark.parametrize("how", ["raise", "nan", "interrupt", "kill"])
def test_whatever_ends_a_training_it_goes_on_to_the_same_numbers(how):
    words = ["train", "q_learning", "--env", CRASH, "--arg", f"how={how}", "--steps", "3000", "--save-every", "1e-9"]
    whole = run(*words, "--out", "whole")
    assert whole.returncode == 0, whole.stderr
    ended = run(*words, "--out", "part", CRASH_AT="1234")
    assert ended.returncode == {"raise": 1, "nan": 2, "interrupt": 130, "kill": -signal.SIGKILL}[how]
    reached = state("part")["step"]
    assert reached == (1260 if how == "interrupt" else 1230)
    if how != "kill":
        complaint = {
            "raise": "the environment raised ZeroDivisionError: a wheel came off (crashing.py, line ",
            "nan": "Crashing-v0 gave the reward nan for action",
            "interrupt": "stopped",
        }[how]
        assert complaint in ended.stderr
        assert ended.stderr.endswith(f"what was learned up to step {reached:,} is kept: rlkit train --resume part\n")
        assert "Traceback" not in ended.stderr
    done = run("train", "--resume", "part")
    assert (done.returncode, done.stderr) == (0, "")
    assert same("whole", "part")


def test_a_crash_of_our_own_is_not_blamed_on_the_environment(monkeypatch):
    def broken(_):
        raise RuntimeError("a bug")

    monkeypatch.setattr("rlkit.learning.learner.Learner.report", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        cli("train q_learning --steps 100 --out out")


def test_a_training_loads_no_torch():
    code = (
        "import sys; from rlkit.cli import main\n"
        "main(['train', 'q_learning', '--steps', '1000', '--out', 'out'])\n"
        "print([name for name in ('torch', 'tensorflow', 'pygame') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.endswith("[]\n")


def test_a_run_begun_in_python_is_gone_on_with(capsys):
    rlkit.fit(rlkit.make("q_learning", "FrozenLake-v1"), 100, out="mine")
    assert cli("train --resume mine --steps 200") == 2
    assert "name it with --env" in capsys.readouterr().err
    assert cli("train --resume mine --steps 200 --env FrozenLake-v1") == 0
    assert state("mine")["step"] == 200


def test_eval(capsys):
    assert cli("train q_learning --env CliffWalking-v1 --gamma 0.95 --steps 50000 --out out --seeds 2") == 0
    capsys.readouterr()
    assert cli("eval out --episodes 7") == 0
    shown = capsys.readouterr().out
    assert "7 of 13 steps; 7 came to their end" in shown
    assert "-13 ± 0" in shown
    exact = -(1 - 0.95**13) / 0.05
    assert shown.count(f"{exact:.6g}") == 3  # as played, exact, and the optimum
    assert cli("eval out --env CliffWalkingSlippery-v1 --max-steps 50") == 0
    assert "were cut" in capsys.readouterr().out


def test_eval_agrees_with_the_exact_value(capsys):
    assert cli("train q_learning --env FrozenLake-v1 --gamma 0.99 --steps 20000 --out out --seed 1") == 0
    capsys.readouterr()
    assert cli("eval out --episodes 2000 --max-steps 5000 --arg max_episode_steps=5000") == 0
    cells = [line.split("│")[1:3] for line in capsys.readouterr().out.splitlines() if line.count("│") == 3]
    rows = {key.strip(): value for key, value in cells}
    mean, _, error = rows["discounted"].split()[:3]
    assert abs(float(mean) - float(rows["exact value"].split()[0])) < 4 * float(error)


def test_help_names_the_agents_options(capsys):
    for words, told in (
        ("train --help", ["AGENT", "--resume DIR", "--steps N", "rlkit train q_learning --help"]),
        ("train q_learning --help", ["--alpha", "probability of a random action", "--seeds", "--save-every"]),
        ("eval --help", ["RUN", "--episodes"]),
    ):
        with pytest.raises(SystemExit) as stop:
            cli(words)
        assert stop.value.code in {0, None}
        shown = capsys.readouterr().out
        assert all(word in shown for word in told), shown


def test_no_agent_has_an_option_that_is_the_commands():
    own = {field.name for field in dataclasses.fields(Train)}
    for name in names():
        config = load(name).Config
        if issubclass(config, Learning | Deep):
            assert not own & {field.name for field in dataclasses.fields(config)}, name


MISTAKES = [
    ("train", "say who learns"),
    ("train --alpha 0.1", "say who learns"),
    ("train qlearning", "did you mean q_learning"),
    ("train value_iteration", "use `rlkit solve ENV --planner value_iteration`"),
    ("train q_learning --env Nothing-v7", "there is no environment 'Nothing-v7'"),
    ("train q_learning --env CartPole-v1", "a tabular agent needs finitely many: take a linear agent"),
    ("train q_learning --env Pendulum-v1", "Pendulum-v1"),
    ("train q_learning --arg slipp=1", "unexpected keyword argument 'slipp'"),
    ("train q_learning --alpha 0", "alpha is 0.0"),
    ("train q_learning --alpha 2", "alpha is 2.0"),
    ("train q_learning --alpha fast", "alpha is 'fast'"),
    ("train q_learning --epsilon -1", "epsilon is"),
    ("train q_learning --gamma 2", "gamma is 2.0"),
    ("train q_learning --explore boldly", "--explore"),
    ("train q_learning --seeds 0", "seeds is 0"),
    ("train q_learning --steps 0", "--steps is 0"),
    ("train q_learning --steps many", "--steps"),
    ("train q_learning --save-every 0", "--save-every is 0.0"),
    ("train q_learning --colour red", "--colour"),
    ("train q_learning --out full", "full exists and is not empty"),
    ("train q_learning --out full/file", "exists and is not empty"),
    ("train --resume missing", "missing holds no run of rlkit"),
    ("train --resume full", "full holds no run of rlkit"),
    ("train --resume done", "done has taken all its steps; give --steps more than 100"),
    ("train --resume done --steps 50", "give --steps more than 100"),
    ("train q_learning --resume done", "--resume goes on as the run was begun"),
    ("train --resume done --seed 3", "--resume goes on as the run was begun"),
    ("train --resume done --env Taxi-v4", "leave out --env"),
    ("train --resume swapped", "holds a sarsa, not a q_learning"),
    ("train --resume planned", "use `rlkit solve"),
    ("train --resume torn", "is not a checkpoint of rlkit, or is cut short"),
    ("eval missing", "missing holds no run of rlkit"),
    ("eval done --env Taxi-v4", "the run in done does not fit Taxi-v4: q has shape"),
    ("eval done --episodes 0", "episodes is 0"),
    ("eval", "RUN"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Run directories, good and bad."""
    place = tmp_path_factory.mktemp("runs")
    (place / "full").mkdir()
    (place / "full" / "file").write_text("something")
    for folder in ("done", "swapped", "torn"):
        agent = rlkit.make("q_learning", "FrozenLake-v1")
        rlkit.fit(agent, 100, out=place / folder, origin={"env": "FrozenLake-v1"})
    rlkit.save(rlkit.make("sarsa", "FrozenLake-v1"), place / "swapped" / "checkpoint.npz")
    content = (place / "torn" / "checkpoint.npz").read_bytes()
    (place / "torn" / "checkpoint.npz").write_bytes(content[:100])
    planner = rlkit.make("value_iteration", "FrozenLake-v1")
    rlkit.fit(planner, 3, out=place / "planned", origin={"env": "FrozenLake-v1"})
    return place


@pytest.mark.parametrize(("words", "complaint"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_told_with_its_remedy(words, complaint, runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    before = sorted(runs.rglob("*"))
    try:
        code = cli(words)
    except SystemExit as stop:  # what tyro does
        code = stop.code
    shown = capsys.readouterr()
    assert code == 2
    assert complaint in " ".join(shown.err.replace("│", " ").split()), shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert sorted(runs.rglob("*")) == before
