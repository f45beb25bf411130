"""JSON values as HTML: tables with aligned numbers, and lists of names with their values; everything is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any


def table(content: Any) -> str:
    """Write a table from rows given as objects, or from {"columns": [...], "rows": [[...], ...]}."""
    if isinstance(content, Mapping):
        columns = [str(name) for name in content.get("columns", [])]
        rows = [list(row) for row in content.get("rows", [])]
    else:
        columns = list(dict.fromkeys(str(key) for row in content for key in row))
        rows = [[row.get(name) for name in columns] for row in content]
    numeric = [all(_is_number(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows), default=0))]
    head = "".join(_cell("th", escape(name), i < len(numeric) and numeric[i]) for i, name in enumerate(columns))
    body = "".join(
        "<tr>" + "".join(_cell("td", words(item), numeric[i]) for i, item in enumerate(row)) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll"><table>{f"<thead><tr>{head}</tr></thead>" if head else ""}'
        f"<tbody>{body}</tbody></table></div>"
    )


def details(values: Mapping[str, Any]) -> str:
    """List names with their values."""
    if not values:
        return ""
    pairs = "".join(
        f"<div><dt>{escape(_spoken(name))}</dt><dd>{words(value)}</dd></div>" for name, value in values.items()
    )
    return f"<dl>{pairs}</dl>"


def words(value: Any) -> str:
    """Write one JSON value for a reader, escaped; long lists and nested objects are named by their size."""
    if value is None or isinstance(value, bool):
        return {None: "–", True: "yes", False: "no"}[value]
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f").replace("-", "−")
    if isinstance(value, float):
        return f"{value:.6g}".replace("-", "−")
    if isinstance(value, Mapping):
        return ", ".join(f"{escape(_spoken(name))} {words(item)}" for name, item in value.items())
    if isinstance(value, list):
        short = len(value) <= 8 and not any(isinstance(item, list | dict) for item in value)
        return ", ".join(words(item) for item in value) if short else f"{len(value)} values"
    return escape(str(value))


def _cell(tag: str, content: str, number: bool) -> str:
    return f"<{tag}{' class=n' if number else ''}>{content}</{tag}>"


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _spoken(name: str) -> str:
    return str(name).replace("_", " ")
