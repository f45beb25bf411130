"""The figures of Sutton & Barto's chapter 5, Monte Carlo: blackjack by samples, and two importance samplings."""

from pathlib import Path

import numpy as np

import rlkit
from benchmarks.blackjack import HIT, STICK, blackjack, number
from benchmarks.figures.pictures import save
from benchmarks.figures.runs import counts, values_by_episode
from rlkit.mdp import MDP, from_P
from rlkit.report.style import DASHES, HEAT, INK, LINES, MUTED, figure, quiet

PLAYER, DEALER = np.mgrid[12:22, 1:11]


def figure_5_1(out: Path) -> Path:
    """S&B figure 5.1: the value of "stick on 20 and 21" in blackjack after 10 000 and 500 000 episodes, beside the exact one."""
    mdp, policy = blackjack(), _stick_from(20)
    agent = rlkit.make(
        "mc_off_policy", mdp, gamma=1.0, policy=policy, behaviour=policy, weighting="ordinary", visit="every"
    )
    values = values_by_episode(agent, [10_000, 500_000])[0]
    exact = rlkit.exact.value(mdp, np.eye(2)[policy], 1.0)
    made = figure(9.6, 6.2, "The value of sticking on 20 and 21, by Monte Carlo and exactly  (S&B figure 5.1)")
    names = "after 10 000 episodes", "after 500 000 episodes", "exact"
    for row, usable in enumerate((True, False)):
        for column, (name, v) in enumerate(zip(names, (*values, exact), strict=True)):
            axes = made.add_subplot(2, 3, 3 * row + column + 1, projection="3d")
            _surface(axes, v, usable)
            if row == 0:
                axes.set_title(name, color=INK, fontsize=9)
            if column == 0:
                axes.text2D(
                    -0.05,
                    0.95,
                    f"{'' if usable else 'no '}usable ace",
                    transform=axes.transAxes,
                    color=MUTED,
                    fontsize=9,
                )
    return save(made, out / "sutton-barto-5-1.png")


def _stick_from(total: int) -> np.ndarray:
    sums = np.arange(32 * 11 * 2) // 22
    return np.where(sums >= total, STICK, HIT)


def _states(usable: bool) -> np.ndarray:
    return number((PLAYER, usable), DEALER)


def _surface(axes, v, usable: bool) -> None:
    axes.plot_surface(DEALER, PLAYER, v[_states(usable)], cmap=HEAT, vmin=-1, vmax=1, edgecolor=INK, linewidth=0.2)
    axes.set(zlim=(-1, 1), xticks=(1, 5, 10), yticks=(12, 16, 21), zticks=(-1, 0, 1))
    axes.set_xlabel("dealer shows", fontsize=7, color=MUTED, labelpad=-6)
    axes.set_ylabel("player's sum", fontsize=7, color=MUTED, labelpad=-6)
    axes.tick_params(labelsize=6, colors=MUTED, pad=-3)
    axes.set_facecolor("none")
    axes.view_init(28, -55)


def figure_5_2(out: Path) -> Path:
    """S&B figure 5.2: blackjack by Monte Carlo with exploring starts; where it differs from the exact optimal policy."""
    mdp = blackjack()
    agent = rlkit.make("mc_exploring_starts", mdp, gamma=1.0, alpha="1/n^0.8", seed=0, report=10_000_000)
    list(agent.updates(10_000_000))
    exact = rlkit.make("policy_iteration", mdp, gamma=1.0)
    list(exact.updates(50))
    q = exact.q()
    made = figure(9.6, 6.0, "Blackjack by Monte Carlo with exploring starts, 10 million steps  (S&B figure 5.2)")
    grid = made.add_gridspec(2, 2, width_ratios=(1.2, 1.0))
    for row, usable in enumerate((True, False)):
        axes = quiet(made.add_subplot(grid[row, 0]), "dealer shows" * row, "player's sum")
        s = _states(usable)
        hits = agent.policy[s] == HIT
        axes.imshow(hits, origin="lower", extent=(0.5, 10.5, 11.5, 21.5), cmap=HEAT, vmin=-0.4, vmax=1.6, aspect="auto")
        for total, shown in zip(*np.nonzero(hits != (exact.policy[s] == HIT)), strict=True):
            lost = q[s][total, shown].max() - q[s][total, shown].min()
            axes.text(shown + 1, total + 12, f"{lost:.3f}", color="#ffffff", fontsize=7.5, ha="center", va="center")
        axes.grid(visible=False)
        axes.set_xticks(range(1, 11), ["A", *map(str, range(2, 11))])
        axes.set_yticks(range(12, 22, 2))
        axes.set_title(
            f"{'usable ace' if usable else 'no usable ace'}: dark hits, light sticks", color=INK, fontsize=9, loc="left"
        )
        surface = made.add_subplot(grid[row, 1], projection="3d")
        _surface(surface, agent.values.max(axis=1), usable)
    made.supxlabel(
        "a number: the action is not the exact optimal one, and this is what it costs", color=MUTED, fontsize=8.5
    )
    return save(made, out / "sutton-barto-5-2.png")


def figure_5_3(out: Path) -> Path:
    """S&B figure 5.3: one blackjack state learned off-policy; error of ordinary and weighted importance sampling, 400 runs."""
    mdp, s = blackjack(), number((13, True), 2)
    policy = _stick_from(20)
    alone = mdp._replace(start_cdf=np.where(np.arange(mdp.n_states) >= s, 1.0, 0.0))  # every episode begins there
    exact = rlkit.exact.value(mdp, np.eye(2)[policy], 1.0)[s]
    made = figure(8.4, 4.2, "Estimating a blackjack state off-policy  (S&B figure 5.3)")
    axes = quiet(made.add_subplot(), "episodes", f"mean square error; the state is worth {exact:.5f}".replace("-", "−"))
    axes.set_xscale("log")
    k = counts(10_000)
    for number_, weighting in enumerate(("ordinary", "weighted")):
        agent = rlkit.make("mc_off_policy", alone, gamma=1.0, policy=policy, weighting=weighting, seeds=400)
        errors = (values_by_episode(agent, k)[:, :, s] - exact) ** 2
        axes.plot(
            k,
            errors.mean(axis=0),
            color=LINES[number_],
            linewidth=1.8,
            dashes=DASHES[number_],
            label=f"{weighting} importance sampling",
        )
    axes.set_ylim(0, 4)
    axes.set_title(
        "mean over 400 runs; uniform behaviour, target: stick on 20 and 21", color=MUTED, fontsize=8.5, loc="left"
    )
    axes.legend(fontsize=9, frameon=False, labelcolor="linecolor")
    return save(made, out / "sutton-barto-5-3.png")


def figure_5_4(out: Path) -> Path:
    """S&B figure 5.4: ordinary importance sampling where its variance is infinite; ten runs of 10 million episodes."""
    left, right = [(0.9, 0, 0.0, False), (0.1, 0, 1.0, True)], [(1.0, 0, 0.0, True)]
    mdp: MDP = from_P([[left, right]])
    made = figure(8.4, 4.2, "Infinite variance: ten estimates of a state worth 1  (S&B figure 5.4)")
    axes = quiet(made.add_subplot(), "episodes", "ordinary importance sampling's estimate")
    axes.set_xscale("log")
    k = counts(10_000_000)
    agent = rlkit.make("mc_off_policy", mdp, gamma=1.0, policy=[0], weighting="ordinary", seeds=10)
    for number_, v in enumerate(values_by_episode(agent, k)[:, :, 0]):
        axes.plot(k, v, color=LINES[number_ % 8], linewidth=1.1, alpha=0.85)
    agent = rlkit.make("mc_off_policy", mdp, gamma=1.0, policy=[0], weighting="weighted", seeds=1)
    v = values_by_episode(agent, k)[0, :, 0]
    axes.plot(k, v, color=INK, linewidth=2.2, dashes=(6, 2))
    axes.axhline(1.0, color=MUTED, linewidth=5, alpha=0.25)
    axes.text(1.2, 1.06, "exact: 1", color=MUTED, fontsize=8.5)
    axes.text(
        9e6,
        2.75,
        "dashed: weighted importance sampling,\nexact from the first return that counts",
        color=INK,
        fontsize=8.5,
        ha="right",
    )
    axes.set_ylim(0, 3)
    axes.set_xlim(1, k[-1])
    return save(made, out / "sutton-barto-5-4.png")
