"""The figures of Sutton & Barto's chapter 2, bandits: what each method earns on the ten-armed testbed."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from benchmarks.figures.pictures import save
from benchmarks.figures.runs import Pulls, pulls
from rlkit.report.labels import End, name_ends
from rlkit.report.style import ACCENT, INK, LINES, MUTED, figure, quiet

RUNS, COUNT = 2000, 1000
BEST = 1.53875  # E max of ten standard normal numbers: what one who knew the values would earn


def figure_2_1(out: Path) -> Path:
    """S&B figure 2.1: one bandit of the testbed; ten values from N(0, 1), and rewards of variance 1 about each."""
    made = figure(8.4, 4.0, "A bandit of the ten-armed testbed  (S&B figure 2.1)")
    axes = quiet(made.add_subplot(), "action", "distribution of the reward")
    rng = np.random.default_rng(21)
    values = rng.standard_normal(10)
    height = np.linspace(-3.3, 3.3, 200)
    width = 0.38 * np.exp(-0.5 * height**2)
    axes.axhline(0.0, color=MUTED, linewidth=0.8, dashes=(4, 3))
    for a, value in enumerate(values, 1):
        best = value == values.max()
        axes.fill_betweenx(
            value + height, a - width, a + width, color=LINES[0], alpha=0.4 if best else 0.25, linewidth=0
        )
        axes.hlines(value, a - 0.4, a + 0.4, color=ACCENT if best else LINES[0], linewidth=1.6)
        axes.text(a + 0.16, value + 0.1, f"{value:.2f}".replace("-", "−"), fontsize=7.5, color=INK)
    axes.set_xticks(range(1, 11))
    axes.grid(visible=False, axis="x")
    return save(made, out / "sutton-barto-2-1.png")


def figure_2_2(out: Path) -> Path:
    """S&B figure 2.2: epsilon-greedy methods with sample averages; the mean over 2000 bandits of 1000 pulls each."""
    found = {
        f"ε = {epsilon:g}": pulls("q_learning", RUNS, COUNT, alpha="1/n", epsilon=epsilon)
        for epsilon in (0.0, 0.01, 0.1)
    }
    made = figure(9.6, 4.2, "ε-greedy methods on the ten-armed testbed  (S&B figure 2.2)")
    left, right = made.subplots(1, 2)
    _rewards(left, found)
    _best(right, found)
    # in the long run a share 1 - ε + ε/10 of the pulls is of the best arm
    for number, epsilon in enumerate((0.01, 0.1), 1):
        right.axhline(1 - 0.9 * epsilon, color=LINES[number], linewidth=4, alpha=0.22)
        right.text(
            20,
            0.985 - 0.9 * epsilon,
            f"ε = {epsilon} in the end: {1 - 0.9 * epsilon:.1%}",
            fontsize=8,
            color=MUTED,
            va="top",
        )
    _label(made, left, found, "reward")
    return save(made, out / "sutton-barto-2-2.png")


def figure_2_3(out: Path) -> Path:
    """S&B figure 2.3: an optimistic start makes a greedy learner explore; both with step size 0.1."""
    found = {
        "optimistic, greedy: q₁ = 5, ε = 0": pulls("q_learning", RUNS, COUNT, alpha=0.1, epsilon=0.0, initial=5.0),
        "realistic, ε-greedy: q₁ = 0, ε = 0.1": pulls("q_learning", RUNS, COUNT, alpha=0.1, epsilon=0.1),
    }
    made = figure(8.4, 4.2, "Optimistic initial values  (S&B figure 2.3)")
    axes = made.add_subplot()
    _best(axes, found)
    axes.legend(fontsize=8.5, frameon=False, labelcolor="linecolor", loc="lower right")
    early = found["optimistic, greedy: q₁ = 5, ε = 0"].best[:30]
    axes.annotate(
        f"pull {early.argmax() + 1}: all arms tried once,\nall disappoint, and the best one least",
        (early.argmax() + 1, early.max()),
        (60, 0.05),
        fontsize=8.5,
        color=MUTED,
        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "relpos": (0.0, 0.5)},
    )
    return save(made, out / "sutton-barto-2-3.png")


def figure_2_4(out: Path) -> Path:
    """S&B figure 2.4: upper confidence bounds with c = 2 beside epsilon-greedy with 0.1; both average the rewards."""
    found = {
        "UCB, c = 2": pulls("ucb_bandit", RUNS, COUNT, confidence=2.0),
        "ε-greedy, ε = 0.1": pulls("q_learning", RUNS, COUNT, alpha="1/n", epsilon=0.1),
    }
    made = figure(8.4, 4.2, "Upper confidence bounds  (S&B figure 2.4)")
    axes = made.add_subplot()
    _rewards(axes, found)
    spike = found["UCB, c = 2"].reward
    axes.annotate(
        "pull 11: ten arms were tried once,\nthe best-looking one comes next",
        (11, spike[10]),
        (70, 0.35),
        fontsize=8.5,
        color=MUTED,
        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "relpos": (0.0, 0.5)},
    )
    _label(made, axes, found, "reward")
    return save(made, out / "sutton-barto-2-4.png")


def figure_2_5(out: Path) -> Path:
    """S&B figure 2.5: the gradient bandit with and without a baseline, where all values lie near 4."""
    found = {
        f"{'with' if baseline else 'no'} baseline, α = {alpha}": pulls(
            "gradient_bandit", RUNS, COUNT, {"mean": 4.0}, alpha=alpha, baseline=baseline
        )
        for baseline in (True, False)
        for alpha in (0.1, 0.4)
    }
    made = figure(8.4, 4.4, "The gradient bandit needs its baseline: values about 4  (S&B figure 2.5)")
    axes = made.add_subplot()
    _best(axes, found)
    _label(made, axes, found, "best")
    return save(made, out / "sutton-barto-2-5.png")


def figure_2_6(out: Path) -> Path:
    """S&B figure 2.6: mean reward of the first 1000 pulls by the one parameter that each method has."""
    powers = {
        "ε-greedy: ε": (range(-7, -1), lambda x: ("q_learning", {"alpha": "1/n", "epsilon": x})),
        "gradient bandit: α": (range(-5, 3), lambda x: ("gradient_bandit", {"alpha": x})),
        "UCB: c": (range(-4, 3), lambda x: ("ucb_bandit", {"confidence": x})),
        "greedy, optimistic: q₁ (α = 0.1)": (
            range(-2, 3),
            lambda x: ("q_learning", {"alpha": 0.1, "epsilon": 0.0, "initial": x}),
        ),
    }
    made = figure(8.6, 4.4, "Each method by its parameter  (S&B figure 2.6)")
    axes = quiet(made.add_subplot(), "parameter", "mean reward of the first 1000 pulls")
    axes.set_xscale("log", base=2)
    for number, (name, (range_, method)) in enumerate(powers.items()):
        x = [2.0**power for power in range_]
        earned = []
        for value in x:
            agent, config = method(value)
            earned.append(pulls(agent, RUNS, COUNT, **config).reward.mean())
        axes.plot(x, earned, color=LINES[number], linewidth=1.8, marker="o", markersize=4, label=name)
    axes.axhline(BEST, color=MUTED, linewidth=1.0, dashes=(4, 3))
    axes.text(2**-7, BEST + 0.01, "always the best arm: 1.539", color=MUTED, fontsize=8)
    axes.set_xticks([2.0**power for power in range(-7, 3)])
    axes.set_xticklabels([f"1/{2**-power}" if power < 0 else str(2**power) for power in range(-7, 3)])
    axes.legend(fontsize=8.5, frameon=False, labelcolor="linecolor", loc="lower center")
    return save(made, out / "sutton-barto-2-6.png")


def _rewards(axes: Axes, found: dict[str, Pulls]) -> None:
    quiet(axes, "pulls", "mean reward")
    axes.axhline(BEST, color=MUTED, linewidth=1.0, dashes=(4, 3))
    axes.text(COUNT * 0.02, BEST + 0.02, "always the best arm: 1.539", color=MUTED, fontsize=8)
    _draw(axes, found, "reward")
    axes.set_ylim(0, 1.65)


def _best(axes: Axes, found: dict[str, Pulls]) -> None:
    quiet(axes, "pulls", "share of pulls of the best arm")
    _draw(axes, found, "best")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _draw(axes: Axes, found: dict[str, Pulls], what: str) -> None:
    for number, (name, one) in enumerate(found.items()):
        y = getattr(one, what)
        axes.plot(np.arange(1, len(y) + 1), y, color=LINES[number], linewidth=1.0, label=name)
    axes.set_xlim(0, COUNT)


def _label(made, axes: Axes, found: dict[str, Pulls], what: str) -> None:
    axes.set_xlim(0, COUNT * 1.3)
    axes.set_xticks(range(0, COUNT + 1, 250))
    ends = [
        End(COUNT, float(getattr(one, what)[-100:].mean()), name, LINES[i])
        for i, (name, one) in enumerate(found.items())
    ]
    name_ends(made, axes, ends)
