"""The figures of Sutton & Barto's chapter 6, temporal differences: random walk, windy grid, cliff, maximisation bias.

Figure 6.4 and example 6.4 are in sutton_barto_6_small.py; example 6.7, maximisation bias, is what figure 6.5 draws. Left out:
figure 6.1, an anecdote in numbers, and the diagram of section 6.8 on afterstates.
"""

from pathlib import Path

import gymnasium as gym
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.ticker import PercentFormatter

import rlkit
from benchmarks.figures.boards import path
from benchmarks.figures.pictures import save
from benchmarks.figures.runs import FOREVER, episodes, values_by_episode
from benchmarks.figures.worlds import best_soft, random_walk, two_doors
from rlkit.agents.lstd import weights
from rlkit.report.grid import draw_grid, mark_cells
from rlkit.report.labels import End, name_ends
from rlkit.report.style import ACCENT, DASHES, INK, LINES, MUTED, figure, quiet
from rlkit.tabular.drive import make_place
from rlkit.tabular.random import env_seed

EPSILON = 0.1


def figure_example_6_2(out: Path) -> Path:
    """S&B example 6.2: the random walk of five states; TD(0)'s values of one run, and errors of TD and MC over 100 runs."""
    mdp, truth = random_walk(5, 0.0, 1.0), np.arange(1, 6) / 6
    made = figure(9.8, 4.3, "Random walk: TD(0) and Monte Carlo  (S&B example 6.2)")
    left, right = made.subplots(1, 2, width_ratios=(1.0, 1.2))
    quiet(left, "state", "estimated value")
    left.plot(range(5), truth, color=MUTED, linewidth=6, alpha=0.28)
    left.text(3.4, 0.8, "exact", color=MUTED, fontsize=9)
    shown = (0, 1, 10, 100)
    agent = rlkit.make("td0", mdp, gamma=1.0, alpha=0.1, initial=0.5, seed=0)
    for number, (k, v) in enumerate(zip(shown, values_by_episode(agent, shown)[0], strict=True)):
        left.plot(
            range(5),
            v,
            color=LINES[number],
            linewidth=1.6,
            marker="o",
            markersize=4,
            dashes=DASHES[number],
            label=f"{k} episode{'s' * (k != 1)}",
        )
    left.set_xticks(range(5), list("ABCDE"))
    left.legend(fontsize=8.5, frameon=False)
    quiet(right, "episodes", "root mean square error, mean over 100 runs")
    ends = []
    rows = [("td0", a, "TD", LINES[0]) for a in (0.05, 0.1, 0.15)] + [
        ("mc_off_policy", a, "MC", LINES[7]) for a in (0.01, 0.02, 0.03, 0.04)
    ]
    for number, (name, alpha, short, colour) in enumerate(rows):
        config = {} if name == "td0" else {"weighting": "ordinary", "visit": "every"}
        agent = rlkit.make(name, mdp, gamma=1.0, alpha=alpha, initial=0.5, seeds=100, **config)
        v = values_by_episode(agent, range(101))
        error = np.sqrt(((v - truth) ** 2).mean(axis=2)).mean(axis=0)
        right.plot(error, color=colour, linewidth=1.5, dashes=DASHES[number % 4])
        ends.append(End(100, float(error[-1]), f"{short}, α = {alpha}", colour))
    right.set_xlim(0, 130)
    right.set_ylim(0, 0.25)
    right.set_xticks(range(0, 101, 25))
    name_ends(made, right, ends)
    return save(made, out / "sutton-barto-example-6-2.png")


def figure_6_2(out: Path) -> Path:
    """S&B figure 6.2: batch TD(0) and batch Monte Carlo on the random walk; after each episode, all so far until nothing moves.

    Nothing is repeated here: what batch TD comes to is LSTD's answer, and batch MC's is the mean of the returns.
    """
    mdp, truth, k = (
        random_walk(5, -0.5, 0.5),
        np.arange(1, 6) / 6 - 0.5,
        100,
    )  # values less 0.5, so that 0 is no information
    agent = rlkit.make("mc_off_policy", mdp, gamma=1.0, weighting="ordinary", visit="every", seeds=100)
    errors = {"batch MC": np.sqrt(((values_by_episode(agent, range(1, k + 1)) - truth) ** 2).mean(axis=2))}
    agent = rlkit.make("lstd", mdp, gamma=1.0, features="one-hot", ridge=1e-9, seeds=100)
    found = np.empty((100, k, 5))
    for i, memory in enumerate(agent.memories):
        place = make_place(env_seed(i))._replace(returns=np.zeros(1), lengths=np.zeros(1, np.int64))
        for ended in range(k):
            agent.method.run(agent.setting.world, memory, place, FOREVER)
            found[i, ended] = weights(memory)
    errors["batch TD"] = np.sqrt(((found - truth) ** 2).mean(axis=2))
    made = figure(8.4, 4.2, "Random walk under batch training  (S&B figure 6.2)")
    axes = quiet(made.add_subplot(), "episodes", "root mean square error, mean over 100 runs")
    ends = []
    for (name, error), colour in zip(errors.items(), (LINES[7], LINES[0]), strict=True):
        low, high = (error.mean(axis=0) + sign * 1.96 * error.std(axis=0) / 10 for sign in (-1, 1))
        axes.fill_between(range(1, k + 1), low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(range(1, k + 1), error.mean(axis=0), color=colour, linewidth=1.8)
        ends.append(End(k, float(error[:, -1].mean()), name, colour))
    axes.set_xlim(0, 115)
    axes.set_ylim(0, 0.25)
    axes.set_xticks(range(0, 101, 25))
    name_ends(made, axes, ends)
    return save(made, out / "sutton-barto-6-2.png")


def figure_6_3(out: Path) -> Path:
    """S&B figure 6.3: Sarsa, expected Sarsa and Q-learning on the cliff by step size; the first 100 episodes, and after many.

    With α = 0.9 and more Sarsa's episodes grow so long that its line leaves the picture. The exact lines: what epsilon-greedy earns about the edge, and the best that any epsilon-greedy policy earns.
    """
    env = gym.make("GridWorld-Cliff-v0")
    alphas = np.round(np.arange(0.1, 1.01, 0.1), 2)
    made = figure(8.8, 4.8, "TD control on the cliff by step size  (S&B figure 6.3)")
    axes = quiet(made.add_subplot(), "step size α", "return of an episode")
    ends = []
    for number, (name, words) in enumerate(
        (("expected_sarsa", "expected Sarsa"), ("sarsa", "Sarsa"), ("q_learning", "Q-learning"))
    ):
        interim, late = [], []
        for alpha in alphas:
            config = {"gamma": 1.0, "alpha": float(alpha), "epsilon": EPSILON, "report": 50_000}
            interim.append(episodes(rlkit.make(name, env, seeds=200, **config), 100, 50_000)[0].mean())
            late.append(episodes(rlkit.make(name, env, seeds=4, **config), 10_000, 50_000)[0].mean())
        colour = LINES[number]
        axes.plot(alphas, interim, color=colour, linewidth=1.5, dashes=(4, 2), marker="o", markersize=3.5)
        axes.plot(alphas, late, color=colour, linewidth=1.9, marker="s", markersize=3.5)
        ends.append(End(1.0, float(interim[-1]), f"{words}, first 100", colour))
        if late[-1] > -160:
            ends.append(End(1.0, float(late[-1]), f"{words}, all 10 000", colour))
        else:
            axes.text(0.89, -110, f"{words},\nall 10 000", color="#a87000", fontsize=8.5, ha="right")
    for height, words in _exact_returns(env):
        axes.axhline(height, color=MUTED, linewidth=4, alpha=0.25, zorder=1)
        axes.text(
            0.095 + 0.12 * (height < -40), height + (1.6 if height > -40 else 2.0), words, color=MUTED, fontsize=8
        )
    axes.set_ylim(-160, 0)
    axes.set_xlim(0.08, 1.3)
    axes.set_xticks(alphas[1::2])
    name_ends(made, axes, ends)
    return save(made, out / "sutton-barto-6-3.png")


def _exact_returns(env: gym.Env) -> list[tuple[float, str]]:
    """Return what the best epsilon-greedy policy is worth exactly, and what one about the shortest ways is."""
    mdp = rlkit.from_env(env)
    plan = rlkit.make("policy_iteration", env, gamma=1.0)
    list(plan.updates(100))
    ties = plan.optimal_actions()
    pi = (1.0 - EPSILON) * ties / ties.sum(axis=1, keepdims=True) + EPSILON / 4  # ties at random, as while learning
    edge = rlkit.exact.objective(mdp, pi, 1.0)
    safe = float(best_soft(mdp, EPSILON, 1.0)[0][36])
    return [
        (safe, f"exact, best ε-greedy policy: −{-safe:.1f}"),
        (edge, f"exact, ε-greedy along the edge: −{-edge:.1f}"),
    ]


def figure_example_6_5(out: Path) -> Path:
    """S&B example 6.5: Sarsa on the windy grid; time steps by episodes, and the way it has found, 15 steps."""
    env = gym.make("GridWorld-Windy-v0")
    agent = rlkit.make("sarsa", env, gamma=1.0, alpha=0.5, epsilon=EPSILON, seeds=100, report=8000, seed=0)
    list(agent.updates(8000))
    made = figure(10.2, 4.3, "Sarsa on the windy grid  (S&B example 6.5)")
    left, right = made.subplots(1, 2, width_ratios=(1.0, 1.25))
    quiet(left, "time steps", "episodes")
    for lengths in agent.lengths:
        left.plot(np.r_[0, np.cumsum(lengths)], np.arange(len(lengths) + 1), color=LINES[0], linewidth=0.5, alpha=0.25)
    mdp = rlkit.from_env(env)
    best = -float(best_soft(mdp, EPSILON, 1.0)[0][30])
    left.plot([8000 - 60 * best, 8000], [110, 170], color=ACCENT, linewidth=2)
    left.text(
        7900 - 60 * best,
        150,
        f"best slope of ε-greedy:\nan episode in {best:.1f} steps",
        color=ACCENT,
        fontsize=8.5,
        ha="right",
    )
    left.text(4300, 15, "100 runs", color=LINES[0], fontsize=8.5)
    left.set(xlim=(0, 8000), ylim=(0, None))
    agent = rlkit.make("sarsa", env, gamma=1.0, alpha="1/n^0.7", epsilon="1/k^0.3", seed=1, report=100_000)
    list(agent.updates(2_000_000))
    v = agent.values.max(axis=1)
    v[agent.memories[0].visits.sum(axis=1) == 0] = np.nan  # the wind leads to no such cell
    draw_grid(right, v.reshape(7, 10), norm=Normalize(-20, 0), size=0.5)
    mark_cells(right, "goal", [(3, 7)], 0.5)
    cells = _walk(env, agent.policy)
    path(right, cells)
    right.set_title(
        f"the greedy way after 2 million steps with decaying ε: {len(cells) - 1} steps",
        color=INK,
        fontsize=9,
        loc="left",
    )
    for column, wind in enumerate((0, 0, 0, 1, 1, 1, 2, 2, 1, 0)):
        right.text(column, 6.85, f"↑{wind}" if wind else "0", color=MUTED, fontsize=8.5, ha="center")
    return save(made, out / "sutton-barto-example-6-5.png")


def _walk(env: gym.Env, policy) -> list[tuple[int, int]]:
    """Follow a policy from the start, on a world without chance; at most 100 steps."""
    world = env.unwrapped
    s, _ = world.reset(seed=0)
    cells, terminated = [divmod(s, world.shape[1])], False
    while not terminated and len(cells) <= 100:
        s, _, terminated, _, _ = world.step(int(policy[s]))
        cells.append(divmod(s, world.shape[1]))
    return cells


def figure_example_6_6(out: Path) -> Path:
    """S&B example 6.6: on the cliff Sarsa learns the safe way, Q-learning the shortest one; returns of 500 episodes."""
    env = gym.make("GridWorld-Cliff-v0")
    made = figure(10.6, 4.6, "Sarsa and Q-learning on the cliff, ε = 0.1, α = 0.5  (S&B example 6.6)")
    grid = made.add_gridspec(2, 2, width_ratios=(1.15, 1.0))
    axes = quiet(made.add_subplot(grid[:, 0]), "episodes", "return of the episode, mean over 1000 runs")
    for height, words in _exact_returns(env):
        axes.axhline(height, color=MUTED, linewidth=4, alpha=0.25, zorder=1)
        axes.text(495, height + (0.9 if height > -40 else -9.5), words, color=MUTED, fontsize=8, ha="right")
    for number, (name, words) in enumerate((("sarsa", "Sarsa"), ("q_learning", "Q-learning"))):
        total = np.zeros(500)
        for batch in range(4):
            agent = rlkit.make(
                name, env, gamma=1.0, alpha=0.5, epsilon=EPSILON, seeds=250, seed=250 * batch, report=20_000
            )
            total += episodes(agent, 500, 20_000)[0].sum(axis=0)
        colour = LINES[number]
        axes.plot(np.arange(1, 501), total / 1000, color=colour, linewidth=1.1, label=words)
        board = made.add_subplot(grid[number, 1])
        agent = rlkit.make(name, env, gamma=1.0, alpha="1/n^0.7", epsilon=EPSILON, seed=0, report=100_000)
        list(agent.updates(3_000_000))
        v = agent.values.max(axis=1).reshape(4, 12)
        v[3, 1:] = np.nan
        draw_grid(board, v, norm=Normalize(-25, 0), size=0.42)
        mark_cells(board, "never", [(3, c) for c in range(1, 11)], 0.42)
        mark_cells(board, "goal", [(3, 11)], 0.42)
        cells = _walk(env, agent.policy)
        path(board, cells)
        board.set_title(f"{words}: max q and the greedy way, {len(cells) - 1} steps", color=INK, fontsize=9, loc="left")
    axes.set(ylim=(-100, 0), xlim=(0, 500))
    axes.legend(fontsize=9, frameon=False, labelcolor="linecolor", loc="lower right")
    return save(made, out / "sutton-barto-example-6-6.png")


def figure_6_5(out: Path) -> Path:
    """S&B figure 6.5 and example 6.7: maximisation bias; Q-learning and double Q-learning on an MDP where left is worth -0.1 and looks better.

    Both states have ten actions here, five of A's lead left and five right; so left is half of the choices as in the book.
    """
    made = figure(8.4, 4.3, "Maximisation bias: the share of runs that go left  (S&B figure 6.5, example 6.7)")
    axes = quiet(made.add_subplot(), "episodes", "share of left from A, mean over 4000 runs")
    mdp, ends = two_doors(), []
    for number, (name, words) in enumerate((("q_learning", "Q-learning"), ("double_q_learning", "double Q-learning"))):
        left = np.zeros(300)
        for batch in range(10):
            agent = rlkit.make(
                name, mdp, gamma=1.0, alpha=0.1, epsilon=EPSILON, seeds=400, seed=400 * batch, report=700
            )
            left += (episodes(agent, 300, 700)[1] == 2).mean(axis=0) / 10
        axes.plot(np.arange(1, 301), left, color=LINES[number], linewidth=1.6)
        ends.append(End(300, float(left[-20:].mean()), words, LINES[number]))
    axes.axhline(EPSILON / 2, color=MUTED, linewidth=4, alpha=0.25)
    axes.text(4, EPSILON / 2 - 0.012, "optimal: 5 %", color=MUTED, fontsize=8.5, va="top")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set(ylim=(0, 1), xlim=(0, 380))
    axes.set_xticks(range(0, 301, 100))
    name_ends(made, axes, ends)
    return save(made, out / "sutton-barto-6-5.png")
