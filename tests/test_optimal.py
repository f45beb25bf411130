"""Every control agent finds the optimum of the book's 5x5 within its budget, or there is a reason why it cannot."""

import importlib.util
import re
from pathlib import Path

import pytest

import rlkit.agents
from rlkit.learning.config import Control, Learning, Prediction

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("optimal", ROOT / "benchmarks" / "optimal.py")
command = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(command)


def test_no_control_agent_is_left_out():
    learners = {name for name in rlkit.agents.names() if issubclass(rlkit.agents.load(name).Config, Learning)}
    control = {
        name
        for name in learners
        if issubclass(rlkit.agents.load(name).Config, Control)
        or name.startswith("mc_")  # Monte Carlo has its own fields
    }
    assert set(command.BUDGETS) | set(command.ELSEWHERE) == control
    assert issubclass(rlkit.agents.load("mc_off_policy").Config, Prediction)


def test_the_guide_says_what_was_counted():
    guide = (ROOT / "docs" / "learning.md").read_text(encoding="utf-8")
    for name, budget in command.BUDGETS.items():
        row = re.search(rf"\| `{name}` \| {budget.steps:,} \| {budget.limit or 'none'} \| (\d+)/20 \|", guide)
        assert row, name
        assert int(row[1]) >= 19
    for name in command.ELSEWHERE:
        assert f"`{name}`" in guide


@pytest.mark.slow
@pytest.mark.parametrize("name", command.BUDGETS)
def test_defaults_find_the_optimum(name):
    assert command.optimal(name) >= 19
