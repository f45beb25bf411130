"""The two small ones of Sutton & Barto's chapter 6, which need no sampling: backup diagrams, and "You are the predictor"."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Circle, FancyArrowPatch, Rectangle
from numpy.typing import NDArray

import rlkit
from benchmarks.figures.pictures import save
from benchmarks.figures.runs import counts
from rlkit import exact
from rlkit.agents.lstd import weights
from rlkit.mdp import MDP, from_P
from rlkit.report.labels import End, name_ends
from rlkit.report.style import ACCENT, DASHES, INK, LINES, MUTED, SURFACE, figure, quiet

Floats = NDArray[np.float64]
Step = tuple[int, float, int, bool]  # s, r, s', terminated

Q_NEXT, R, GAMMA, EPSILON = (1.0, 2.0, 6.0), 1.0, 0.9, 0.3  # numbers to make the diagrams speak
EPISODES: tuple[tuple[Step, ...], ...] = (  # of example 6.4: A, 0, B, 0; six times B, 1; B, 0
    ((0, 0.0, 1, False), (1, 0.0, 1, True)),
    *(((1, 1.0, 1, True),) for _ in range(6)),
    ((1, 0.0, 1, True),),
)


def figure_6_4(out: Path) -> Path:
    """S&B figure 6.4: the backup diagrams of Q-learning and expected Sarsa, with a target of each in numbers."""
    made = figure(8.4, 4.2, "What the targets look at: Q-learning and expected Sarsa  (S&B figure 6.4)")
    panels = made.subplots(1, 2)
    greedy, spread = np.array([0.0, 0.0, 1.0]), np.array([EPSILON / 3, EPSILON / 3, 1.0 - EPSILON * 2 / 3])
    for axes, name, words, share, formula in zip(
        panels,
        ("q_learning", "expected_sarsa"),
        ("Q-learning", f"expected Sarsa, ε = {EPSILON}"),
        (greedy, spread),
        ("r + γ max q(s′, a)", "r + γ Σ π(a|s′) q(s′, a)"),
        strict=True,
    ):
        _diagram(axes, share, arc=name == "q_learning")
        axes.set_title(words, color=INK, fontsize=10)
        axes.text(0.0, -2.62, f"{formula}  =  {target(name):.2f}", color=ACCENT, fontsize=10, ha="center")
    return save(made, out / "sutton-barto-6-4.png")


def target(name: str) -> float:
    """Return the target of an agent after the reward R in a state whose actions are worth Q_NEXT; γ and ε as above."""
    two = from_P([[[(1.0, 1, R, False)]] * 3, [[(1.0, 1, 0.0, True)]] * 3])
    agent: Any = rlkit.make(name, two, gamma=GAMMA, alpha=1.0, epsilon=EPSILON)
    table = agent.memories[0]
    table.q[1] = Q_NEXT
    agent.method.learn(table, 0, 0, R, 1, False, False)
    return float(table.q[0, 0])


def _diagram(axes: Axes, share: Floats, *, arc: bool) -> None:
    """Draw a pair, its reward, the next state and its actions, and by each action its value and its weight in the target."""
    axes.set(xlim=(-2.3, 2.3), ylim=(-2.9, 1.3), aspect="equal")
    axes.axis("off")
    axes.set_facecolor(SURFACE)
    axes.plot([0, 0], [0.9, -0.2], color=INK, linewidth=1.4, zorder=1)
    for x, value, weight in zip((-1.1, 0.0, 1.1), Q_NEXT, share, strict=True):
        counted = weight > 0.0
        axes.plot([0, x], [-0.2, -1.5], color=INK if counted else MUTED, linewidth=0.8 + 2.2 * weight, zorder=1)
        axes.add_patch(Circle((x, -1.5), 0.09, color=INK if counted else MUTED, zorder=3))
        axes.text(x, -1.72, f"q = {value:g}\nweight {weight:g}", color=MUTED, fontsize=8.5, ha="center", va="top")
    axes.add_patch(Circle((0, 0.9), 0.09, color=INK, zorder=3))
    axes.add_patch(Circle((0, -0.2), 0.16, facecolor=SURFACE, edgecolor=INK, linewidth=1.4, zorder=3))
    if arc:
        axes.add_patch(Arc((0, -0.2), 1.3, 1.3, theta1=230.0, theta2=310.0, color=ACCENT, linewidth=1.8))
        axes.text(0.52, -0.62, "max", color=ACCENT, fontsize=9, va="center")
    axes.text(0.2, 0.9, "s, a", color=INK, fontsize=9.5, va="center")
    axes.text(0.14, 0.4, f"r = {R:g}", color=MUTED, fontsize=8.5, va="center")
    axes.text(0.28, -0.2, "s′", color=INK, fontsize=9.5, va="center")


def figure_example_6_4(out: Path) -> Path:
    """S&B example 6.4: you are the predictor; on eight episodes batch TD(0) says V(A) = 3/4 and batch Monte Carlo 0.

    The lines are passes through the episodes with a small step size; what they come to is exact, from LSTD and the mean.
    """
    made = figure(9.8, 4.2, "You are the predictor: V(A) from eight episodes  (S&B example 6.4)")
    left, right = made.subplots(1, 2, width_ratios=(1.0, 1.5))
    _likeliest(left)
    quiet(right, "passes through the eight episodes", "V(A)")
    shown, ends = counts(4000), []
    for number, (name, words) in enumerate((("td0", "batch TD(0)"), ("mc_off_policy", "batch Monte Carlo"))):
        colour, v = LINES[(0, 7)[number]], batch(name)
        error = np.sqrt(np.mean((returns()[:, 1] - v[returns()[:, 0].astype(int)]) ** 2))
        right.axhline(v[0], color=MUTED, linewidth=4, alpha=0.25)
        note = f"exact: {v[0]:g}; root mean square error on the episodes {error:.3f}"
        right.text(1.1, v[0] + (0.03 if v[0] > 0.5 else -0.07), note, color=MUTED, fontsize=8.5)
        path = passes(name, shown)
        right.plot(shown, path[:, 0], color=colour, linewidth=1.8, dashes=DASHES[number])
        ends.append(End(float(shown[-1]), float(path[-1, 0]), words, colour))
    right.set_xscale("log")
    right.set(xlim=(1, 60_000), ylim=(-0.15, 1.0))
    right.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    right.minorticks_off()
    name_ends(made, right, ends)
    return save(made, out / "sutton-barto-example-6-4.png")


def likeliest() -> MDP:
    """Return the MDP under which the episodes are likeliest: the shares of what was seen."""
    return from_P([[[(1.0, 1, 0.0, False)]], [[(0.75, 1, 1.0, True), (0.25, 1, 0.0, True)]]])


def returns() -> Floats:
    """Return the state and the return of every step, [9, 2]."""
    return np.array([(step[0], sum(r for _, r, _, _ in one[i:])) for one in EPISODES for i, step in enumerate(one)])


def batch(name: str) -> Floats:
    """Return what repeating the episodes for ever comes to, V [2]: TD's is LSTD's answer, Monte Carlo's the mean."""
    if name == "td0":
        agent: Any = rlkit.make("lstd", likeliest(), gamma=1.0, features="one-hot", ridge=1e-12)
        _feed(agent)
        return np.round(weights(agent.memories[0]), 9)
    agent = rlkit.make(name, likeliest(), gamma=1.0, weighting="ordinary", visit="every")
    _feed(agent)
    return np.array(agent.memories[0].values.v)


def passes(name: str, after: NDArray[np.int64], alpha: float = 0.02) -> Floats:
    """Return V [K, 2] after so many passes through the episodes, from 0.4 on: in the middle, and no answer."""
    options = {} if name == "td0" else {"weighting": "ordinary", "visit": "every"}
    agent: Any = rlkit.make(name, likeliest(), gamma=1.0, alpha=alpha, initial=0.4, **options)
    found, done = np.empty((len(after), 2)), 0
    for k, number in enumerate(after):
        while done < number:
            _feed(agent)
            done += 1
        found[k] = getattr(agent.memories[0], "values", agent.memories[0]).v
    return found


def _feed(agent: Any) -> None:
    memory = agent.memories[0]
    for one in EPISODES:
        agent.method.begin(memory, one[0][0])
        for s, r, s_next, terminated in one:
            agent.method.learn(memory, s, 0, r, s_next, terminated, False)


def _likeliest(axes: Axes) -> None:
    """Draw the likeliest MDP, and the value that it gives to A."""
    axes.set(xlim=(-0.7, 4.2), ylim=(-2.6, 1.6), aspect="equal")
    axes.axis("off")
    for x, letter in ((0.0, "A"), (1.9, "B")):
        axes.add_patch(Circle((x, 0.0), 0.3, facecolor=SURFACE, edgecolor=INK, linewidth=1.4))
        axes.text(x, 0.0, letter, color=INK, fontsize=11, ha="center", va="center")
    for start, end, words, place in (
        ((0.3, 0.0), (1.6, 0.0), "100 %\nr = 0", (0.95, 0.1)),
        ((2.12, 0.21), (3.45, 0.9), "75 %, r = 1", (2.15, 0.85)),
        ((2.12, -0.21), (3.45, -0.9), "25 %, r = 0", (2.15, -1.1)),
    ):
        axes.add_patch(
            FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=INK, shrinkA=0, shrinkB=0)
        )
        axes.text(*place, words, color=MUTED, fontsize=8.5, ha="center", va="bottom")
    for y in (0.9, -0.9):
        axes.add_patch(Rectangle((3.48, y - 0.13), 0.26, 0.26, color=INK))
    v = exact.value(likeliest(), np.ones((2, 1)), 1.0)
    words = f"the likeliest world after\nA, 0, B, 0  ·  6 times B, 1  ·  B, 0\nthere v(A) = {v[0]:g}, v(B) = {v[1]:g}"
    axes.text(1.75, -1.5, words, color=MUTED, fontsize=8.5, ha="center", va="top", linespacing=1.5)
