"""Every task of reasoning-gym by its name, with its own verifier; needs rlkit[tasks].

Some of those verifiers hand what the model wrote to Python's `eval` or to sympy's parser, which runs it as code. Here the first
are given `ast.literal_eval` in its place, and the second only see sums, products and powers of numbers and names.
"""

import ast
import json
import re
import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from rlkit.sample.text.problem import Question, drawn
from rlkit.sample.text.templates import checked, fill

_ENTRIES: Final = 2**31 - 1
_EVALUATED: Final = frozenset({"binary_matrix", "n_queens", "spiral_matrix", "string_insertion"})
_COUNTED: Final = frozenset(
    {"acre", "gsm_symbolic", "list_functions", "word_ladder"}
)  # that make all their entries at once
_PARSED: Final = frozenset(
    {"countdown", "intermediate_integration", "polynomial_multiplication", "puzzle24", "simple_integration"}
)
_GOLD: Final = {
    "graph_color": "possible_answer",
    "propositional_logic": "example_answer",
    "rubiks_cube": "example_correct_answer",
}
_NAMES: Final = frozenset(re.findall(r"\w+", "sin cos tan asin acos atan sinh cosh tanh exp log ln sqrt Abs pi"))
_NODES, _EXPONENT, _NUMBER = 400, 200, 10**12


class ReasoningGym:
    """Problems of one task.

    Args:
        name: of the task, such as "chain_sum".
        template: see `rlkit.sample.text.templates`.
        held_out: True poses the fifth of the problems that is kept for evaluation, False the others, None all.
        options: of the task, as `reasoning_gym.create_dataset` takes them.

    The answer is what stands in `<answer>` if there is one such pair of tags, else the whole completion; the task's own verifier
    says what it is worth, 0 to 1. An answer at which that verifier fails is worth 0, and so is one more than ten times as long as
    the right one and 2,000 letters. "rush_hour" and "boxnet" know no right answer, and `propositional_logic` only a trivial one at times.

    Raises:
        ValueError: reasoning-gym is missing, or it knows no such task or option.
    """

    def __init__(self, name: str, *, template: str = "plain", held_out: bool | None = None, **options: Any) -> None:
        try:
            from reasoning_gym.factory import DATASETS, create_dataset  # noqa: PLC0415 - an extra, and slow to import
        except ImportError as error:
            raise ValueError(
                f"the task reasoning_gym:{name} needs reasoning-gym: pip install 'rlkit[tasks]'"
            ) from error
        if name not in DATASETS:
            raise ValueError(f"reasoning-gym has no task {name!r}; it has {', '.join(sorted(DATASETS))}")
        try:
            self._data = create_dataset(name, seed=0, size=1 if name in _COUNTED else _ENTRIES, **options)
        except (AssertionError, TypeError) as error:  # how it complains of options
            raise ValueError(f"reasoning_gym:{name} does not take {options}: {error}") from error
        self._entry: Callable[[int], Any] = lambda number: self._data[number]
        if name in _COUNTED:
            self._entry = lambda number: create_dataset(name, seed=number, size=1, **options)[0]
        self.name, self.template, self.held_out = name, checked(template), held_out
        if name in _EVALUATED:
            sys.modules[type(self._data).__module__].__dict__["eval"] = ast.literal_eval

    def start(self, rng: np.random.Generator) -> Question:
        """Return a new problem."""
        return drawn(rng, self._draw, self.held_out)  # type: ignore[return-value]  # what `_draw` returns

    def _draw(self, rng: np.random.Generator) -> tuple[str, Question]:
        entry = self._entry(int(rng.integers(_ENTRIES)))
        gold = _gold(self.name, entry)
        return entry["question"], Question(
            fill(self.template, entry["question"]), gold, lambda text: self._score(text, entry)
        )

    def _score(self, completion: str, entry: dict[str, Any]) -> float:
        if completion.count("<answer>") == 1 and completion.count("</answer>") == 1:
            completion = completion.partition("<answer>")[2].partition("</answer>")[0]
        answer = completion.strip()
        longest = 2_000 + 10 * len(str(entry["answer"]))
        trusted = self.name not in _PARSED or answer == str(entry["answer"]).strip() or is_plain(answer)
        if not answer or len(answer) > longest or not trusted:
            return 0.0
        try:
            return float(self._data.score_answer(answer, entry))
        except Exception:  # what a foreign verifier cannot read is a wrong answer, however it fails
            return 0.0


def is_plain(text: str) -> bool:
    """Whether an expression holds nothing but numbers, names of one letter, known functions, + - * / and modest powers."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
        nodes = list(ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # how the parser says no
        return False
    return len(nodes) <= _NODES and _power(tree.body) <= _EXPONENT


def _power(node: ast.expr) -> float:
    """The degree that an expression may reach; infinite where it holds anything that is not allowed."""
    found = np.inf
    if _is_number(node) or (isinstance(node, ast.Name) and (len(node.id) == 1 or node.id in _NAMES)):
        found = 1.0
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        found = _power(node.operand)
    elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        found = _power(node.args[0]) if isinstance(node.func, ast.Name) and node.func.id in _NAMES else np.inf
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        found = max(_power(node.left), _power(node.right))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        found = _power(node.left) + _power(node.right)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        found = _power(node.left) * max(1.0, _constant(node.right))
    return found


def _constant(node: ast.expr) -> float:
    """The size of an exponent: a number, its negative or a quotient of numbers; infinite for anything else."""
    if isinstance(node, ast.UnaryOp):
        return _constant(node.operand)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _constant(node.left) * max(1.0, _constant(node.right))
    return float(node.value) if _is_number(node) else np.inf  # type: ignore[attr-defined]  # a constant, as checked


def _is_number(node: ast.expr) -> bool:
    """Whether this is a number that is not huge."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value <= _NUMBER


def _gold(name: str, entry: dict[str, Any]) -> str | None:
    found = entry["answer"] if name not in _GOLD else entry["metadata"][_GOLD[name]]
    return json.dumps(found) if isinstance(found, dict) else found
