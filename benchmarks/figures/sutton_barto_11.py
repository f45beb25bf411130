"""The figures of Sutton & Barto's chapter 11, off-policy learning with approximation: Baird's counterexample."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import rlkit
from benchmarks.figures.pictures import save
from rlkit.mdp import MDP, from_P
from rlkit.report.style import ACCENT, DASHES, INK, LINES, MUTED, SURFACE, figure, quiet

Floats = NDArray[np.float64]
GAMMA, STEPS = 0.99, 1000
PHI = np.vstack([np.eye(6, 8) * 2.0 + np.eye(8)[7], np.eye(8)[6] + 2.0 * np.eye(8)[7]])  # [7, 8]
START = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 10.0, 1.0])
SOLID, BEHAVIOUR = np.tile([0.0, 1.0], (7, 1)), np.tile([6 / 7, 1 / 7], (7, 1))
NEXT = np.tile(np.eye(7)[6], (7, 1))  # the policy that is valued always goes to the seventh state


def baird() -> MDP:
    """S&B section 11.2: seven states, all rewards 0; "dashed" leads to one of the first six, "solid" to the seventh."""
    dashed, solid = [(1 / 6, s, 0.0, False) for s in range(6)], [(1.0, 6, 0.0, False)]
    return from_P([[dashed, solid] for _ in range(7)], np.full(7, 1 / 7))


def features(s: int) -> Floats:
    """Return x(s): 2 w_s + w_8 is the value of the first six states, w_7 + 2 w_8 of the seventh."""
    return PHI[s]


def figure_11_2(out: Path) -> Path:
    """S&B figure 11.2: semi-gradient off-policy TD(0) diverges on Baird's counterexample, and so does its expectation."""
    made = figure(9.6, 4.2, "Semi-gradient methods diverge on Baird's counterexample  (S&B figure 11.2)")
    left, right = _pair(made, "step", "sweep")
    _weights(left, _learned("semi-gradient", alpha=0.01), "semi-gradient off-policy TD(0), α = 0.01")
    sweep = np.eye(8) + 0.01 / 7 * PHI.T @ (GAMMA * NEXT @ PHI - PHI)
    _weights(right, _iterated(sweep, START), "the same in expectation: semi-gradient dynamic programming")
    growth = float(np.abs(np.linalg.eigvals(sweep)).max())
    note = f"largest eigenvalue of a sweep, exact: {growth:.5f} > 1"
    right.text(0.03, 0.6, note, color=ACCENT, fontsize=8.5, transform=right.transAxes)
    for axes in (left, right):
        axes.set_ylim(-15, 310)
    return save(made, out / "sutton-barto-11-2.png")


def figure_11_5(out: Path) -> Path:
    """S&B figure 11.5: TDC on the same example; the projected Bellman error goes to 0, the value error does not."""
    made = figure(9.6, 4.2, "Gradient TD does not diverge: TDC, α = 0.005, β = 0.05  (S&B figure 11.5)")
    left, right = _pair(made, "step", "sweep")
    _weights(left, _learned("tdc", alpha=0.005, beta=0.05), "TDC", errors=True)
    sweep = _expected_tdc(0.005, 0.05)
    _weights(right, _iterated(sweep, np.append(START, np.zeros(8))), "the same in expectation", errors=True)
    slowest = max(size for size in np.abs(np.linalg.eigvals(sweep)) if size < 1.0 - 1e-12)
    half = np.log(2.0) / -np.log(slowest)
    note = f"√VE goes to 0 too, but halves in {half / 1e6:.1f} million sweeps:\nan eigenvalue, exact, is 1 − {1.0 - slowest:.1e}"
    right.text(990, 3.2, note, color=ACCENT, fontsize=8.5, ha="right", va="bottom")
    for axes in (left, right):
        axes.set_ylim(-3, 14.5)
    return save(made, out / "sutton-barto-11-5.png")


def _learned(method: str, **options: float) -> Floats:
    """Return the weights after each step of an agent, [STEPS + 1, 8]."""
    config = {"features": features, "gamma": GAMMA, "policy": SOLID, "behaviour": BEHAVIOUR, "report": 1}
    agent = rlkit.make("gradient_td", baird(), method=method, **config, **options)
    w = agent.memories[0].weights.w
    w[:] = START
    return np.array([START] + [w.copy() for _ in agent.updates(STEPS)])


def _iterated(sweep: Floats, start: Floats) -> Floats:
    path = [start]
    for _ in range(STEPS):
        path.append(sweep @ path[-1])
    return np.array(path)[:, :8]


def _expected_tdc(alpha: float, beta: float) -> Floats:
    """Return what a step of TDC does to (w, u) in expectation, [16, 16]; the behaviour visits all states alike."""
    error = (GAMMA * NEXT @ PHI - PHI) / 7
    own, ahead = PHI.T @ PHI / 7, GAMMA * (NEXT @ PHI).T @ PHI / 7
    moves = np.block([[alpha * PHI.T @ error, -alpha * ahead], [beta * PHI.T @ error, -beta * own]])
    return np.eye(16) + moves


def _errors(w: Floats) -> tuple[Floats, Floats]:
    """Return the root value error and the root projected Bellman error of weights [K, 8], under the behaviour's visits."""
    values = w @ PHI.T  # the true ones are 0
    bellman = GAMMA * values[:, 6:] - values
    projected = bellman @ PHI @ np.linalg.pinv(PHI)
    return np.sqrt(np.mean(values**2, axis=1)), np.sqrt(np.mean(projected**2, axis=1))


def _pair(made: Figure, *names: str) -> Any:
    pair = made.subplots(1, 2, sharey=True)
    for axes, name in zip(pair, names, strict=True):
        quiet(axes, name, "").set(xlim=(0, STEPS))
    return pair


def _weights(axes: Axes, path: Floats, title: str, *, errors: bool = False) -> None:
    axes.set_title(title, color=MUTED, fontsize=9.5)
    for i in range(6):
        axes.plot(path[:, i], color=LINES[0], linewidth=1.0, alpha=0.7, label="w₁ to w₆" if i == 0 else None)
    axes.plot(path[:, 6], color=LINES[1], linewidth=1.8, dashes=DASHES[1], label="w₇")
    axes.plot(path[:, 7], color=LINES[2], linewidth=1.8, dashes=DASHES[2], label="w₈")
    if errors:
        value, projected = _errors(path)
        axes.plot(value, color=LINES[3], linewidth=2.2, label="√VE, value error")
        axes.plot(projected, color=INK, linewidth=2.2, label="√PBE, projected Bellman error")
    place = "upper right" if errors else "upper left"
    legend = axes.legend(fontsize=8.5, loc=place, ncols=1 + errors, framealpha=0.9, edgecolor="none")
    legend.get_frame().set_facecolor(SURFACE)
