"""The figures of Sutton & Barto's chapter 8, planning with a learned model: Dyna in mazes that stay and mazes that change."""

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

import rlkit
from benchmarks.figures.episodes import play
from benchmarks.figures.pictures import save
from envs.cells import TARGET as GOAL
from envs.cells import WALL as BLOCK
from envs.layouts import Layout, load
from rlkit.learning.truth import optimal
from rlkit.mdp import from_env
from rlkit.report.style import ACCENT, DASHES, GRID, INK, LINES, MUTED, SURFACE, TARGET, WALL, figure, quiet

GAMMA, SEEDS = 0.95, 100


def figure_8_2(out: Path) -> Path:
    """S&B figure 8.2: steps per episode in the Dyna maze with 0, 5 and 50 planning steps."""
    layout = load("dyna-maze")
    made = figure(8.6, 3.9, "Planning makes experience go further: the Dyna maze  (S&B figure 8.2)")
    grid = made.add_gridspec(1, 2, width_ratios=(1.0, 2.6))
    _maze(made.add_subplot(grid[0]), layout, "start S, goal G")
    axes = quiet(made.add_subplot(grid[1]), "episode", f"steps, mean of {SEEDS} runs")
    shortest, first = _shortest(layout), []
    for number, planning in enumerate((0, 5, 50)):
        options = {"gamma": GAMMA, "alpha": 0.1, "epsilon": 0.1, "planning": planning, "outcomes": 1, "seeds": SEEDS}
        steps = play(rlkit.make("dyna_q", "GridWorld-DynaMaze-v0", **options), 50)[1]
        mean, error = steps.mean(axis=0), steps.std(axis=0) / np.sqrt(SEEDS)
        low, high = mean - 2 * error, mean + 2 * error
        name = f"{planning} planning steps" + " (Q-learning)" * (planning == 0)
        episode = range(1, 51)
        axes.plot(episode, mean, color=LINES[number], linewidth=1.8, dashes=DASHES[number], label=name)
        axes.fill_between(episode, low, high, color=LINES[number], alpha=0.18, linewidth=0)
        first.append(mean[0])
    axes.axhline(
        shortest, color=ACCENT, linewidth=1.4, dashes=(6, 2), label=f"the shortest way, exact: {shortest} steps"
    )
    axes.set(xlim=(0.5, 50), ylim=(0, 800), xticks=[1, 10, 20, 30, 40, 50])
    note = f"the first episode takes {min(first):.0f} to {max(first):.0f} steps by all\nbands: ± 2 standard errors"
    axes.text(49.5, 330, note, color=MUTED, fontsize=8.5, ha="right")
    axes.legend(fontsize=8.5, frameon=False, loc="upper right")
    return save(made, out / "sutton-barto-8-2.png")


def figure_8_4(out: Path) -> Path:
    """S&B figure 8.4: after 1000 steps the way to the goal is blocked, and another opens on the other side."""
    title = "When the model turns wrong: the blocking maze  (S&B figure 8.4)"
    return _changing(out / "sutton-barto-8-4.png", "dyna-blocking", 3000, 1e-4, title)


def figure_8_5(out: Path) -> Path:
    """S&B figure 8.5: after 3000 steps a shorter way opens, which only those find who go on looking."""
    title = "When the world turns better: the shortcut maze  (S&B figure 8.5)"
    return _changing(out / "sutton-barto-8-5.png", "dyna-shortcut", 6000, 1e-3, title)


def _changing(path: Path, name: str, steps: int, kappa: float, title: str) -> Path:
    """Draw the cumulative reward of Dyna-Q and Dyna-Q+ in a maze that changes, beside that of the shortest ways."""
    before = load(name)
    after, change = before.later, before.settings.change_at
    made = figure(8.6, 3.9, title)
    grid = made.add_gridspec(2, 2, width_ratios=(1.0, 2.6))
    _maze(made.add_subplot(grid[0, 0]), before, f"to step {change}")
    _maze(made.add_subplot(grid[1, 0]), after, "after it")
    axes = quiet(made.add_subplot(grid[:, 1]), "steps", "cumulative reward")
    axes.axvline(change, color=MUTED, linewidth=1.0, dashes=(2, 2))
    lengths = _shortest(before), _shortest(after)
    turn = change / lengths[0]
    exact = [0.0, turn, turn + (steps - change) / lengths[1]]
    name_of = f"along the shortest way, exact: {lengths[0]} steps, then {lengths[1]}"
    axes.plot([0, change, steps], exact, color=ACCENT, linewidth=1.4, dashes=(6, 2), label=name_of)
    for number, (agent_name, options) in enumerate((("dyna_q_plus", {"kappa": kappa}), ("dyna_q", {}))):
        shared = {
            "gamma": GAMMA,
            "alpha": 0.5,
            "epsilon": 0.1,
            "planning": 50,
            "outcomes": 1,
            "seeds": 20,
            "report": 25,
        }
        agent = rlkit.make(agent_name, gym.make("GridWorld-v0", layout=name), **shared, **options)
        gains = np.cumsum([[run.sum() for run in agent.returns] for _ in agent.updates(steps)], axis=0)
        low, high = np.quantile(gains, (0.25, 0.75), axis=1)
        label = f"Dyna-Q+, κ = {kappa:g}" if options else "Dyna-Q"
        at = np.arange(1, len(gains) + 1) * 25
        axes.plot(at, gains.mean(axis=1), color=LINES[number], linewidth=1.8, dashes=DASHES[number], label=label)
        axes.fill_between(at, low, high, color=LINES[number], alpha=0.18, linewidth=0)
    axes.set(xlim=(0, steps), ylim=(0, None))
    axes.legend(fontsize=8.5, frameon=False, loc="upper left")
    axes.text(steps * 0.995, exact[2] * 0.03, "mean and middle half of 20 runs", color=MUTED, fontsize=8.5, ha="right")
    return save(made, path)


def _shortest(layout: Layout) -> int:
    """Return the number of steps from the start to the goal, by the exact optimum under gamma 1 and -1 a step."""
    mdp = from_env(gym.make("GridWorld-v0", layout=replace(layout, later=None)))
    v, _ = optimal(mdp._replace(reward=-np.ones_like(mdp.reward)), 1.0)
    return round(-float(np.diff(mdp.start_cdf, prepend=0.0) @ v))


def _maze(axes: Axes, layout: Layout, name: str) -> None:
    rows, cols = layout.shape
    kinds: NDArray[np.uint8] = layout.kinds
    for r, c in np.ndindex(rows, cols):
        fill = {BLOCK: WALL, GOAL: TARGET}.get(int(kinds[r, c]), SURFACE)
        axes.add_patch(Rectangle((c, r), 1, 1, facecolor=fill, edgecolor=GRID, linewidth=0.7))
    for letter, cells in (("S", layout.starts), ("G", kinds == GOAL)):
        for r, c in np.argwhere(cells):
            axes.text(c + 0.5, r + 0.53, letter, color=INK, fontsize=8, ha="center", va="center")
    axes.set(xlim=(-0.05, cols + 0.05), ylim=(rows + 0.05, -0.05), xticks=[], yticks=[], aspect="equal")
    axes.set_facecolor(SURFACE)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(name, color=MUTED, fontsize=8.5)
