"""Learning curves: interquartile mean over the runs with its 95 % band, and the optimum drawn in where it is known."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from rlkit.agent import Report
from rlkit.report.labels import End, name_ends
from rlkit.report.robust import Floats, band, interquartile_mean
from rlkit.report.style import DASHES, INK, LINES, MUTED, SURFACE, figure, quiet

WORDS = {
    "value": "exact value of the greedy policy",
    "rmse": "root mean square error of the values",
    "return": "return of the episodes while learning",
}
_DEEP = -1e12  # where a band ends that has no lower end


class Curve(NamedTuple):
    """A number that was reported, for each of n runs."""

    steps: NDArray[np.int64]  # [K]
    each: Floats  # [K, n]


def metric(*runs: Sequence[Report]) -> str:
    """Return what says best how far all of some runs are: `value`, `rmse`, `return`, or the first that has a number."""
    known = [key for key in (*WORDS, *runs[0][-1].scalars) if all(key in reports[-1].scalars for reports in runs)]
    return next((key for key in known if all(drawable(curve(reports, key)) for reports in runs)), "return")


def drawable(found: Curve) -> bool:
    """Whether a curve has an interquartile mean that is finite, somewhere."""
    return bool(np.isfinite(interquartile_mean(found.each)).any())


def curve(reports: Sequence[Report], key: str) -> Curve:
    """Collect a number from reports; where a run has none, its last one goes on, and before that all runs wait."""
    rows = [(report.step, report.each.get(key, [report.scalars.get(key, np.nan)])) for report in reports]
    each = np.array([row for _, row in rows], np.float64).reshape(len(rows), -1)
    for k in range(1, len(each)):
        each[k] = np.where(np.isnan(each[k]), each[k - 1], each[k])
    known = ~np.isnan(each).any(axis=1)
    return Curve(np.array([step for step, _ in rows], np.int64)[known], each[known])


def optimum(reports: Sequence[Report]) -> float | None:
    """Return the exact value of the best policy at the start, or None where nobody knows."""
    for report in reports:
        best = report.scalars.get("value", np.nan) + report.scalars.get("regret", np.nan)
        if np.isfinite(best):
            return best
    return None


def learning_curves(
    curves: Mapping[str, Curve], best: float | None = None, *, title: str = "Learning", y: str = "", log_y: bool = False
) -> Figure:
    """Draw curves, each named at its end, over the steps of one run.

    Args:
        curves: name -> curve.
        best: where a line marks the optimum.
        title: stands at the top left.
        y: name of the vertical axis.
        log_y: whether the vertical axis is logarithmic.

    Raises:
        ValueError: no curve has a finite number.
    """
    known = {name: found for name, found in curves.items() if drawable(found)}
    if not known:
        raise ValueError(f"there is nothing to draw: {', '.join(curves) or 'no curve'} has no finite number yet")
    made = figure(8.4, 4.6, title)
    axes = quiet(made.add_subplot(), "steps of each run", y)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    last = max(int(found.steps[-1]) for found in known.values())
    if log_y:
        axes.set_yscale("log")
    if best is not None:
        axes.plot([0, last], [best, best], color=MUTED, linewidth=1.0, dashes=(4, 3), zorder=1)
        axes.annotate(
            f"optimum {best:.4g}", (0, best), (4, 4), textcoords="offset points", color=MUTED, fontsize=8, va="bottom"
        )
    ends: list[End] = []
    depths: list[float] = [] if best is None else [best]
    for number, (name, found) in enumerate(known.items()):
        middle, low, high = band(found.each)
        shown = np.isfinite(middle)  # it is not where a policy goes in circles for ever
        steps, middle, low, high = found.steps[shown], middle[shown], low[shown], high[shown]
        low = np.where(np.isfinite(low), low, _DEEP)
        colour = LINES[number % len(LINES)]
        if found.each.shape[1] > 1:
            axes.fill_between(steps, low, high, color=colour, alpha=0.16, linewidth=0, zorder=2)
        axes.plot(steps, middle, color=colour, linewidth=1.8, dashes=DASHES[number % len(DASHES)], zorder=3)
        axes.plot(steps[-1:], middle[-1:], "o", color=colour, markersize=4.5, markeredgecolor=SURFACE, zorder=4)
        ends.append(End(float(steps[-1]), float(middle[-1]), name, colour if len(known) > 1 else INK))
        late = slice(len(middle) // 10, None)
        depths += [x for line in (low, middle, high) for x in line[late] if _DEEP < x < np.inf]
    if depths and not log_y:
        bottom, top = min(depths), max(depths)
        room = 0.07 * (top - bottom) or 0.05 * abs(top) or 1.0
        axes.set_ylim(bottom - room, top + 1.6 * room)
    axes.set_xlim(0, last * 1.16)
    name_ends(made, axes, ends)
    return made
