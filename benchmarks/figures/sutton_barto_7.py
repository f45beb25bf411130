"""The figure of Sutton & Barto's chapter 7: n-step TD on a random walk, between TD(0) and Monte Carlo."""

from pathlib import Path

import numpy as np

import rlkit
from benchmarks.figures.pictures import save
from benchmarks.figures.runs import values_by_episode
from benchmarks.figures.worlds import random_walk
from rlkit.report.style import DASHES, LINES, MUTED, figure, quiet

TRUTH = np.arange(-9, 10) / 10


def figure_7_2(out: Path) -> Path:
    """S&B figure 7.2: n-step TD on the random walk of 19 states, n = 1, 2, ..., 512; error of the first 10 episodes by α."""
    mdp, powers = random_walk(19, -1.0, 1.0), range(10)
    made = figure(8.8, 5.2, "n-step TD on the random walk of 19 states  (S&B figure 7.2)")
    axes = quiet(made.add_subplot(), "step size α", "root mean square error over the first 10 episodes")
    start = float(np.sqrt((TRUTH**2).mean()))
    for power in powers:
        n, alphas = 2**power, np.r_[0.0, np.geomspace(0.01, 1.0, 28)]
        errors = [start] + [_error(mdp, n, float(alpha)) for alpha in alphas[1:]]
        colour = LINES[power % len(LINES)]
        axes.plot(alphas, errors, color=colour, linewidth=1.6, dashes=DASHES[power // len(LINES)])
        low = int(np.argmin(errors))
        if power < 6:
            axes.annotate(
                f"n = {n}", (alphas[low], errors[low]), (3, -4), textcoords="offset points", color=colour, fontsize=8.5, va="top"
            )  # fmt: skip
    for x, side, words, power in (
        (0.082, "right", "n = 512, 256", 8),
        (0.1, "left", "n = 128", 7),
        (0.2, "left", "n = 64", 6),
    ):
        axes.text(x, 0.552, words, color=LINES[power % len(LINES)], fontsize=8.5, ha=side, va="bottom")
    axes.axhline(start, color=MUTED, linewidth=4, alpha=0.2)
    axes.text(0.7, start - 0.004, "nothing learned", color=MUTED, fontsize=8, ha="right", va="top")
    axes.set(ylim=(0.25, 0.55), xlim=(0, 1.02))
    return save(made, out / "sutton-barto-7-2.png")


def _error(mdp, n: int, alpha: float) -> float:
    agent = rlkit.make("n_step_td", mdp, gamma=1.0, n=n, alpha=alpha, seeds=100)
    return float(np.sqrt(((values_by_episode(agent, range(1, 11)) - TRUTH) ** 2).mean(axis=2)).mean())
