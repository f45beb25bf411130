"""The figures of Zhao's chapter 6, stochastic approximation, with what theory says drawn in."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from rlkit.report.files import save_picture
from rlkit.report.style import ACCENT, DASHES, FORBIDDEN, GRID, INK, LINES, MUTED, SURFACE, figure, quiet
from rlkit.tabular.approximation import gradient_descent, robbins_monro
from rlkit.tabular.guards import Interval
from rlkit.tabular.searches import many_runs
from rlkit.tabular.variance import asymptotic_variance, averaged_variance

ROOT = 5 ** (1 / 3)


def cubic(w):
    return w * w * w - 5.0


def identity(w):
    return w


def normal(_, rng):
    return rng.standard_normal()


def figure_6_2(out: Path) -> Path:
    """Zhao figure 6.2: g is a black box; w goes in, g(w) and noise come out. Beside it, what is seen of w³ - 5."""
    made = figure(9.0, 3.4, "What Robbins and Monro's algorithm sees of g  (figure 6.2)")
    left, right = made.subplots(1, 2, width_ratios=(1.0, 1.15))
    _black_box(left)
    axes = quiet(right, "w", "what is observed")
    rng = np.random.default_rng(62)
    w = rng.uniform(-0.5, 2.4, size=160)
    curve = np.linspace(-0.5, 2.4, 200)
    axes.axhline(0.0, color=MUTED, linewidth=0.8)
    axes.plot(w, cubic(w) + rng.standard_normal(160), "o", color=LINES[0], markersize=3, alpha=0.55, linewidth=0)
    axes.plot(curve, cubic(curve), color=LINES[1], linewidth=2)
    axes.plot([ROOT], [0.0], "o", color=ACCENT, markersize=7, markeredgecolor=SURFACE, zorder=5)
    axes.text(ROOT - 0.08, 0.5, "w* = 1.71", color=ACCENT, fontsize=9, ha="right")
    axes.text(1.6, 5.6, "g(w) = w³ − 5,\nwhich is not known", color="#a87000", fontsize=8.5, ha="right")
    axes.text(-0.45, -8.3, "g(w) + η, which is seen", color=LINES[0], fontsize=8.5)
    axes.set_ylim(-9.0, 9.5)
    return save_picture(made, out / "figure-6-2.png")


def _black_box(axes: Axes) -> None:
    axes.set(xlim=(0, 10), ylim=(0, 6))
    axes.set_axis_off()
    axes.add_patch(FancyBboxPatch((2.7, 2.2), 3.0, 1.9, boxstyle="round,pad=0.1", facecolor=INK, edgecolor=INK))
    axes.text(4.2, 3.15, "g", color=SURFACE, fontsize=18, ha="center", va="center", style="italic")
    axes.add_patch(FancyBboxPatch((7.35, 2.85), 0.6, 0.6, boxstyle="circle,pad=0.1", facecolor=SURFACE, edgecolor=INK))
    axes.text(7.65, 3.12, "+", color=INK, fontsize=14, ha="center", va="center")
    for start, end in (
        ((0.6, 3.15), (2.5, 3.15)),
        ((5.9, 3.15), (7.15, 3.15)),
        ((7.65, 5.0), (7.65, 3.7)),
        ((8.15, 3.15), (9.7, 3.15)),
    ):
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=INK, linewidth=1.3))
    for x, y, text in ((1.4, 3.5, "w"), (6.5, 3.5, "g(w)"), (7.65, 5.3, "noise η"), (9.15, 3.5, "g̃(w, η)")):
        axes.text(x, y, text, color=INK, fontsize=10, ha="center")


def figure_6_3(out: Path) -> Path:
    """Zhao figure 6.3: the root of w³ - 5 from noisy observations, w from 0; and how it can go wrong.

    The book names a_k = 1/k. From w = 0 this throws the search out at once (0, 5, -55, 55405), so that the path is drawn
    with 1/(k+1), by which 71 % of searches arrive.
    """
    made = figure(9.6, 4.6, "Robbins and Monro's search for the root of w³ − 5  (figure 6.3)")
    grid = made.add_gridspec(2, 2, width_ratios=(1.1, 1.0), height_ratios=(1.6, 1.0))
    top, below, side = made.add_subplot(grid[0, 0]), made.add_subplot(grid[1, 0]), made.add_subplot(grid[:, 1])
    noise: list[float] = []

    def noted(_, rng):
        noise.append(float(rng.standard_normal()))
        return noise[-1]

    path = robbins_monro(cubic, 0.0, "1/(k+1)", 50, noise=noted, rng=np.random.default_rng(0))
    k = np.arange(1, 52)
    quiet(top, "", "estimate w_k")
    top.axhline(ROOT, color=ACCENT, linewidth=1.4, dashes=(6, 2))
    top.plot(k, path, color=LINES[0], linewidth=1.4, marker="o", markersize=3)
    top.text(30, ROOT - 0.13, "w* = 1.71", color=ACCENT, fontsize=8.5, va="top")
    top.text(50, -0.6, "a_k = 1/(k+1), η ~ N(0, 1)", color=LINES[0], fontsize=8.5, ha="right")
    quiet(below, "iteration k", "noise η_k")
    below.vlines(k[:-1], 0.0, noise, color=LINES[4], linewidth=1.2)
    below.plot(k[:-1], noise, "o", color=LINES[4], markersize=2.5)
    below.axhline(0.0, color=MUTED, linewidth=0.8)
    _ways(side)
    return save_picture(made, out / "figure-6-3.png")


def _ways(axes: Axes) -> None:
    """The same search by other step sizes, on a scale for what leaves it."""
    quiet(axes, "iteration k", "w_k, noisy searches")
    rng = np.random.default_rng(63)
    axes.set_yscale("symlog", linthresh=3.0)
    ways = (
        ("1/k", {}, LINES[7], "1/k: 0 → 5 → −55 → ..."),
        ("1/(k+1)", {}, LINES[1], "1/(k+1): 29 % of searches blow up"),
        ("1/k", {"project": Interval(-3.0, 3.0)}, LINES[0], "1/k, kept in [−3, 3]: none does"),
    )
    for alpha, guard, colour, name in ways:
        for number in range(9):
            path = robbins_monro(cubic, 0.0, alpha, 14, noise=normal, rng=rng, **guard)
            shown = path[np.isfinite(path) & (np.abs(path) < 1e60)]
            axes.plot(
                np.arange(1, len(shown) + 1),
                shown,
                color=colour,
                linewidth=1.1,
                alpha=0.65,
                label=name * (number == 0) or None,
            )
    axes.axhline(ROOT, color=ACCENT, linewidth=1.4, dashes=(6, 2), zorder=0)
    axes.set_ylim(-1e9, 1e9)
    axes.set_yticks([-1e8, -1e4, -1e2, 0, 1e2, 1e4, 1e8])
    legend = axes.legend(fontsize=8, labelcolor="linecolor", loc="lower right", framealpha=0.92, edgecolor="none")
    legend.get_frame().set_facecolor(SURFACE)


def figure_6_4(out: Path) -> Path:
    """Zhao figure 6.4: w comes down the curve of tanh(w - 1) towards the root, without noise; a_k = 1/k from w = 3."""
    made = figure(9.0, 3.6, "Why it converges: tanh(w − 1) from w = 3  (figure 6.4)")
    left, right = made.subplots(1, 2, width_ratios=(1.3, 1.0))
    g = lambda w: np.tanh(w - 1)  # noqa: E731
    path = robbins_monro(g, 3.0, "1/k", 10_000)
    axes = quiet(left, "w", "g(w)")
    curve = np.linspace(-0.6, 3.3, 300)
    axes.axhline(0.0, color=MUTED, linewidth=0.8)
    axes.plot(curve, g(curve), color=LINES[1], linewidth=2, zorder=2)
    axes.text(0.75, -0.62, "g(w) = tanh(w − 1)", color="#a87000", fontsize=9)
    for k in range(5):
        axes.vlines(path[k], 0.0, g(path[k]), color=LINES[0], linewidth=0.9, linestyles=":")
        if k < 4:
            arrow = FancyArrowPatch(
                (path[k], g(path[k])), (path[k + 1], g(path[k])), arrowstyle="-|>", mutation_scale=10, color=LINES[0]
            )
            axes.add_patch(arrow)
        if k < 4:
            axes.annotate(f"w{'₁₂₃₄'[k]}", (path[k], 0.0), (path[k], -0.14), color=LINES[0], fontsize=10, ha="center")
    axes.plot(path[:5], g(path[:5]), "o", color=LINES[0], markersize=5, markeredgecolor=SURFACE, zorder=4)
    axes.plot([1.0], [0.0], "o", color=ACCENT, markersize=7, markeredgecolor=SURFACE, zorder=5)
    axes.annotate("w* = 1", (1.0, 0.0), (0.93, 0.09), color=ACCENT, fontsize=9, ha="right")
    axes = quiet(right, "iteration k", "w_k − w*")
    k = np.arange(1, len(path) + 1)
    axes.loglog(k, (path[-1] - 1) * k[-1] / k, color=MUTED, linewidth=5, alpha=0.25)
    axes.loglog(k, path - 1, color=LINES[0], linewidth=1.8)
    axes.text(70, 0.06, "theory near the root: 1/k", color=MUTED, fontsize=8.5)
    return save_picture(made, out / "figure-6-4.png")


def figure_6_5(out: Path) -> Path:
    """Zhao figure 6.5: SGD and mini-batches estimate the mean of 100 points, uniform in a square of side 20; a_k = 1/k."""
    rng = np.random.default_rng(65)
    x, steps, start = rng.uniform(-10.0, 10.0, size=(100, 2)), 30, np.array([20.0, 20.0])
    made = figure(9.6, 4.3, "The mean of 100 points by SGD and mini-batches  (figure 6.5)")
    left, right = made.subplots(1, 2, width_ratios=(1.0, 1.25))
    quiet(left, "x", "y")
    left.add_patch(Rectangle((-10, -10), 20, 20, facecolor=FORBIDDEN, alpha=0.12, edgecolor=GRID))
    left.plot(*x.T, "o", color=MUTED, markersize=2.5, alpha=0.6)
    left.set_aspect("equal")
    quiet(right, "iteration k", "distance to the mean of the points")
    right.set_yscale("log")
    k = np.arange(1, steps + 1)
    spread, mean = x.var(axis=0).sum(), x.mean(axis=0)
    for number, m in enumerate((1, 5, 50)):
        path = gradient_descent(lambda w, x: w - x, start, "1/k", steps, x, batch=m, rng=np.random.default_rng(12))
        colour, name = LINES[(0, 1, 2)[number]], f"{'SGD, ' * (m == 1)}m = {m}"
        left.plot(*path.T, color=colour, linewidth=1.3, marker="o", markersize=2.5, label=name, dashes=DASHES[number])
        distance = np.linalg.norm(path - mean, axis=1)
        right.plot(np.arange(steps + 1), distance, color=colour, linewidth=1.7, dashes=DASHES[number], label=name)
        right.plot(k, np.sqrt(spread / (k * m)), color=colour, linewidth=5, alpha=0.22)
    left.plot(*start, "o", color=INK, markersize=5)
    left.annotate("start", start, start + np.array([-1.0, 0.5]), color=INK, fontsize=8.5, ha="right")
    right.plot([], [], color=MUTED, linewidth=5, alpha=0.3, label="theory: root mean square")
    right.legend(fontsize=8.5, frameon=False, loc="upper right")
    return save_picture(made, out / "figure-6-5.png")


def figure_6_spread(out: Path) -> Path:
    """Not in the book: k Var(w_k) by a_k = c/k on g(w) = w with N(0, 1) noise, beside theory; 99.9 % intervals."""
    made = figure(8.4, 3.9, "How far from the root? g(w) = w, noise N(0, 1), 4000 searches of 4000 steps each")
    axes = quiet(made.add_subplot(), "c", "k · variance after k steps")
    fine, measured = np.linspace(0.56, 5.0, 300), (0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
    last = [asymptotic_variance(f"{c}/k", 1.0, 1.0).limit for c in fine]
    average = [averaged_variance(f"{c}/k", 1.0, 1.0).limit for c in fine]
    steps, rng = 4000, np.random.default_rng(66)
    runs = [many_runs(identity, 0.0, f"{c}/k", steps, 4000, rng, noise=normal) for c in measured]
    _with_theory(
        axes, fine, last, measured, [run.variance() for run in runs], steps, LINES[0], "w_k, a_k = c/k: c²/(2c − 1)"
    )
    intervals = [run.variance_of_average() for run in runs]
    _with_theory(axes, fine, average, measured, intervals, steps, LINES[1], "its average: 2c/(2c − 1)")
    slow = [many_runs(identity, 0.0, f"{c}/k^0.7", steps, 4000, rng, noise=normal) for c in measured]
    intervals = [run.variance_of_average() for run in slow]
    _with_theory(
        axes, fine, np.ones(300), measured, intervals, steps, LINES[2], "average of a_k = c/k^0.7: 1, the least"
    )
    axes.set(xlim=(0.45, 5.2), ylim=(0, 6.2))
    axes.legend(fontsize=8.5, frameon=False, loc="upper right")
    return save_picture(made, out / "figure-6-spread.png")


def _with_theory(axes: Axes, fine, theory, c, intervals, steps: int, colour: str, name: str) -> None:
    low, high = steps * np.array(intervals).T
    places = np.array(c) + 0.03 * (LINES.index(colour) - 1)  # side by side
    axes.plot(fine, theory, color=colour, linewidth=4, alpha=0.28)
    axes.vlines(places, low, high, color=colour, linewidth=2)
    axes.plot(places, (low + high) / 2, "o", color=colour, markersize=3.5, label=name)
