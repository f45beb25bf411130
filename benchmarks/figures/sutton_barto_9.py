"""The figures of Sutton & Barto's chapter 9, on-policy prediction with approximation: the random walk of 1000 states."""

from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

import rlkit
from benchmarks.figures.episodes import values_after_each
from benchmarks.figures.pictures import save
from rlkit import exact
from rlkit.exact.projection import td_fixed_point
from rlkit.mdp import MDP, from_arrays
from rlkit.report.style import ACCENT, DASHES, FORBIDDEN, INK, LINES, MUTED, SURFACE, figure, quiet

STATES, REACH, RUNS, EPISODES = 1000, 100, 100, 10
STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
ALPHAS = np.concatenate([[0.01, 0.025, 0.05, 0.075], np.arange(0.1, 1.01, 0.1)])
ALONE = np.ones((STATES, 1))  # the policy: there is one action


@cache
def long_walk() -> MDP:
    """S&B example 9.1: from the middle of 1000 states, jumps of 1 to 100 to either side; -1 off the left end, 1 off the right."""
    jumps = np.concatenate([np.arange(-REACH, 0), np.arange(1, REACH + 1)])
    reached = np.arange(STATES)[:, None] + jumps
    reward = np.where(reached < 0, -1.0, np.where(reached >= STATES, 1.0, 0.0))
    prob = np.full(reached.shape, 1.0 / len(jumps))
    return from_arrays(
        np.arange(STATES + 1) * len(jumps),
        np.clip(reached, 0, STATES - 1).ravel(),
        prob.ravel(),
        reward.ravel(),
        reward.ravel() != 0.0,
        n_actions=1,
        start=np.arange(STATES) == STATES // 2 - 1,
    )


def figure_9_2(out: Path) -> Path:
    """S&B figure 9.2: what TD(0) comes to with ten groups of states; and n-step TD with twenty, over the step size."""
    made = figure(9.6, 4.4, "Bootstrapping with state aggregation, 1000-state random walk  (S&B figure 9.2)")
    left, right = made.subplots(1, 2, width_ratios=(1.0, 1.05))
    _asymptotic(left)
    _n_step(right)
    return save(made, out / "sutton-barto-9-2.png")


def _asymptotic(axes: Axes) -> None:
    walk = long_walk()
    v, visits = exact.value(walk, ALONE, 1.0), exact.stationary_distribution(walk, ALONE, restart=True)
    groups = np.repeat(np.eye(10), 100, axis=0)
    fixed = groups @ td_fixed_point(walk, ALONE, 1.0, groups)
    nearest = groups @ (
        (groups.T @ (visits * v)) / (groups.T @ visits)
    )  # the least value error: where Monte Carlo goes
    agent = rlkit.make("td_linear", walk, gamma=1.0, features="aggregate(10)", alpha="linear(0.2, 0.00002, 20000000)")
    for _ in agent.updates(40_000_000):
        pass
    quiet(axes, "state", "value").set_title("ten groups, the end of learning", color=MUTED, fontsize=9.5)
    share = axes.twinx()
    share.fill_between(range(1, STATES + 1), visits, color=FORBIDDEN, alpha=0.45, linewidth=0)
    share.set(ylim=(0, np.sort(visits)[-2] * 4.0), yticks=[], facecolor=SURFACE)  # the start is off the scale
    for side in share.spines.values():
        side.set_visible(False)
    axes.set_zorder(share.get_zorder() + 1)
    axes.patch.set_visible(False)
    state = np.arange(1, STATES + 1)
    axes.plot(state, v, color=INK, linewidth=1.3, label="true values, exact")
    axes.plot(
        state, nearest, color=LINES[3], linewidth=1.3, dashes=(6, 2), label="least value error (Monte Carlo), exact"
    )
    axes.plot(state, fixed, color=ACCENT, linewidth=4.5, alpha=0.35, label="fixed point of TD(0), exact")
    axes.plot(state, agent.values, color=LINES[0], linewidth=1.4, label="td_linear after 40 million steps")
    axes.fill_between([], [], [], color=FORBIDDEN, alpha=0.45, label="visits (more at the start, 500)")
    axes.set(xlim=(0, STATES), ylim=(-1.02, 1.02))
    axes.legend(fontsize=8, loc="upper left", frameon=False)


def _n_step(axes: Axes) -> None:
    """Draw the error over the step size; with a single action n-step Sarsa is n-step TD."""
    walk = long_walk()
    v = exact.value(walk, ALONE, 1.0)
    quiet(axes, "α", f"RMS error to the exact values, first {EPISODES} episodes")
    axes.set_title("twenty groups, n-step TD", color=MUTED, fontsize=9.5)
    for number, n in enumerate(STEPS):
        config = {"gamma": 1.0, "features": "aggregate(20)", "epsilon": 0.0, "n": n, "seeds": RUNS}
        curve = []
        for alpha in ALPHAS:
            agent = rlkit.make("n_step_sarsa_linear", walk, alpha=float(alpha), **config)
            values = values_after_each(agent, EPISODES)
            curve.append(np.sqrt(np.mean((values - v) ** 2, axis=2)).mean())
        axes.plot(
            ALPHAS, curve, color=LINES[number % len(LINES)], linewidth=1.6, dashes=DASHES[number % len(DASHES)], label=f"n = {n}"
        )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0.22, 0.56))
    legend = axes.legend(
        fontsize=8,
        loc="upper right",
        ncols=2,
        labelcolor="linecolor",
        handlelength=2.6,
        framealpha=0.9,
        edgecolor="none",
    )
    legend.get_frame().set_facecolor(SURFACE)
