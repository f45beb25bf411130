"""The curves of runs on disk, drawn from what they reported; a run that goes on, or has died, is drawn as far as it is."""

from pathlib import Path
from typing import Any

from rlkit.report.answers import chosen
from rlkit.report.curves import WORDS, curve, learning_curves, metric, optimum
from rlkit.report.files import save_picture, save_result
from rlkit.run.answers import read_answers
from rlkit.run.directory import is_run, read_run
from rlkit.run.log import REPORTS, read_log

PICTURE = "curve.png"
RESULT = "curve.json"
SAID = "what_it_wrote.json"


def draw_run(folder: str | Path) -> list[Path]:
    """Write the learning curve of a run as curve.png, and what it came to as curve.json; nothing without a finite number.

    Of a language model that answers, some of its answers as what_it_wrote.json too.

    Raises:
        ValueError: the folder holds no run.
    """
    place = Path(folder)
    run, lines = read_run(place), read_log(place)
    if not lines:
        return []
    reports = [line.report for line in lines]
    key = metric(reports)
    found = {run.agent: curve(reports, key)}
    title = f"{run.agent}, {run.env}" if run.env else run.agent
    try:
        picture = learning_curves(
            found,
            optimum(reports) if key == "value" else None,
            title=title,
            y=WORDS.get(key, key),
            log_y=key == "rmse" and bool((found[run.agent].each > 0.0).all()),
        )
    except ValueError:  # nothing to draw yet
        return []
    seeds = found[run.agent].each.shape[1]
    what = f"interquartile mean over {seeds} runs with its 95 % bootstrap interval" if seeds > 1 else "one run"
    result: dict[str, Any] = {
        "title": title,
        "group": place.resolve().name,
        "caption": f"{WORDS.get(key, key)}: {what}",
        "scalars": {"steps": reports[-1].step, "seconds": lines[-1].seconds, **reports[-1].scalars},
        "settings": {name: value for name, value in run.config.items() if isinstance(value, str | int | float)},
    }
    written = [save_picture(picture, place / PICTURE), save_result(result, place / RESULT)]
    moments = chosen(read_answers(place))
    if moments:
        said = {"title": "What it wrote", "group": result["group"], "answers": moments}
        written.append(save_result(said, place / SAID))
    return written


def draw_runs(folder: str | Path) -> None:
    """Draw every run under a folder that has reported since it was drawn.

    Raises:
        ValueError: naming what is wrong in one.
    """
    for path in sorted(Path(folder).rglob(REPORTS)):
        picture = path.with_name(PICTURE)
        if is_run(path.parent) and not (picture.exists() and picture.stat().st_mtime >= path.stat().st_mtime):
            draw_run(path.parent)
