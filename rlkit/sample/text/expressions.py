"""Arithmetic that a model wrote: parsed into a tree and worked out node by node, in fractions; nothing is ever run as code."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final, NamedTuple

LENGTH: Final = 400  # of an expression; what is longer has no value
_ALLOWED: Final = re.compile(r"[0-9+\-*/() ]+", re.ASCII)
_POWER: Final = re.compile(r"\*\s*\*|/\s*/")
_OPERATIONS: Final[dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Worked(NamedTuple):
    """What an expression is worth, and the whole numbers that stand in it, from left to right."""

    value: Fraction
    used: list[int]


def work_out(text: str, longest: int = LENGTH) -> Worked | None:
    """Return the value of whole numbers joined by + - * / and brackets; None for anything else, and for a division by 0.

    No powers: with at most 400 letters, or `longest`, no result is large.
    """
    words = text.strip()
    if len(words) > longest or not _ALLOWED.fullmatch(words) or _POWER.search(words):
        return None
    try:
        tree = ast.parse(words, mode="eval")
        used: list[int] = []
        return Worked(_worth(tree.body, used), used)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):  # how the parser says no
        return None


def _worth(node: ast.expr, used: list[int]) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        used.append(node.value)
        return Fraction(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_worth(node.operand, used)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_worth(node.left, used), _worth(node.right, used))
    raise ValueError(f"{ast.dump(node)[:80]} is no arithmetic")
