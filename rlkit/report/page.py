"""One self-contained HTML page from a directory of results: NAME.png and NAME.json side by side make one card."""

import base64
import json
import struct
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from rlkit.report.answers import answers
from rlkit.report.files import write_atomically
from rlkit.report.tables import details, table
from rlkit.run.directory import CONFIG, is_run

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Card(NamedTuple):
    """One result: its heading, its words and numbers, its picture."""

    group: str
    order: float
    name: str
    result: dict[str, Any]
    picture: Path | None


def report(directory: str | Path, *, title: str = "rlkit report") -> Path:
    """Write `report.html` into a directory from the PNG and JSON files under it, and return its path.

    A JSON result is an object; the keys `title`, `caption`, `group` (a heading; otherwise the folder's name), `order`
    (a number, smaller first), `table` (a list of rows as objects, or `{"columns": [...], "rows": [[...]]}`) and
    `scalars` (an object) have meaning, and every other key is listed with the scalars. The page asks for nothing from
    outside: styles and pictures are inside it, and there is no script.

    Raises:
        ValueError: where there is nothing to show, or naming the file that is no picture or no JSON object.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a directory; give the one that holds the pictures and results")
    cards = sorted(_cards(folder), key=lambda card: (card.order, card.name))
    if not cards:
        raise ValueError(f"{folder} holds no PNG and no JSON file; there is nothing to show")
    first = {group: index for index, group in reversed(list(enumerate(card.group for card in cards)))}
    cards.sort(key=lambda card: first[card.group])  # groups in the order of their first card
    sections = [(group, list(members)) for group, members in groupby(cards, key=lambda card: card.group)]
    return write_atomically(folder / "report.html", _page(title, sections).encode())


def _cards(folder: Path) -> Iterator[Card]:
    files = [path for path in folder.rglob("*") if path.suffix in {".png", ".json"} and path.is_file()]
    shown = [
        path
        for path in files
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not (path.name == CONFIG and is_run(path.parent))
        and not any(is_run(parent.parent) and parent.name == "model" for parent in path.parents)
    ]
    for stem in sorted({path.with_suffix("") for path in shown}):
        words, picture = stem.with_name(stem.name + ".json"), stem.with_name(stem.name + ".png")
        result = _read(words) if words in shown else {}
        place = stem.relative_to(folder)
        group = str(result.get("group") or " / ".join(place.parts[:-1]))
        order = result.get("order")
        rank = float(order) if isinstance(order, int | float) else float("inf")
        yield Card(group, rank, str(place), result, picture if picture in shown else None)


def _read(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(result, dict):
        raise ValueError(f"{path} holds a {type(result).__name__}; a result is a JSON object")
    rows = result.get("table", [])
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)) and not (
        isinstance(rows, dict) and all(isinstance(row, list) for row in [rows.get("columns"), *rows.get("rows", [0])])
    ):
        raise ValueError(f'{path}: its table is neither a list of objects nor {{"columns": [...], "rows": [[...]]}}')
    return result


def _page(title: str, sections: list[tuple[str, list[Card]]]) -> str:
    links = "".join(f'<a href="#s{i}">{escape(group)}</a>' for i, (group, _) in enumerate(sections) if group)
    body = "".join(
        f'<section id="s{i}">{f"<h2>{escape(group)}</h2>" if group else ""}<div class="cards">'
        + "".join(_article(card) for card in cards)
        + "</div></section>"
        for i, (group, cards) in enumerate(sections)
    )
    count = sum(len(cards) for _, cards in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head><body>'
        f"<header><h1>{escape(title)}</h1><p>{count} result{'s' if count != 1 else ''}</p>"
        f"{f'<nav>{links}</nav>' if links else ''}</header><main>{body}</main></body></html>\n"
    )


def _article(card: Card) -> str:
    known = ("title", "caption", "group", "order", "table", "scalars", "answers")
    title = str(card.result.get("title") or Path(card.name).name.replace("_", " ").replace("-", " "))
    caption = card.result.get("caption")
    scalars = card.result.get("scalars")
    numbers = dict(scalars) if isinstance(scalars, dict) else {} if scalars is None else {"scalars": scalars}
    numbers |= {key: value for key, value in card.result.items() if key not in known}
    image, wide = _image(card.picture, title) if card.picture else ("", False)
    rows = table(card.result["table"]) if card.result.get("table") else ""
    said = answers(card.result["answers"]) if card.result.get("answers") else ""
    return (
        f"<article{' class=wide' if wide or said else ''}><h3>{escape(title)}</h3>{image}"
        f"{f'<p>{escape(str(caption))}</p>' if caption else ''}{rows}{said}{details(numbers)}</article>"
    )


def _image(path: Path, title: str) -> tuple[str, bool]:
    content = path.read_bytes()
    if not content.startswith(SIGNATURE) or len(content) < 24:
        raise ValueError(f"{path} is not a PNG picture")
    width, height = struct.unpack(">II", content[16:24])
    data = base64.b64encode(content).decode()
    tag = f'<img alt="{escape(title)}" width="{width}" height="{height}" src="data:image/png;base64,{data}">'
    return tag, width > 1.45 * height or width >= 1200
