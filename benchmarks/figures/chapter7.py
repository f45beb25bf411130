"""The figures of Zhao's chapter 7, temporal-difference learning, with the exact optimum drawn in.

Sections 7.2 and 7.3 seek one way from the upper left cell to a target that ends the episode (r_target 0, r_forbidden and
r_boundary -10, every other step -1); section 7.4 seeks the optimal policy for all cells of the continuing world.
"""

from collections.abc import Sequence
from pathlib import Path

import gymnasium as gym
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

import rlkit
from benchmarks.figures.boards import board, caption, path, visits
from benchmarks.figures.pictures import save
from benchmarks.figures.runs import episodes
from benchmarks.figures.worlds import best_soft, epsilon_greedy
from rlkit.report.labels import End, name_ends
from rlkit.report.style import ACCENT, INK, LINES, MUTED, figure, quiet

GAMMA, EPSILON, ALPHA, COUNT = 0.9, 0.1, 0.1, 500


def one_way() -> gym.Env:
    """Return the world of sections 7.2 and 7.3: from the upper left cell to the target, which ends the episode."""
    return gym.make(
        "GridWorld-v0", start=(0, 0), target="terminal", r_target=0.0, r_forbidden=-10.0, r_boundary=-10.0, r_step=-1.0
    )  # fmt: skip


def figure_7_2(out: Path) -> Path:
    """Zhao figure 7.2: Sarsa from one start; its policy, and return and length of 500 episodes."""
    return _one_start("sarsa", "Sarsa from one start  (figure 7.2)", out / "figure-7-2.png")


def figure_7_3(out: Path) -> Path:
    """Zhao figure 7.3: Q-learning from one start, acting on its own values; its policy, and return and length of 500 episodes."""
    return _one_start("q_learning", "Q-learning from one start  (figure 7.3)", out / "figure-7-3.png")


def _one_start(name: str, title: str, to: Path) -> Path:
    env = one_way()
    config = {"gamma": GAMMA, "alpha": ALPHA, "epsilon": EPSILON, "report": 2000}
    agent = rlkit.make(name, env, seed=1, **config)
    returns, lengths = (each[0] for each in episodes(agent, COUNT, 2000))
    all_returns, all_lengths = episodes(rlkit.make(name, env, seeds=200, **config), COUNT, 2000)
    made = figure(10.6, 4.6, title)
    grid = made.add_gridspec(2, 2, width_ratios=(1.0, 1.35))
    axes = made.add_subplot(grid[:, 0])
    greedy = np.eye(5)[agent.policy]
    greedy[17] = 0.0
    v = agent.values.max(axis=1)
    v[17] = np.nan
    board(axes, v, greedy, "the greedy policy and max q after 500 episodes", norm=Normalize(-10, 0), size=0.7)
    cells = _walk(env, agent.policy)
    path(axes, cells)
    caption(axes, f"the way from the start: {len(cells) - 1} steps; off it, little is learned")
    best = _exact(env)
    for row, (one, every, exact, words) in enumerate(
        ((returns, all_returns, best[0], "return"), (lengths, all_lengths, best[1], "steps"))
    ):
        axes = quiet(made.add_subplot(grid[row, 1]), "episode" * row, f"{words} of the episode")
        k = np.arange(1, COUNT + 1)
        axes.plot(k, one, color=LINES[5], linewidth=0.8)
        axes.plot(k, every.mean(axis=0), color=LINES[0], linewidth=1.6)
        axes.axhline(exact, color=MUTED, linewidth=4, alpha=0.35)
        axes.set_yscale("symlog", linthresh=20 - 15 * row)
        ticks = (0, -10, -100, -1000) if row == 0 else (5, 10, 20, 50, 100, 200)
        axes.set_yticks(ticks, [str(tick).replace("-", "−") for tick in ticks])
        axes.set_xlim(0, COUNT)
        axes.set_ylim(*((None, 0) if row == 0 else (4, None)))
        if row == 0:
            text = f"light: one run; dark: the mean of 200; grey: best ε-greedy policy, exact, {exact:.1f} in {best[1]:.1f} steps"
            axes.set_title(text.replace("-1", "−1"), color=MUTED, fontsize=8, loc="left")
    return save(made, to)


def _exact(env: gym.Env) -> tuple[float, float]:
    """Return the undiscounted return and the length, both exact means, of the best epsilon-greedy policy for the discount."""
    mdp = rlkit.from_env(env)
    pi = epsilon_greedy(best_soft(mdp, EPSILON, GAMMA)[1], EPSILON, 5)
    a_step = mdp._replace(reward=np.ones_like(mdp.reward))
    return rlkit.exact.objective(mdp, pi, 1.0), rlkit.exact.objective(a_step, pi, 1.0)


def _walk(env: gym.Env, policy) -> list[tuple[int, int]]:
    world = env.unwrapped
    s, _ = world.reset(seed=0)
    cells, terminated = [divmod(s, 5)], False
    while not terminated and len(cells) <= 25:
        s, _, terminated, _, _ = world.step(int(policy[s]))
        cells.append(divmod(s, 5))
    return cells


def figure_7_targets(out: Path) -> Path:
    """Not in the book: the targets of table 7.2 side by side on the world of figure 7.2; means over 500 runs."""
    env = one_way()
    rows: Sequence[tuple[str, dict, str]] = (
        ("sarsa", {}, "Sarsa"),
        ("expected_sarsa", {}, "expected Sarsa"),
        ("n_step_sarsa", {"n": 3}, "3-step Sarsa"),
        ("n_step_sarsa", {"n": 1000}, "1000-step Sarsa: Monte Carlo"),
        ("q_learning", {}, "Q-learning"),
    )
    made = figure(8.8, 4.6, "One world, five targets: steps of an episode, ε = α = 0.1  (table 7.2)")
    axes = quiet(made.add_subplot(), "episode", "steps of the episode, mean over 500 runs")
    ends = []
    for number, (name, options, words) in enumerate(rows):
        agent = rlkit.make(name, env, gamma=GAMMA, alpha=ALPHA, epsilon=EPSILON, seeds=500, report=2000, **options)
        mean = episodes(agent, 300, 2000)[1].mean(axis=0)
        smooth = np.exp(np.convolve(np.log(mean), np.ones(5) / 5, mode="valid"))
        axes.plot(np.arange(3, 299), smooth, color=LINES[number], linewidth=1.6)
        ends.append(End(298, float(smooth[-20:].mean()), words, LINES[number]))
    exact = _exact(env)[1]
    axes.axhline(exact, color=MUTED, linewidth=4, alpha=0.3)
    axes.text(4, exact * 0.97, f"best ε-greedy policy, exact: {exact:.1f}", color=MUTED, fontsize=8.5, va="top")
    axes.set_yscale("log")
    ticks = (10, 15, 20, 30, 50, 100)
    axes.set_yticks(ticks, map(str, ticks))
    axes.minorticks_off()
    axes.set(xlim=(0, 420), ylim=(9, 130))
    axes.set_xticks(range(0, 301, 100))
    name_ends(made, axes, ends)
    return save(made, out / "figure-7-targets.png")


def figure_7_4(out: Path) -> Path:
    """Zhao figure 7.4: Q-learning from one episode of the uniform policy; optimum, behaviour, policy found, error by steps."""
    made = figure(12.0, 3.8, "Q-learning off-policy: the uniform policy acts for 100 000 steps  (figure 7.4)")
    grid = made.add_gridspec(1, 4, width_ratios=(1, 1, 1, 1.3))
    env = gym.make("GridWorld-v0", start=(0, 0))
    best = _optimum(env)
    board(
        made.add_subplot(grid[0]),
        best.v,
        best.optimal_actions(),
        "exact: v* and all optimal actions",
        norm=Normalize(0, 10),
    )
    _off_policy(made, [grid[k] for k in (1, 2, 3)], env, best, 1.0)
    return save(made, out / "figure-7-4.png")


def figure_7_5(out: Path) -> Path:
    """Zhao figure 7.5: Q-learning from behaviours that explore less, epsilon 0.5 and 0.1 about the optimal policy."""
    made = figure(9.8, 6.9, "Q-learning off-policy: behaviours that explore less  (figure 7.5)")
    grid = made.add_gridspec(2, 3, width_ratios=(1, 1, 1.3))
    env = gym.make("GridWorld-v0", start=(0, 0))
    for row, epsilon in enumerate((0.5, 0.1)):
        _off_policy(made, [grid[row, k] for k in range(3)], env, _optimum(env), epsilon)
    return save(made, out / "figure-7-5.png")


def _optimum(env: gym.Env):
    best = rlkit.make("policy_iteration", env, gamma=GAMMA)
    list(best.updates(50))
    return best


def _off_policy(made, places, env: gym.Env, best, epsilon: float) -> None:
    """Draw a row: where the behaviour went, the policy that was learned from it, and the error of the values by steps."""
    steps, chunk = 100_000, 500
    data = rlkit.collect(env, epsilon_greedy(best.policy, epsilon, 5), steps, seed=7)
    agent = rlkit.make("q_learning", env, gamma=GAMMA, alpha=ALPHA)
    errors = [np.abs(best.v - agent.values.max(axis=1)).mean()]
    for first in range(0, steps, chunk):
        part = type(data)(*(column[first : first + chunk] for column in data))
        list(rlkit.learn_from(agent, part))
        errors.append(np.abs(best.v - agent.values.max(axis=1)).mean())
    way, found, curve = (made.add_subplot(place) for place in places)
    visits(way, data.obs[:1000], f"behaviour, ε = {epsilon:g}: its first 1000 steps")
    rare = int(np.sum(np.bincount(data.obs * 5 + data.action, minlength=125) < 10))
    caption(way, f"pairs tried less than 10 times: {rare} of 125")
    board(
        found, agent.values.max(axis=1), np.eye(5)[agent.policy], "learned: max q and its policy", norm=Normalize(0, 10)
    )
    right = int(best.optimal_actions()[np.arange(25), agent.policy].sum())
    caption(found, f"{right} of 25 actions optimal")
    _error(curve, np.arange(0, steps + 1, chunk), errors)


def _error(axes: Axes, steps, errors) -> None:
    quiet(axes, "steps", "mean error of the values, |v* − max q|")
    axes.plot(steps, errors, color=LINES[0], linewidth=1.6)
    axes.set_xticks(range(0, 100_001, 25_000), ["0", "25k", "50k", "75k", "100k"])
    axes.set_ylim(0, 8)
    late = errors[-1]
    axes.annotate(
        f"{late:.2g}", (steps[-1], late), (-4, 8), textcoords="offset points", color=ACCENT, fontsize=9, ha="right"
    )
    axes.set_title("by steps learned from", color=INK, fontsize=9, loc="left", pad=5)
