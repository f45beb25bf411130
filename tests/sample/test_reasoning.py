"""reasoning-gym: all of its tasks by name, and none of them runs what a model wrote."""

import numpy as np
import pytest

from rlkit.sample import tasks

gym_tasks = pytest.importorskip("reasoning_gym.factory", reason="needs rlkit[tasks]")

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
NAMES = sorted(set(gym_tasks.DATASETS) - {"composite"})  # which is made of others
UNSOLVED = {"boxnet", "rush_hour"}  # for which reasoning-gym has no answer
EVIL = "__import__('pathlib').Path('{}').touch() or [1]"


def gold_is_best(name, seeds):
    task = tasks.make(f"reasoning_gym:{name}")
    for seed in seeds:
        problem = task.start(np.random.default_rng(seed))
        if name in UNSOLVED:
            assert problem.gold is None
        else:
            best = 0.25 if name == "propositional_logic" else 1.0  # whose own answers may be trivial
            assert problem.answer(problem.gold).reward >= best, problem.prompt
            assert problem.answer(f"<think>so</think> <answer>{problem.gold}</answer>").reward >= best
        assert 0.0 <= problem.answer("").reward < 1.0


@pytest.mark.parametrize(
    "name", ["chain_sum", "spell_backward", "countdown", "simple_integration", "n_queens", "graph_color"]
)
def test_gold_answers_earn_the_most(name):
    gold_is_best(name, range(3))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_gold_answers_of_every_task_earn_the_most(name):
    gold_is_best(name, range(20))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_task_runs_what_a_model_wrote_or_fails_on_it(name, tmp_path):
    task = tasks.make(f"reasoning_gym:{name}")
    problem = task.start(np.random.default_rng(0))
    garbage = [
        "(" * 1_000,
        "[" * 1_000,
        "9**9**9**9",
        "{}",
        "[]",
        "null",
        "1e999",
        "\x00",
        "٥",
        "[[1, 2], 3]",
        '{"a": {"b": 1}}',
    ]
    for text in [EVIL.format(tmp_path / "ran"), *garbage]:
        assert 0.0 <= problem.answer(text).reward <= 1.0
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name",
    ["spiral_matrix", "binary_matrix", "string_insertion", "n_queens", "countdown", "puzzle24", "simple_integration"],
)
def test_what_a_model_wrote_is_not_run(name, tmp_path):
    problem = tasks.make(f"reasoning_gym:{name}").start(np.random.default_rng(0))
    assert problem.answer(EVIL.format(tmp_path / "ran")).reward <= 0.05
    assert not (tmp_path / "ran").exists()
    assert problem.answer("9**9**9**9").reward <= 0.05


def test_a_list_is_still_taken_where_the_task_takes_it():
    problem = tasks.make("reasoning_gym:spiral_matrix").start(np.random.default_rng(0))
    assert problem.answer(str([int(x) for x in problem.gold.split()])).reward == 0.1


def test_options_go_to_the_task():
    task = tasks.make("reasoning_gym:chain_sum", min_terms=2, max_terms=2, min_digits=1, max_digits=1, template="chat")
    problem = task.start(np.random.default_rng(0))
    assert problem.prompt.startswith("<|im_start|>user\n")
    assert len([word for word in problem.prompt.split() if word.isdigit()]) == 2


def test_held_out_problems_are_others():
    sides = [tasks.make("reasoning_gym:chain_sum", max_terms=2, max_digits=1, held_out=side) for side in (False, True)]
    train, held = ({task.start(np.random.default_rng(seed)).prompt for seed in range(100)} for task in sides)
    assert train
    assert held
    assert not train & held


def test_unknown_tasks_and_options_are_named():
    with pytest.raises(ValueError, match=r"reasoning-gym has no task 'chainsum'; it has .*chain_sum"):
        tasks.make("reasoning_gym:chainsum")
    with pytest.raises(ValueError, match=r"reasoning_gym:chain_sum does not take {'terms': 2}"):
        tasks.make("reasoning_gym:chain_sum", terms=2)
    with pytest.raises(ValueError, match=r"reasoning_gym:chain_sum does not take {'min_terms': 9, 'max_terms': 2}"):
        tasks.make("reasoning_gym:chain_sum", min_terms=9, max_terms=2)
