"""The figures of Zhao's chapter 8, linear function approximation, with the exact values and fixed points drawn in."""

from pathlib import Path

import gymnasium as gym
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

import rlkit
from benchmarks.figures.episodes import play
from benchmarks.figures.pictures import save
from benchmarks.figures.solids import solid_axes
from rlkit import exact
from rlkit.exact.projection import td_fixed_point
from rlkit.learning.truth import optimal
from rlkit.learning.weights import feature_matrix
from rlkit.mdp import from_env
from rlkit.report.grid import draw_grid, frame_cells
from rlkit.report.style import ACCENT, DASHES, HEAT, INK, LINES, MUTED, figure, quiet

GAMMA, EPISODES, STEPS = 0.9, 500, 500
FORBIDDEN = ((1, 1), (1, 2), (2, 2), (3, 1), (3, 3), (4, 1))
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1), None)
UNIFORM = np.full((25, 5), 0.2)


def figure_8_6(out: Path) -> Path:
    """Zhao figure 8.6: the values of the uniform policy on the 5x5 world, as a map and as a surface."""
    v = exact.value(from_env(gym.make("GridWorld-v0")), UNIFORM, GAMMA)
    made = figure(8.6, 3.9, f"What is to be approximated: v of the uniform policy, mean −{-v.mean():.2f}  (figure 8.6)")
    grid = made.add_gridspec(1, 2, width_ratios=(1.0, 1.15))
    left = made.add_subplot(grid[0])
    draw_grid(left, v.reshape(5, 5), size=0.7)
    frame_cells(left, FORBIDDEN)
    frame_cells(left, [(3, 2)], INK)
    left.set_xlabel("frames: forbidden cells orange, the target black", color=MUTED, fontsize=8.5)
    surface(solid_axes(made, grid[1], "column", "row"), v, (float(v.min()), float(v.max())))
    return save(made, out / "figure-8-6.png")


def figure_8_7(out: Path) -> Path:
    """Zhao figure 8.7: TD-Linear with polynomials of the column and the row, 500 episodes of 500 steps, alpha 0.0005."""
    maps = ("polynomial(1)", "polynomial(2)", "polynomial(3)")
    return _td_linear(out / "figure-8-7.png", maps, "TD-Linear with polynomial features  (figure 8.7)")


def figure_8_8(out: Path) -> Path:
    """Zhao figure 8.8: TD-Linear with Fourier features of order q."""
    maps = ("fourier(1)", "fourier(2)", "fourier(3)")
    return _td_linear(out / "figure-8-8.png", maps, "TD-Linear with Fourier features  (figure 8.8)")


def _td_linear(path: Path, maps: tuple[str, ...], title: str) -> Path:
    """Draw what TD-Linear learns with three maps, its error over episodes, and the error of the fixed point."""
    env = gym.make("GridWorld-v0", max_episode_steps=STEPS)
    mdp = from_env(env)
    v = exact.value(mdp, UNIFORM, GAMMA)
    made = figure(9.6, 5.6, title)
    grid = made.add_gridspec(2, 3, height_ratios=(1.0, 1.15))
    below = quiet(made.add_subplot(grid[1, :]), "episode, of 500 steps", "root mean square error")
    runs = [(name, "td_linear", {"features": name, "alpha": 0.0005}) for name in maps]
    runs.append(("table", "td0", {"alpha": 0.005}))
    for number, (name, agent_name, options) in enumerate(runs):
        agent = rlkit.make(agent_name, env, seeds=20, report=STEPS, **options)
        errors = np.array([agent.each["rmse"] for _ in agent.updates(EPISODES * STEPS)])  # [episodes, seeds]
        label, colour = "a table, TD(0), α = 0.005", LINES[6]
        if agent_name == "td_linear":
            memory, colour = agent.memories[0], LINES[number]
            phi = feature_matrix(memory, memory.w.size)
            rest = np.sqrt(np.mean((phi @ td_fixed_point(mdp, UNIFORM, GAMMA, phi) - v) ** 2))
            below.axhline(rest, color=colour, linewidth=5, alpha=0.25)
            below.text(
                EPISODES * 1.008,
                rest,
                f"{rest:.4f}",
                color=colour,
                fontsize=8.5,
                va=("bottom", "top", "center")[number],
            )
            label = f"{name}: {memory.w.size} features, α = 0.0005"
            axes = solid_axes(made, grid[0, number], "column", "row")
            surface(axes, agent.values[0], (float(v.min()), float(v.max())), v)
            axes.set_title(f"{name}, {memory.w.size} features", color=colour, fontsize=9.5, y=0.96)
        episode = np.arange(1, EPISODES + 1)
        below.plot(episode, errors.mean(axis=1), color=colour, linewidth=1.7, dashes=DASHES[number], label=label)
        below.fill_between(episode, errors.min(axis=1), errors.max(axis=1), color=colour, alpha=0.15, linewidth=0)
    below.plot([], [], color=MUTED, linewidth=5, alpha=0.3, label="fixed point of TD-Linear, exact")
    below.set(xlim=(0, EPISODES), yscale="log", ylim=(0.05, 4.0), yticks=[0.1, 0.2, 0.5, 1, 2])
    below.set_yticklabels(["0.1", "0.2", "0.5", "1", "2"])
    below.minorticks_off()
    below.legend(fontsize=8.5, frameon=False, loc="upper right", ncols=2)
    return save(made, path)


def surface(
    axes: Axes, v: NDArray[np.float64], limits: tuple[float, float], truth: NDArray[np.float64] | None = None
) -> None:
    """Draw values [25] of the 5x5 world as a surface, with the true ones as dots."""
    column, row = np.meshgrid(np.arange(1, 6), np.arange(1, 6))
    axes.plot_surface(
        column,
        row,
        v.reshape(5, 5),
        cmap=HEAT,
        norm=Normalize(*limits),
        rstride=1,
        cstride=1,
        edgecolor=INK,
        linewidth=0.35,
        alpha=0.85 if truth is not None else 1.0,
        shade=False,
    )
    if truth is not None:
        axes.plot(column.ravel(), row.ravel(), truth, "o", color=ACCENT, markersize=2.2)
    axes.set(xticks=range(1, 6), yticks=range(1, 6), zlim=(limits[0] - 0.6, limits[1] + 0.6))
    axes.view_init(elev=24, azim=-130)


def figure_8_9(out: Path) -> Path:
    """Zhao figure 8.9: semi-gradient Sarsa with Fourier features of order 5 looks for the way from a corner to the target."""
    return _control(out / "figure-8-9.png", "sarsa_linear", "Sarsa with linear values  (figure 8.9)")


def figure_8_10(out: Path) -> Path:
    """Zhao figure 8.10: Q-learning with the same features in the same world."""
    return _control(out / "figure-8-10.png", "q_linear", "Q-learning with linear values  (figure 8.10)")


def _control(path: Path, name: str, title: str) -> Path:
    """Draw total reward and length over 500 episodes, beside what the optimal policy would get, and the policy learned.

    A plain step pays -1 here; with 0 nothing hurries the way, and Q-learning wanders about for thousands of steps. The
    book's alpha is 0.001; 0.005 shows where it is going.
    """
    env = gym.make("GridWorld-v0", target="terminal", start=(0, 0), r_boundary=-10.0, r_forbidden=-10.0, r_step=-1.0)
    mdp = from_env(env)
    best = optimal(mdp, GAMMA)[1]
    soft = 0.9 * exact.deterministic(mdp, best.argmax(axis=1)) + 0.1 / 5  # epsilon-greedy
    counting = mdp._replace(reward=np.ones_like(mdp.reward))
    truth = [exact.value(model, soft, 1.0)[0] for model in (mdp, counting)]
    made = figure(9.6, 4.3, title)
    grid = made.add_gridspec(2, 2, width_ratios=(1.3, 1.0))
    curves = [
        quiet(made.add_subplot(grid[0, 0]), "", "total reward"),
        quiet(made.add_subplot(grid[1, 0]), "episode", "length"),
    ]
    for number, alpha in enumerate((0.001, 0.005)):
        agent = rlkit.make(name, env, seeds=20, features="fourier(5)", alpha=alpha, epsilon=0.1)
        for axes, found in zip(curves, play(agent, EPISODES), strict=True):
            _spread(axes, found, LINES[number], DASHES[number], f"α = {alpha}")
    for axes, exactly in zip(curves, truth, strict=True):
        axes.axhline(
            exactly,
            color=ACCENT,
            linewidth=1.4,
            dashes=(6, 2),
            label=f"the optimal policy, ε = 0.1, exact: {exactly:.1f}".replace("-", "−"),
        )
        axes.set(xlim=(0, EPISODES))
        axes.legend(fontsize=8.5, frameon=False, loc="lower right" if axes is curves[0] else "upper right")
    curves[0].set(yscale="symlog", ylim=(-700, -5), yticks=[-500, -100, -20, -10])
    curves[0].set_yticklabels(["−500", "−100", "−20", "−10"])
    curves[1].set(yscale="log", ylim=(8, 300), yticks=[10, 20, 50, 100, 200])
    curves[1].set_yticklabels(["10", "20", "50", "100", "200"])
    for axes in curves:
        axes.minorticks_off()
    agent.report()
    q = agent.values[0]
    plain = q.argmax(axis=1)
    right = made.add_subplot(grid[:, 1])
    shown = q.max(axis=1)
    shown[17] = 0.0
    arrows = np.eye(5)[plain]
    arrows[17] = 0.0
    draw_grid(right, shown.reshape(5, 5), arrows.reshape(5, 5, 5), MOVES, size=0.62)
    frame_cells(right, FORBIDDEN)
    frame_cells(right, [(3, 2)], INK)
    others = np.delete(np.arange(25), 17)
    good = int(best[others, plain[others]].sum())
    reached = int((agent.each["regret"] < 1e-9).sum())
    right.set_title(
        f"values and greedy actions of one run, α = 0.005:\noptimal in {good} of 24 cells", color=MUTED, fontsize=8.5
    )
    right.set_xlabel(
        f"orange: forbidden; black: target.\nThe best way from the corner: {reached} of 20 runs",
        color=MUTED,
        fontsize=8.5,
    )
    return save(made, path)


def _spread(axes: Axes, found: NDArray[np.float64], colour: str, dashes: tuple[float, ...], name: str) -> None:
    """Draw the mean over runs [seeds, episodes] of ten episodes each, and the middle half of the runs."""
    means = found.reshape(len(found), -1, 10).mean(axis=2)
    episode = np.arange(means.shape[1]) * 10 + 5
    low, high = np.quantile(means, (0.25, 0.75), axis=0)
    axes.fill_between(episode, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(episode, means.mean(axis=0), color=colour, linewidth=1.7, dashes=dashes, label=name)
