"""GridWorld in words: the benchmark's optimum is the one by hand and what gold answers earn, and a tiny model comes to 95 % of it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "llm_grid.py"


@pytest.fixture(scope="module")
def grid():
    spec = importlib.util.spec_from_file_location("llm_grid", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_optimum_is_the_one_by_hand_and_what_gold_answers_earn(grid):
    steps = [(3 - row) + (3 - col) for row in range(4) for col in range(4) if (row, col) != (3, 3)]
    assert grid.optimum(grid.world()) == pytest.approx(
        1 - 0.05 * (np.mean(steps) - 1)
    )  # the forbidden cells can be walked around
    earned = {}
    task, rng = grid.world(), np.random.default_rng(0)
    for _ in range(150):
        episode, total = task.start(rng), 0.0
        prompt, going = episode.prompt, True
        while going:
            turn = episode.answer(episode.gold)
            total, going = total + turn.reward, turn.reply is not None
        earned[prompt] = total
    assert len(earned) == grid.STARTS
    assert np.mean(list(earned.values())) == pytest.approx(grid.optimum(task))


def test_a_refusal_can_be_read(grid):
    language = grid.learner(0)
    episode = language.task.start(np.random.default_rng(0))
    turn = episode.answer("x")
    assert turn.reward == -0.2
    assert language.tokenizer.decode(language.tokenizer.encode(turn.reply)) == f"\n{grid.REFUSAL}\n"


@pytest.mark.slow
def test_a_tiny_model_comes_to_95_percent_of_the_optimum(grid):
    found = grid.measured(0, grid.STEPS)
    assert max(found["new"], found["before"]) < 0.0
    assert found["share"] >= 0.95
