"""Every planner's error against its sweeps on one plot, with the rate that the theory promises beside them."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from numpy.typing import ArrayLike, NDArray

from rlkit.report.labels import End, name_ends
from rlkit.report.style import DASHES, LINES, MUTED, SURFACE, figure, quiet


def convergence(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    rate: float | None = None,
    *,
    title: str = "Convergence",
    x: str = "sweeps",
    y: str = "sup-norm error  ‖v − v*‖∞",
    rate_name: str = "theory: γᵏ",
    log_x: bool = False,
) -> Figure:
    """Draw error curves on a logarithmic axis, each named at its end.

    Args:
        curves: name -> (steps [K], errors [K]). Errors of zero (exactly solved) are drawn on the floor of the plot.
        rate: the promised contraction per sweep; the line max_error · rate^k is drawn for reference.
        title: stands at the top left.
        x: name of the horizontal axis.
        y: name of the vertical axis.
        rate_name: how the reference line is called.
        log_x: whether the horizontal axis is logarithmic too; for planners whose sweeps differ by orders of magnitude.

    Raises:
        ValueError: naming the curve that has no points, or whose steps and errors differ in length.
    """
    if not curves:
        raise ValueError("curves is empty; there is nothing to draw")
    if rate is not None and not 0 < rate < 1:
        raise ValueError(f"rate is {rate}; a contraction rate lies between 0 and 1")
    points = {name: _checked(name, *curve) for name, curve in curves.items()}
    errors = np.concatenate([error for _, error in points.values()])
    last = max(float(step[-1]) for step, _ in points.values())
    top = float(errors.max(initial=0.0)) or 1.0
    floor = 10 ** np.floor(np.log10(float(errors[errors > 0].min(initial=top))))
    made = figure(8.4, 4.8, title)
    axes = quiet(made.add_subplot(), x, y)
    axes.set_yscale("log")
    if log_x:
        axes.set_xscale("symlog", linthresh=1.0)
    ends: list[End] = []
    if rate is not None:
        k = np.linspace(0.0, last, 400)
        line = top * rate**k
        shown = line >= floor
        axes.plot(k[shown], line[shown], color=MUTED, linewidth=5, alpha=0.22, solid_capstyle="round", zorder=1)
        middle = int(0.55 * shown.sum())
        ends.append(End(float(k[middle]), float(line[middle]), rate_name, MUTED))
    for number, (name, (step, error)) in enumerate(points.items()):
        colour = LINES[number % len(LINES)]
        dashes = DASHES[number % len(DASHES)]
        height = np.maximum(error, floor)
        axes.plot(step, height, color=colour, linewidth=1.8, dashes=dashes, zorder=3)
        axes.plot(step[-1:], height[-1:], "o", color=colour, markersize=4.5, markeredgecolor=SURFACE, zorder=4)
        ends.append(End(float(step[-1]), float(height[-1]), name, colour))
    axes.set_ylim(floor / 2, top * 2)
    axes.set_xlim(0, last * (3.5 if log_x else 1.27))
    if log_x:
        axes.xaxis.set_major_formatter(ScalarFormatter())
    name_ends(made, axes, ends)
    return made


def _checked(name: str, steps: ArrayLike, errors: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    step, error = np.asarray(steps, np.float64), np.asarray(errors, np.float64)
    if step.ndim != 1 or step.shape != error.shape or not len(step):
        raise ValueError(
            f"curve {name!r} has steps {list(step.shape)} and errors {list(error.shape)}; both must be [K]"
        )
    known = np.isfinite(error)
    if not known.any():
        raise ValueError(f"curve {name!r} has no finite error to draw")
    return step[known], np.abs(error[known])
