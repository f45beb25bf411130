"""The tables of docs/llm.md, written from results between two marks."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.truth.study import Result

MARKS = "<!-- token_truth: {} -->", "<!-- token_truth: end -->"
TABLES = ("on policy", "moved", "sampler", "divergence")


def markdown(results: Sequence[Result], table: str) -> str:
    """Return one table: a line for each name, three columns for each world."""
    chosen = [one for one in results if one.table == table]
    worlds, names = list(dict.fromkeys(one.world for one in chosen)), list(dict.fromkeys(one.name for one in chosen))
    heads = ("value", "cosine", "length") if table == "divergence" else ("cosine", "length", "noise")
    at = {(one.name, one.world): one for one in chosen}
    last = [] if table == "divergence" else ["known of the mean"]
    columns = [
        f"{world if i == 0 else ''}{': ' if i == 0 else ''}{head}" for world in worlds for i, head in enumerate(heads)
    ]
    lines = [_line(["", *columns, *last]), _line(["---", *["---:"] * len(columns), *["---"] * len(last)])]
    for name in names:
        cells = [cell for world in worlds for cell in _cells(at[name, world], heads)]
        lines.append(_line([name, *cells, *[at[name, worlds[0]].what for _ in last]]))
    return "\n".join(lines)


def write(path: Path, results: Sequence[Result]) -> None:
    """Put the tables into a page, between their marks.

    Raises:
        ValueError: a mark is missing.
    """
    text = path.read_text(encoding="utf-8")
    for table in TABLES:
        begin, end = (mark.format(table) for mark in MARKS)
        before, found, after = text.partition(begin + "\n")
        if not found or end not in after:
            raise ValueError(f"{path} has no place for the table: the lines {begin} and {end}")
        text = f"{before}{begin}\n{markdown(results, table)}\n{after[after.index(end) :]}"
    path.write_text(text, encoding="utf-8")


def _cells(one: Result, heads: Sequence[str]) -> list[str]:
    return [_number(getattr(one, head), exact=head != "noise") for head in heads]


def _number(x: float | None, *, exact: bool) -> str:
    assert x is not None
    whole = exact and abs(x - round(x)) < 1e-9
    return f"{round(x)}" if whole else f"{x:.3f}" if exact else f"{x:.2f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
