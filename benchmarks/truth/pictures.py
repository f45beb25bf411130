"""The picture of the study: where each algorithm's mean gradient points, how long it is, and how noisy a batch."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures.pictures import save
from benchmarks.truth.study import Result
from rlkit.report.style import INK, LINES, MUTED, figure, quiet

MARKERS = ("o", "s", "D")


def draw(results: Sequence[Result], to: Path) -> Path:
    """Draw the algorithms on policy, one line each, one mark for each world."""
    chosen = [one for one in results if one.table == "on policy"]
    names, worlds = list(dict.fromkeys(one.name for one in chosen)), list(dict.fromkeys(one.world for one in chosen))
    made = figure(11.2, 4.6, "What each algorithm follows on average, over all batches that there are")
    titles = ("cosine of E g with ∇J", "length ‖E g‖ / ‖∇J‖", "noise of a batch √tr Cov g / ‖E g‖")
    first = None
    for place, (key, title) in enumerate(zip(("cosine", "length", "noise"), titles, strict=True)):
        axes = quiet(made.add_subplot(1, 3, place + 1, sharey=first))
        first = first or axes
        axes.set_title(title, color=INK, fontsize=9, loc="left", pad=6)
        for i, world in enumerate(worlds):
            line = [one for one in chosen if one.world == world]
            heights = [names.index(one.name) + 0.22 * (i - 1) for one in line]
            label = f"{world}, {line[0].group} answers a prompt"
            style = {"color": LINES[i], "markersize": 4.5, "linestyle": "", "label": label}
            axes.plot([getattr(one, key) for one in line], heights, MARKERS[i], **style)
        if key != "noise":
            axes.axvline(1.0, color=MUTED, linewidth=4, alpha=0.25)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(labelleft=place == 0)
    assert first is not None
    handles, labels = first.get_legend_handles_labels()
    made.legend(handles, labels, loc="outside lower left", ncols=3, frameon=False, fontsize=8, labelcolor=MUTED)
    return save(made, to)
