"""Curves of rows on quiet axes, and the key under a picture: what the study's pictures share."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.estimators.measure import Measured
from benchmarks.estimators.rows import Row
from rlkit.report.style import DASHES, GRID, INK, LINES, MUTED, figure, quiet

SEEN = 2.5  # standard errors above which a measured bias without a closed form is drawn


class Curve(NamedTuple):
    """A name in the key, which rows make it, and its colour and dashes."""

    name: str
    chosen: Callable[[Row], bool]
    colour: int


def panels(title: str, x: str, titles: Sequence[str], height: float = 4.4) -> tuple[Figure, list[Axes]]:
    """Make a row of axes that share what they are over."""
    made = figure(11.2, height, title)
    axes = [quiet(made.add_subplot(1, len(titles), k + 1), x) for k in range(len(titles))]
    for one, words in zip(axes, titles, strict=True):
        one.set_title(words, color=INK, fontsize=9, loc="left", pad=6)
    return made, axes


def choose(rows: Iterable[Row], curve: Curve) -> tuple[list[Any], list[Measured], list[Row]]:
    """Return the details, the measures and the rows of a curve."""
    found = [row for row in rows if curve.chosen(row)]
    return [row.detail for row in found], [row.measured for row in found], found


def style(curve: Curve) -> dict[str, Any]:
    """How a curve is drawn."""
    return {"color": LINES[curve.colour], "linewidth": 1.6, "label": curve.name}


def line(axes: Axes, x: Sequence[float], y: Sequence[float], curve: Curve, marker: str = "") -> None:
    """Draw a curve in its own dashes."""
    axes.plot(x, y, **style(curve), marker=marker, markersize=3.5, dashes=DASHES[curve.colour % len(DASHES)])


def noise(axes: Axes, height: float, where: tuple[float, float], words: str) -> None:
    """Shade what cannot be told from no bias."""
    axes.axhspan(0.0, height, color=GRID, alpha=0.6, linewidth=0)
    axes.text(*where, words, color=MUTED, fontsize=7.5, ha="center", va="center")


def powers(axes: Axes, sizes: Sequence[float]) -> None:
    """Name the sizes on a logarithmic axis."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{n:g}" for n in sizes])
    axes.xaxis.set_minor_locator(NullLocator())


def decades(axes: Axes) -> None:
    """Make the other axis logarithmic."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    ticks = [t for t in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100) if low <= t <= high]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.yaxis.set_minor_locator(NullLocator())


def key(made: Figure, axes: Axes, columns: int, more: Sequence[Artist] = ()) -> None:
    """Name the curves under all panels."""
    handles = [*axes.get_legend_handles_labels()[0], *more]
    made.legend(
        handles=handles,
        loc="outside lower left",
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=3.2,
    )
