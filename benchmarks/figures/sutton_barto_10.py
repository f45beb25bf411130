"""The figures of Sutton & Barto's chapter 10, on-policy control with approximation: the car in the valley, with tile coding."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from benchmarks.figures.mountain_car import build, cost_to_go, drive
from benchmarks.figures.pictures import save
from benchmarks.figures.solids import solid_axes
from rlkit.report.style import ACCENT, DASHES, HEAT, INK, LINES, MUTED, SURFACE, figure, quiet

RUNS, EPISODES = 100, 500
FINE = np.linspace(0.0, 1.0, 49)


def figure_10_1(out: Path) -> Path:
    """S&B figure 10.1: the cost to go, -max_a q, of one run of Sarsa at step 428 and after 12, 104, 1000 and 9000 episodes.

    The sixth panel is the last of them from above, with the ways that the greedy policy goes from rest.
    """
    made = figure(9.6, 5.9, "Cost to go of the mountain car while Sarsa learns, α = 0.5/8  (S&B figure 10.1)")
    grid = made.add_gridspec(2, 3)
    position, velocity = np.meshgrid(-1.2 + 1.7 * FINE, -0.07 + 0.14 * FINE)
    for number, (episodes, most, name) in enumerate(
        ((1, 428, "step 428"), *((k, 1 << 40, f"episode {k}") for k in (12, 104, 1000, 9000)))
    ):
        agent = build("sarsa_linear", 0.5)
        drive(agent, episodes, most)
        cost = cost_to_go(agent, position, velocity)
        axes = solid_axes(made, grid[number // 3, number % 3], "position", "velocity")
        axes.plot_surface(
            position, velocity, cost, cmap=HEAT, norm=Normalize(0.0, cost.max()), rstride=3, cstride=3,
            edgecolor=INK, linewidth=0.15, shade=False,
        )  # fmt: skip
        axes.set(
            xticks=[-1.2, -0.5, 0.5], yticks=[-0.07, 0.0, 0.07], zlim=(0.0, cost.max()), zticks=[0, round(cost.max())]
        )
        axes.view_init(elev=32, azim=-58)
        axes.set_title(name, color=INK, fontsize=9.5, y=0.97)
    _greedy(quiet(made.add_subplot(grid[1, 2]), "position", "velocity"), agent, position, velocity)
    return save(made, out / "sutton-barto-10-1.png")


def _greedy(axes: Axes, agent, position: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
    """Draw the cost to go from above, and the way of the greedy policy from three places at rest."""
    axes.contourf(position, velocity, cost_to_go(agent, position, velocity), 12, cmap=HEAT)
    axes.set_title("greedy ways from rest", color=INK, fontsize=9.5)
    for start, colour in ((-0.6, INK), (-0.5, LINES[1]), (-0.4, ACCENT)):
        way = _way(agent, start)
        axes.plot(*way.T, color=colour, linewidth=1.6, label=f"from −{-start}: {len(way) - 1} steps")
    axes.set(xlim=(-1.2, 0.5), ylim=(-0.07, 0.105), xticks=[-1.2, -0.5, 0.0, 0.5], yticks=[-0.07, 0.0, 0.07])
    axes.legend(fontsize=7.5, frameon=False, loc="upper left")


def _way(agent, position: float) -> NDArray[np.float64]:
    """Return the places and speeds [T, 2] of the greedy policy from rest."""
    path, velocity = [(position, 0.0)], 0.0
    while position < 0.5 and len(path) < 400:
        a = agent.act(np.array([position, velocity], np.float32))
        velocity = float(np.clip(velocity + (a - 1) * 0.001 - 0.0025 * np.cos(3 * position), -0.07, 0.07))
        position = float(np.clip(position + velocity, -1.2, 0.6))
        velocity = max(velocity, 0.0) if position == -1.2 else velocity
        path.append((position, velocity))
    return np.array(path)


def figure_10_2(out: Path) -> Path:
    """S&B figure 10.2: steps per episode by Sarsa with three step sizes."""
    made = figure(8.0, 4.2, "Sarsa with 8 tilings of 8 by 8 tiles, mountain car  (S&B figure 10.2)")
    axes = made.add_subplot()
    for number, alpha in enumerate((0.1, 0.2, 0.5)):
        _learning(axes, number, drive(build("sarsa_linear", alpha, seeds=RUNS), EPISODES), f"α = {alpha}/8")
    _finish(axes)
    return save(made, out / "sutton-barto-10-2.png")


def figure_10_3(out: Path) -> Path:
    """S&B figure 10.3: one step against eight, each with a good step size."""
    made = figure(8.0, 4.2, "One-step and eight-step Sarsa, mountain car  (S&B figure 10.3)")
    axes = made.add_subplot()
    for number, (n, alpha) in enumerate(((1, 0.5), (8, 0.3))):
        agent = build("n_step_sarsa_linear", alpha, n=n, seeds=RUNS)
        _learning(axes, number, drive(agent, EPISODES), f"n = {n}, α = {alpha}/8")
    _finish(axes)
    return save(made, out / "sutton-barto-10-3.png")


def figure_10_4(out: Path) -> Path:
    """S&B figure 10.4: steps per episode over the first 50, by the step size and n; bars are standard errors."""
    made = figure(8.0, 4.4, "How far ahead, and how fast? Mountain car  (S&B figure 10.4)")
    axes = quiet(made.add_subplot(), "α · 8", f"steps per episode, first 50, mean of {RUNS} runs")
    steps = {
        1: np.arange(0.4, 1.81, 0.1), 2: np.arange(0.3, 1.61, 0.1), 4: np.arange(0.2, 1.51, 0.1),
        8: np.arange(0.1, 1.01, 0.1), 16: np.arange(0.1, 0.81, 0.05),
    }  # fmt: skip
    for number, (n, alphas) in enumerate(steps.items()):
        found = [_first_fifty(n, float(alpha)) for alpha in alphas]
        mean, error = np.array(found).T
        axes.errorbar(alphas, mean, error, color=LINES[number], linewidth=1.7, elinewidth=1.0)
        axes.lines[-1].set_dashes(DASHES[number] or (None, None))
        last = int(np.flatnonzero(mean < 305)[-1])
        axes.annotate(
            f"n = {n}", (alphas[last], mean[last]), xytext=(7, 0), textcoords="offset points",
            color=LINES[number], fontsize=9, va="center",
        )  # fmt: skip
    axes.set(xlim=(0, 1.95), ylim=(205, 305))
    return save(made, out / "sutton-barto-10-4.png")


def _first_fifty(n: int, alpha: float) -> tuple[float, float]:
    lengths = drive(build("n_step_sarsa_linear", alpha, n=n, seeds=RUNS), 50, most=200_000)
    if (lengths == 0).any():  # a run that has not ended 50 episodes in 200 000 steps
        return np.nan, np.nan
    each = lengths.mean(axis=1)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(RUNS))


def _learning(axes: Axes, number: int, lengths: NDArray[np.int64], name: str) -> None:
    episode = np.arange(1, EPISODES + 1)
    mean, error = lengths.mean(axis=0), lengths.std(axis=0, ddof=1) / np.sqrt(RUNS)
    axes.plot(episode, mean, color=LINES[number], linewidth=1.3, label=name)
    axes.fill_between(episode, mean - 2 * error, mean + 2 * error, color=LINES[number], alpha=0.2, linewidth=0)


def _finish(axes: Axes) -> None:
    quiet(axes, "episode", f"steps per episode, mean of {RUNS} runs")
    axes.set(yscale="log", xlim=(0, EPISODES), ylim=(95, 1500), yticks=[100, 200, 400, 1000])
    axes.set_yticklabels(["100", "200", "400", "1000"])
    axes.minorticks_off()
    axes.text(EPISODES * 0.99, 800, "bands: ± 2 standard errors", color=MUTED, fontsize=8.5, ha="right")
    legend = axes.legend(fontsize=8.5, frameon=False, loc="upper right")
    legend.get_frame().set_facecolor(SURFACE)
