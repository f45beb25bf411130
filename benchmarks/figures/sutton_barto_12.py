"""The figures of Sutton & Barto's chapter 12, eligibility traces, on the random walk of 19 states.

In the second edition figure 12.3 is the off-line λ-return algorithm beside n-step TD, 12.6 TD(λ) beside it, and 12.8 true
online TD(λ), which equals the online λ-return algorithm.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numba import njit
from numpy.typing import NDArray

import rlkit
from benchmarks.figures.pictures import save
from benchmarks.figures.runs import values_by_episode
from benchmarks.figures.worlds import random_walk
from rlkit import exact
from rlkit.report.style import ACCENT, DASHES, LINES, MUTED, SURFACE, figure, quiet

EPISODES, RUNS = 10, 100
LAMBDAS = (0.0, 0.4, 0.8, 0.9, 0.95, 0.975, 0.99, 1.0)
STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
ALPHAS = np.concatenate([[0.004, 0.008, 0.015, 0.025, 0.035], np.arange(0.05, 0.2, 0.025), np.arange(0.2, 1.01, 0.05)])
WALK = random_walk(19, -1.0, 1.0)
TRUTH = exact.value(WALK, np.full((19, 2), 0.5), 1.0)  # -0.9, -0.8, ..., 0.9


def figure_12_3(out: Path) -> Path:
    """S&B figure 12.3: the off-line λ-return algorithm, and n-step TD."""
    made = figure(9.6, 4.3, "Two ways between TD and Monte Carlo, 19-state random walk  (S&B figure 12.3)")
    left, right = _pair(made, "the off-line λ-return algorithm", "n-step TD")
    _draw(left, _off_line, LAMBDAS, "λ")
    _draw(right, _n_step, STEPS, "n")
    return save(made, out / "sutton-barto-12-3.png")


def figure_12_6(out: Path) -> Path:
    """S&B figure 12.6: TD(λ) with accumulating traces, and the off-line λ-return algorithm that it comes near to."""
    made = figure(9.6, 4.3, "TD(λ) learns while the episode lasts, and pays for it  (S&B figure 12.6)")
    left, right = _pair(made, "TD(λ), accumulating traces", "the off-line λ-return algorithm")
    _draw(left, _td_lambda("accumulating"), LAMBDAS, "λ")
    _draw(right, _off_line, LAMBDAS, "λ")
    return save(made, out / "sutton-barto-12-6.png")


def figure_12_8(out: Path) -> Path:
    """S&B figure 12.8: true online TD(λ), the online λ-return algorithm, and the off-line one."""
    made = figure(9.6, 4.3, "True online TD(λ) learns while the episode lasts, and gains  (S&B figure 12.8)")
    left, right = _pair(made, "true online TD(λ) = the online λ-return algorithm", "the off-line λ-return algorithm")
    _draw(left, _td_lambda("dutch"), LAMBDAS, "λ")
    _draw(right, _off_line, LAMBDAS, "λ")
    return save(made, out / "sutton-barto-12-8.png")


def _pair(made: Figure, *titles: str) -> Sequence[Axes]:
    pair = made.subplots(1, 2, sharey=True)
    for axes, title in zip(pair, titles, strict=True):
        quiet(axes, "α", "").set_title(title, color=MUTED, fontsize=9.5)
        axes.set(xlim=(0, 1), ylim=(0.23, 0.56))
    pair[0].set_ylabel(f"RMS error to the exact values, first {EPISODES} episodes", color=MUTED, fontsize=9)
    return pair


def _draw(axes: Axes, error: Callable[[float, float], float], members: Sequence[float], letter: str) -> None:
    """Draw a curve over the step size for each member of a family, its name at its least, and the least of all."""
    curves = np.array([[error(member, alpha) for alpha in ALPHAS] for member in members])
    axes.axhline(np.nanmin(curves), color=ACCENT, linewidth=1.0, dashes=(6, 2), zorder=1)
    axes.text(
        0.995,
        np.nanmin(curves) - 0.004,
        f"least: {np.nanmin(curves):.3f}",
        color=ACCENT,
        fontsize=8.5,
        ha="right",
        va="top",
    )
    for number, (member, curve) in enumerate(zip(members, curves, strict=True)):
        axes.plot(
            ALPHAS, curve, color=LINES[number % len(LINES)], linewidth=1.6, dashes=DASHES[number % len(DASHES)],
            label=f"{letter} = {member:g}",
        )  # fmt: skip
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


def _rms(values: NDArray[np.float64]) -> float:
    """Return the error of values [runs, episodes, S], averaged over runs and episodes."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean((values - TRUTH) ** 2, axis=2)).mean())


@cache
def _n_step(n: float, alpha: float) -> float:
    agent = rlkit.make("n_step_td", WALK, gamma=1.0, n=n, alpha=float(alpha), seeds=RUNS)
    return _rms(values_by_episode(agent, np.arange(1, EPISODES + 1)))


def _td_lambda(traces: str) -> Callable[[float, float], float]:
    def error(lam: float, alpha: float) -> float:
        agent = rlkit.make("td_lambda", WALK, gamma=1.0, lam=lam, traces=traces, alpha=float(alpha), seeds=RUNS)
        return _rms(values_by_episode(agent, np.arange(1, EPISODES + 1)))

    return error


@cache
def _off_line(lam: float, alpha: float) -> float:
    return _rms(np.array([_learn_off_line(*walks, lam, alpha) for walks in _walks()]))


@cache
def _walks() -> list[tuple[NDArray[Any], ...]]:
    """Return, for each run, its states and rewards [T] one episode after another, and where each ends [EPISODES]."""
    rng, found = np.random.default_rng(123), []
    for _ in range(RUNS):
        states, rewards, ends = [], [], []
        for _ in range(EPISODES):
            s = 9
            while 0 <= s < 19:
                states.append(s)
                s += 1 if rng.random() < 0.5 else -1
                rewards.append(float(s == 19) - float(s == -1))
            ends.append(len(states))
        found.append((np.array(states), np.array(rewards), np.array(ends)))
    return found


@njit
def _learn_off_line(states, rewards, ends, lam, alpha):
    """Move v by α (G^λ - v) for each step of an episode once it is over, the returns taken from v as it was; S&B (12.4)."""
    v, out, returns = np.zeros(19), np.empty((ends.size, 19)), np.empty(states.size)
    first = 0
    for k in range(ends.size):
        g = 0.0
        for t in range(ends[k] - 1, first - 1, -1):
            ahead = 0.0 if t == ends[k] - 1 else v[states[t + 1]]
            g = rewards[t] + (1.0 - lam) * ahead + lam * g
            returns[t] = g
        for t in range(first, ends[k]):
            v[states[t]] += alpha * (returns[t] - v[states[t]])
        first = ends[k]
        out[k] = v
    return out
