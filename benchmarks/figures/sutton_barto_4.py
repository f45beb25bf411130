"""The figures of Sutton & Barto's chapter 4, dynamic programming: small gridworld, car rental, gambler."""

from pathlib import Path

import gymnasium as gym
import numpy as np
from matplotlib.colors import Normalize

import rlkit
from benchmarks.figures.boards import MOVES
from benchmarks.figures.pictures import save
from benchmarks.figures.worlds import LOTS, car_rental
from benchmarks.figures.worlds import gambler as gambler_of
from rlkit.exact.chain import chain
from rlkit.report.grid import draw_grid
from rlkit.report.style import DASHES, HEAT, INK, LINES, MUTED, figure, quiet
from rlkit.tabular.problem import make_problem


def figure_4_1(out: Path) -> Path:
    """S&B figure 4.1: sweeps of policy evaluation on a 4x4 grid whose corners end the episode; below, the greedy policies."""
    env = gym.make(
        "GridWorld-v0", layout="T...\n....\n....\n...T", target="terminal", actions=4,
        r_boundary=-1, r_forbidden=-1, r_target=-1, r_step=-1,
    )  # fmt: skip
    mdp = rlkit.from_env(env)
    uniform = np.full((16, 4), 0.25)
    process, ends = chain(mdp, uniform), np.array([0, 15])
    sweeps, v = {0: np.zeros(16)}, np.zeros(16)
    for k in range(1, 11):
        v = process.reward + process.step @ v
        v[ends] = 0.0
        sweeps[k] = v
    exact = rlkit.exact.value(mdp, uniform, 1.0)
    exact[ends] = 0.0
    made = figure(11.0, 4.4, "The uniform policy's values, sweep by sweep, and the greedy policies  (S&B figure 4.1)")
    panels = made.subplots(2, 6)
    norm = Normalize(exact.min(), 0.0)
    for column, (name, v) in enumerate([*((f"k = {k}", sweeps[k]) for k in (0, 1, 2, 3, 10)), ("exact, k = ∞", exact)]):
        draw_grid(panels[0, column], v.reshape(4, 4), norm=norm, size=0.42)
        q = np.add.reduceat(mdp.prob * (mdp.reward + ~mdp.terminated * v[mdp.next_state]), mdp.indptr[:-1]).reshape(
            16, 4
        )
        best = (q >= q.max(axis=1, keepdims=True) - 1e-9).astype(float)
        best[ends] = 0.0
        draw_grid(
            panels[1, column], v.reshape(4, 4), best.reshape(4, 4, 4), MOVES[:4], norm=norm, numbers=False, size=0.42
        )
        panels[0, column].set_title(name, color=INK, fontsize=9, loc="left")
    return save(made, out / "sutton-barto-4-1.png")


def figure_4_2(out: Path) -> Path:
    """S&B figure 4.2: the policies of policy iteration on Jack's car rental, from "move none", and the value of the last."""
    agent = rlkit.make("policy_iteration", car_rental(), gamma=0.9)
    agent.plan.policy[:] = 5  # move none
    policies = [agent.plan.policy.copy()]
    for _ in agent.updates(20):
        if (agent.plan.policy == policies[-1]).all():
            break
        policies.append(agent.plan.policy.copy())
    made = figure(10.4, 6.4, "Jack's car rental by policy iteration  (S&B figure 4.2)")
    grid = made.add_gridspec(2, 3)
    for number, policy in enumerate(policies[:5]):
        axes = quiet(made.add_subplot(grid[number // 3, number % 3]))
        axes.imshow(policy.reshape(LOTS + 1, LOTS + 1) - 5, origin="lower", cmap="RdBu", vmin=-5.5, vmax=5.5)
        _contours(axes, policy.reshape(LOTS + 1, LOTS + 1) - 5)
        axes.grid(visible=False)
        axes.set_title(f"π{'₀₁₂₃₄'[number]}", color=INK, fontsize=11, loc="left")
        axes.set_xticks(range(0, 21, 5))
        axes.set_yticks(range(0, 21, 5))
    made.axes[3].set_xlabel("cars at the second place", color=MUTED, fontsize=9)
    made.axes[3].set_ylabel("cars at the first place", color=MUTED, fontsize=9)
    axes = made.add_subplot(grid[1, 2], projection="3d")
    first, second = np.mgrid[0 : LOTS + 1, 0 : LOTS + 1]
    axes.plot_surface(second, first, agent.v.reshape(LOTS + 1, LOTS + 1), cmap=HEAT, linewidth=0, rcount=21, ccount=21)
    axes.set_title(
        f"value of π{'₀₁₂₃₄₅₆'[len(policies) - 1]}: {agent.v.min():.0f} to {agent.v.max():.0f}",
        color=INK,
        fontsize=9,
        loc="left",
    )
    axes.tick_params(labelsize=7, colors=MUTED)
    axes.set_facecolor("none")
    axes.view_init(28, -125)
    return save(made, out / "sutton-barto-4-2.png")


def _contours(axes, moved) -> None:
    """Write the number of cars moved into the middle of each region."""
    for value in np.unique(moved):
        rows, cols = np.nonzero(moved == value)
        nearest = np.argmin((rows - rows.mean() - 1.7 * (value - 3) * (value > 0)) ** 2 + (cols - cols.mean()) ** 2)
        text = f"{value:+d}".replace("-", "−") if value else "0"
        ink = "#ffffff" if abs(value) >= 4 else INK
        axes.text(
            min(cols[nearest], 19.2), min(rows[nearest], 19), text, color=ink, fontsize=8.5, ha="center", va="center"
        )


def figure_4_3(out: Path) -> Path:
    """S&B figure 4.3: the gambler's problem with p = 0.4; value estimates of some sweeps, and all optimal stakes."""
    problem, v, curves = make_problem(gambler_of(0.4), 1.0), np.zeros(99), {}
    for sweep in range(1, 33):
        v = problem.q(v).max(axis=1)  # the planner itself does not begin at zero
        if sweep in (1, 2, 3, 4, 32):
            curves[sweep] = v
    exact = rlkit.make("policy_iteration", gambler_of(0.4), gamma=1.0)
    list(exact.updates(100))
    made = figure(9.6, 4.4, "The gambler's problem, p = 0.4  (S&B figure 4.3)")
    left, right = made.subplots(1, 2)
    quiet(left, "capital", "probability of winning")
    capital = np.arange(1, 100)
    left.plot(capital, exact.v, color=MUTED, linewidth=5, alpha=0.3, label="exact")
    for number, (k, v) in enumerate(curves.items()):
        left.plot(capital, v, color=LINES[number], linewidth=1.4, dashes=DASHES[number], label=f"sweep {k}")
    left.legend(fontsize=8.5, frameon=False)
    quiet(right, "capital", "stake")
    stakes = np.minimum(np.arange(1, 51), np.minimum(capital, 100 - capital)[:, None])
    best = exact.optimal_actions()
    for row, (good, stake) in enumerate(zip(best, stakes, strict=True)):
        right.plot(np.full(good.sum(), row + 1), stake[good], "o", color=LINES[5], markersize=2, linewidth=0)
    lowest = np.array([stake[good].min() for good, stake in zip(best, stakes, strict=True)])
    right.plot(capital, lowest, color=LINES[0], linewidth=1.3, drawstyle="steps-mid")
    right.set_title("line: the smallest optimal stake; dots: all of them", color=MUTED, fontsize=8.5, loc="left")
    return save(made, out / "sutton-barto-4-3.png")
