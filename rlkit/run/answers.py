"""What a language model answered while it learned, in a run's folder: one line of JSON for each moment that was kept."""

import json
from pathlib import Path
from typing import Any

from rlkit.run.files import replacing

ANSWERS = "answers.jsonl"


def append(folder: Path, moment: dict[str, Any]) -> None:
    """Add a moment: its step, the mean reward, and some answers."""
    with (folder / ANSWERS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(moment, ensure_ascii=False) + "\n")


def read_answers(folder: str | Path) -> list[dict[str, Any]]:
    """Return the moments that were kept; a line that was cut short is left out."""
    path = Path(folder) / ANSWERS
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def cut(folder: Path, step: int) -> int:
    """Take back what was kept after a step; return the step of the last moment that is left, 0 without any."""
    kept = [moment for moment in read_answers(folder) if moment["step"] <= step]
    if (folder / ANSWERS).is_file():
        with replacing(folder / ANSWERS) as file:
            file.writelines(f"{json.dumps(moment, ensure_ascii=False)}\n".encode() for moment in kept)
    return int(kept[-1]["step"]) if kept else 0
