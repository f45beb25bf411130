"""The figures of Zhao's chapter 5, Monte Carlo learning, beside the exact values of the same policies.

All worlds are the book's 5x5 with r_boundary -1, r_forbidden -10, r_target 1 and discount 0.9. A bump against the wall pays
r_boundary and nothing else, as the text has it; the book's figures 5.6 and 5.7 were drawn with r_forbidden on top of it on a
forbidden cell, so that for epsilon > 0 their values are lower.
"""

from pathlib import Path

import gymnasium as gym
import numpy as np
from matplotlib.colors import LogNorm, Normalize

import rlkit
from benchmarks.figures.boards import BLUE, FORBIDDEN_CELLS, TARGET_CELL, board, caption, visits
from benchmarks.figures.pictures import save
from benchmarks.figures.worlds import best_soft, epsilon_greedy
from rlkit.report.grid import draw_grid, frame_cells
from rlkit.report.style import FORBIDDEN, INK, LINES, MUTED, figure, quiet

GAMMA, EPSILONS = 0.9, (0.0, 0.1, 0.2, 0.5)


def world(**options) -> gym.Env:
    """Return the book's 5x5 world of this chapter."""
    return gym.make("GridWorld-v0", r_forbidden=-10.0, **options)


def figure_5_4(out: Path) -> Path:
    """Zhao figure 5.4: MC Basic by the length of its episodes; values are felt no further from the target than that."""
    env = world()
    best = rlkit.make("policy_iteration", env, gamma=GAMMA)
    list(best.updates(50))
    good = best.optimal_actions()
    made = figure(11.6, 6.6, "MC Basic with episodes of 1, 2, 3, 4, 14, 15, 30 and 100 steps  (figure 5.4)")
    panels = made.subplots(2, 4).ravel()
    for axes, length in zip(panels, (1, 2, 3, 4, 14, 15, 30, 100), strict=True):
        agent = rlkit.make("mc_basic", env, gamma=GAMMA, length=length, report=125 * length)
        list(agent.updates(30 * 125 * length))  # 30 rounds of an episode from each of the 125 pairs
        v, policy = agent.values.max(axis=1), np.eye(5)[agent.policy]
        board(axes, v, policy, f"episode length {length}", norm=Normalize(-1, 10), size=0.52)
        right = int(good[np.arange(25), agent.policy].sum())
        caption(axes, f"{right} of 25 actions optimal; largest error {np.abs(v - best.v).max():.2g}")
    return save(made, out / "figure-5-4.png")


def figure_5_5(out: Path) -> Path:
    """Zhao figure 5.5: MC epsilon-greedy, epsilon 0.5, a single episode of a million steps for each iteration."""
    env, epsilon = gym.make("GridWorld-v0", r_forbidden=-10.0, max_episode_steps=1_000_000), 0.5
    mdp = rlkit.from_env(env)
    _, actions = best_soft(mdp, epsilon, GAMMA)
    agent = rlkit.make(
        "mc_epsilon_greedy",
        env,
        gamma=GAMMA,
        epsilon=epsilon,
        visit="every",
        alpha="1/n^0.6",
        horizon=1_000_000,
        report=1_000_000,
    )
    made = figure(11.6, 3.7, "MC ε-greedy, ε = 0.5: an episode of a million steps for each iteration  (figure 5.5)")
    panels = made.subplots(1, 4)
    shown = [("initial policy", np.zeros(25, np.int64))]
    for iteration in (1, 2):
        list(agent.updates(1_000_000))
        shown.append((f"after iteration {iteration}", agent.policy.copy()))
    for axes, (title, policy) in zip(panels, [*shown, ("exact: the best ε-greedy policy", actions)], strict=True):
        pi = epsilon_greedy(policy, epsilon, 5)
        if title == "initial policy":
            pi = np.full((25, 5), 0.2)
        v = rlkit.exact.value(mdp, pi, GAMMA)
        board(axes, v, pi, title, norm=Normalize(-33, 0), size=0.52)
        caption(axes, f"mean value, exact: {v.mean():.2f}".replace("-", "−"))
    return save(made, out / "figure-5-5.png")


def figure_5_6(out: Path) -> Path:
    """Zhao figure 5.6: epsilon-greedy policies about the optimal one, and their exact values: the more epsilon the worse."""
    env = world()
    mdp, plan = rlkit.from_env(env), rlkit.make("policy_iteration", env, gamma=GAMMA)
    list(plan.updates(50))
    made = figure(11.6, 6.6, "Consistent ε-greedy policies: about the optimal policy  (figure 5.6)")
    panels = made.subplots(2, 4)
    for column, epsilon in enumerate(EPSILONS):
        pi = epsilon_greedy(plan.policy, epsilon, 5)
        v = rlkit.exact.value(mdp, pi, GAMMA)
        _pair(panels[:, column], v, pi, f"ε = {epsilon:g}")
    return save(made, out / "figure-5-6.png")


def figure_5_7(out: Path) -> Path:
    """Zhao figure 5.7: the best epsilon-greedy policies; from epsilon 0.2 on they are no longer about the optimal policy.

    Above the exact ones; below those that MC epsilon-greedy has learned from samples, with their exact values.
    """
    env = world(max_episode_steps=100)
    mdp, plan = rlkit.from_env(env), rlkit.make("policy_iteration", env, gamma=GAMMA)
    list(plan.updates(50))
    optimal = plan.optimal_actions()
    made = figure(11.6, 6.6, "The best ε-greedy policies, exact (above) and by MC ε-greedy (below)  (figure 5.7)")
    panels = made.subplots(2, 4)
    for column, epsilon in enumerate(EPSILONS):
        v, actions = best_soft(mdp, epsilon, GAMMA)
        consistent = int(optimal[np.arange(25), actions].sum())
        norm = Normalize(min(v.min(), -0.5), max(v.max(), 0.0))
        board(panels[0, column], v, epsilon_greedy(actions, epsilon, 5), f"ε = {epsilon:g}", norm=norm, size=0.52)
        caption(panels[0, column], f"{consistent} of 25 actions are optimal without ε")
        if epsilon == 0.0:
            agent = rlkit.make("mc_exploring_starts", env, gamma=GAMMA, report=4_000_000)
        else:
            agent = rlkit.make(
                "mc_epsilon_greedy",
                env,
                gamma=GAMMA,
                epsilon=epsilon,
                report=150_000_000,
                horizon=100,
                visit="every",
                alpha="2/(n+1)",
            )
        list(agent.updates(4_000_000 if epsilon == 0.0 else 150_000_000))
        pi = epsilon_greedy(agent.policy, epsilon, 5)
        learned = rlkit.exact.value(mdp, pi, GAMMA)
        words = "learned by exploring starts" if epsilon == 0.0 else f"learned, ε = {epsilon:g}"
        board(panels[1, column], learned, pi, words, norm=norm, size=0.52)
        lost = np.abs(v - learned).max()
        caption(
            panels[1, column],
            f"worth up to {lost:.2g} less" if lost > 1e-9 else "the same policy, or as good a one",
        )
    return save(made, out / "figure-5-7.png")


def _pair(panels, v, pi, title: str) -> None:
    norm = Normalize(min(v.min(), -0.5), max(v.max(), 0.0))
    board(panels[0], v, pi, title, norm=norm, numbers=False, size=0.52)
    board(panels[1], v, None, "", norm=norm, size=0.52)
    caption(panels[1], f"mean value {v.mean():.2f}".replace("-", "−"))


def figure_5_8(out: Path) -> Path:
    """Zhao figure 5.8: where epsilon-greedy policies with epsilon 1 and 0.5 get to in one episode of 100 to a million steps."""
    env = world(start=(0, 0))
    plan = rlkit.make("policy_iteration", env, gamma=GAMMA)
    list(plan.updates(50))
    made = figure(
        10.2, 4.9, "One episode of an ε-greedy policy: the way, and how often each pair is visited  (figure 5.8)"
    )
    grid = made.add_gridspec(2, 5, width_ratios=(1, 1, 1, 1, 1.35))
    for row, epsilon in enumerate((1.0, 0.5)):
        pi = epsilon_greedy(plan.policy, epsilon, 5)
        data = rlkit.collect(env, pi, 1_000_000, seed=5)
        for column, steps in enumerate((100, 1000, 10_000)):
            axes = made.add_subplot(grid[row, column])
            visits(
                axes,
                data.obs[:steps],
                f"{'ε = ' + format(epsilon, 'g') + ': ' if column == 0 else ''}{steps} steps".replace(
                    "10000", "10 000"
                ),
            )
        pairs = np.bincount(data.obs * 5 + data.action, minlength=125)
        axes = made.add_subplot(grid[row, 3])
        norm = LogNorm(100, 1e6)
        draw_grid(axes, pairs.reshape(25, 5).sum(axis=1).reshape(5, 5).astype(float), norm=norm, numbers=False)
        frame_cells(axes, FORBIDDEN_CELLS, FORBIDDEN)
        frame_cells(axes, [TARGET_CELL], BLUE)
        axes.set_title("visits, 1 million steps", color=INK, fontsize=9, loc="left", pad=5)
        axes = quiet(made.add_subplot(grid[row, 4]), "state-action pair", "visits in 1 million steps")
        exact = 1e6 * _occupancy(env, pi).ravel()
        axes.semilogy(np.arange(125), exact, color=MUTED, linewidth=0, marker="_", markersize=7)
        axes.semilogy(np.arange(125), np.maximum(pairs, 0.5), "o", color=LINES[0], markersize=2.6)
        axes.set_ylim(50, 1e6)
        axes.text(
            0.02,
            0.95,
            f"least visited: {pairs.min()}; most: {pairs.max()}",
            transform=axes.transAxes,
            color=LINES[0],
            fontsize=8,
        )
        axes.text(0.02, 0.87, "grey: expected, exact", transform=axes.transAxes, color=MUTED, fontsize=8)
    return save(made, out / "figure-5-8.png")


def _occupancy(env: gym.Env, pi) -> np.ndarray:
    """Return the long-run share of each pair [25, 5]: the stationary distribution, times the policy."""
    step = rlkit.exact.chain.chain(rlkit.from_env(env), pi).step.toarray()
    share = np.linalg.matrix_power(step, 1 << 14)[0]
    return share[:, None] * pi
