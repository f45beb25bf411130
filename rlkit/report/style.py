"""How every figure looks: colours that survive colour blindness and grey, quiet axes, no global state."""

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

SURFACE = "#fbfaf6"
INK = "#181b22"
MUTED = "#6b6f78"
GRID = "#e2dfd6"
WALL = "#363c49"
FORBIDDEN = "#f6b664"
TARGET = "#70aae8"
WARNING = "#e8800c"
ACCENT = "#d6455d"

# The ramp of envs.palette, written again because a report knows no environment; a test holds the two together.
RAMP = ("#faf6df", "#c7ecc5", "#92dbba", "#61c6b9", "#3aadbc", "#2693bd", "#2d77b9", "#3d59ab", "#483c92")
HEAT: Colormap = LinearSegmentedColormap.from_list("rlkit", RAMP).with_extremes(bad=SURFACE)

# Okabe and Ito's colours, ordered so that neighbours differ in lightness too; the dashes tell them apart in grey.
LINES = ("#0072b2", "#e69f00", "#a8326e", "#009e73", "#5b3a8c", "#56b4e9", "#4d4d4d", "#d55e00")
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 2), (2, 1.5), (8, 2, 2, 2), (1, 1.5), (10, 3), (4, 1.5, 1, 1.5))


def figure(width: float, height: float, title: str = "") -> Figure:
    """Make a figure of `width` x `height` inches with a title at its top left."""
    made = Figure(
        figsize=(width, height), dpi=160, facecolor=SURFACE, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    )
    if title:
        made.suptitle(title, x=0.012, ha="left", color=INK, fontsize=11, fontweight="bold")
    return made


def quiet(axes: Axes, x: str = "", y: str = "") -> Axes:
    """Strip the box, lighten the grid, and name the axes."""
    axes.set_facecolor(SURFACE)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)
    axes.tick_params(which="both", colors=MUTED, labelsize=8, length=0)
    axes.grid(visible=True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(x, color=MUTED, fontsize=9)
    axes.set_ylabel(y, color=MUTED, fontsize=9)
    return axes


def colour_bar(made: Figure, place: Axes, norm: Normalize) -> None:
    """Fill a narrow axes with the ramp of values."""
    place.clear()
    bar = made.colorbar(ScalarMappable(norm, HEAT), cax=place)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, labelsize=8, length=0)
