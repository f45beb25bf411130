"""Axes with three dimensions in the house's colours."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from rlkit.report.style import GRID, MUTED, SURFACE


def solid_axes(made: Figure, place: SubplotSpec, x: str, y: str) -> Axes:
    """Add quiet axes with three dimensions to a figure."""
    with mpl.rc_context({"grid.color": GRID, "grid.linewidth": 0.6}):
        axes = made.add_subplot(place, projection="3d")
    axes.set_facecolor(SURFACE)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color(SURFACE)
        axis.line.set_color(GRID)
    axes.tick_params(colors=MUTED, labelsize=7, pad=-2)
    axes.set_xlabel(x, color=MUTED, fontsize=8, labelpad=-6)
    axes.set_ylabel(y, color=MUTED, fontsize=8, labelpad=-6)
    return axes
