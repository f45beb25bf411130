"""The drawn figures: the command finds and draws them, their worlds have known values, their fast loops a slow twin."""

import importlib.util
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from benchmarks.figures import chapter5, chapter7, worlds
from benchmarks.figures import sutton_barto_6_small as small
from benchmarks.figures.runs import counts, episodes, pulls, values_by_episode
from rlkit import exact

ROOT = Path(__file__).parents[1]
FAST = {
    "chapter5.figure_5_4",
    "chapter5.figure_5_6",
    "chapter7.figure_7_2",
    "chapter7.figure_7_5",
    "sutton_barto_2.figure_2_1",
    "sutton_barto_4.figure_4_1",
    "sutton_barto_4.figure_4_2",
    "sutton_barto_4.figure_4_3",
    "sutton_barto_6.figure_6_2",
    "sutton_barto_6.figure_example_6_5",
    "sutton_barto_6_small.figure_6_4",
    "sutton_barto_6_small.figure_example_6_4",
}


def command():
    """benchmarks/figures.py, beside which there is a package of the same name."""
    spec = importlib.util.spec_from_file_location("figures_command", ROOT / "benchmarks" / "figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIGURES = command().collect()


def test_all_figures_are_found():
    assert set(FIGURES) >= FAST
    for chapter in ("chapter5", "chapter6", "chapter7", *(f"sutton_barto_{number}" for number in (2, 4, 5, 6, 7))):
        assert any(name.startswith(chapter + ".") for name in FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_it_shows(name):
    first = (FIGURES[name].__doc__ or "").partition("\n")[0]
    assert first.startswith(("Zhao", "S&B", "Not in the book")), first
    assert first.endswith("."), first


@pytest.mark.parametrize("name", sorted(FAST))
def test_fast_figures_are_drawn(name, tmp_path):
    check(FIGURES[name](tmp_path), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(FIGURES) - FAST))
def test_slow_figures_are_drawn(name, tmp_path):
    check(FIGURES[name](tmp_path), tmp_path)


def check(path, folder):
    assert path.parent == folder
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert 5_000 < path.stat().st_size < 150_000
    assert list(folder.iterdir()) == [path]


def test_the_same_figure_twice_is_the_same_file(tmp_path):
    first, second = (FIGURES["chapter7.figure_7_2"](tmp_path).read_bytes() for _ in range(2))
    assert first == second


def test_the_command_lists_chooses_and_draws(capsys, tmp_path):
    main = command().main
    main(["chapter5", "--list"])
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == [name for name in FIGURES if name.startswith("chapter5.")]
    main(["figure_4_1", "--out", str(tmp_path / "new")])
    name, seconds, unit, path = capsys.readouterr().out.split()
    assert (name, unit) == ("sutton_barto_4.figure_4_1", "s")
    assert float(seconds) >= 0
    assert Path(path).exists()
    with pytest.raises(SystemExit):
        main(["figure_99"])
    assert "there is no figure 'figure_99'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("q_learning", {"alpha": "1/n", "epsilon": 0.1}),
        ("q_learning", {"alpha": 0.1, "epsilon": 0.0, "initial": 5.0}),
        ("ucb_bandit", {}),
        ("gradient_bandit", {"alpha": 0.4, "baseline": False}),
    ],
)
def test_pulls_are_those_of_stepping_the_bandit(name, config):
    fast = pulls(name, 3, 200, {"mean": 1.0}, **config)
    rewards, best = np.zeros(200), np.zeros(200)
    for seed in range(3):
        env = Watched(gym.make("Bandit-v0", mean=1.0))
        list(rlkit.make(name, env, gamma=0.0, seed=seed, **config).updates(200))
        rewards += env.rewards
        best += np.array(env.actions) == env.unwrapped.best
    np.testing.assert_allclose(fast.reward, rewards / 3, rtol=1e-13)
    np.testing.assert_array_equal(fast.best, best / 3)


class Watched(gym.Wrapper):
    """Notes the actions and the rewards."""

    def __init__(self, env):
        super().__init__(env)
        self.actions, self.rewards = [], []

    def step(self, action):
        found = self.env.step(action)
        self.actions.append(int(action))
        self.rewards.append(found[1])
        return found


def test_values_by_episode_are_those_of_the_agent():
    mdp = worlds.random_walk(5, 0.0, 1.0)
    values = values_by_episode(rlkit.make("td0", mdp, gamma=1.0, alpha=0.1, initial=0.5, seeds=2), range(8))
    assert values.shape == (2, 8, 5)
    np.testing.assert_array_equal(values[:, 0], 0.5)
    for seed in range(2):
        agent = rlkit.make("td0", mdp, gamma=1.0, alpha=0.1, initial=0.5, seed=seed, report=1)
        ended = 0
        for report in agent.updates(200):
            ended += int(report.scalars["episodes"])
            if report.scalars["episodes"] and ended < 8:
                np.testing.assert_array_equal(values[seed, ended], agent.values)


def test_returns_and_lengths_come_by_episode():
    agent = rlkit.make("sarsa", "GridWorld-Cliff-v0", gamma=1.0, seeds=3, report=500)
    returns, lengths = episodes(agent, 40, 500)
    assert returns.shape == lengths.shape == (3, 40)
    assert (returns <= -lengths).all()
    np.testing.assert_array_equal((returns + lengths) % 99, 0)  # a fall costs 100 instead of 1


def test_counts_grow_from_one_to_the_last():
    k = counts(10_000)
    assert (k[0], k[-1]) == (1, 10_000)
    assert (np.diff(k) > 0).all()


def test_the_random_walk_is_worth_sixths():
    v = rlkit.exact.value(worlds.random_walk(5, 0.0, 1.0), np.full((5, 2), 0.5), 1.0)
    np.testing.assert_allclose(v, np.arange(1, 6) / 6)


def test_the_car_rental_is_that_of_a_simulation():
    """S&B example 4.2, day by day with whole cars, under the optimal policy."""
    mdp = worlds.car_rental()
    agent = rlkit.make("policy_iteration", mdp, gamma=0.9)
    list(agent.updates(30))
    move, rng, n = agent.policy - 5, np.random.default_rng(0), 4000
    assert (move.min(), move.max()) == (-4, 5)
    first, second, earned = np.full(n, 20), np.full(n, 20), np.zeros(n)
    for day in range(120):
        moved = move[21 * first + second]
        first, second = np.minimum(first - moved, 20), np.minimum(second + moved, 20)
        rented = np.minimum(first, rng.poisson(3, n)), np.minimum(second, rng.poisson(4, n))
        earned += 0.9**day * (10 * (rented[0] + rented[1]) - 2 * abs(moved))
        first = np.minimum(first - rented[0] + rng.poisson(3, n), 20)
        second = np.minimum(second - rented[1] + rng.poisson(2, n), 20)
    assert abs(earned.mean() - agent.v[-1]) < 4 * earned.std() / np.sqrt(n)
    assert agent.v[-1] == pytest.approx(636.99, abs=0.01)


def test_the_gambler_wins_by_bold_play():
    agent = rlkit.make("policy_iteration", worlds.gambler(0.4), gamma=1.0)
    list(agent.updates(100))
    np.testing.assert_allclose(agent.v[[24, 49, 74]], [0.16, 0.4, 0.64])  # p², p, p + (1 - p) p
    assert agent.optimal_actions()[[24, 49, 74], [24, 49, 24]].all()


def test_the_two_doors_pay_a_tenth_less_than_nothing():
    mdp = worlds.two_doors()
    q = rlkit.exact.action_value(mdp, np.full((2, 10), 0.1), 1.0)
    np.testing.assert_allclose(q[0], [0.0] * 5 + [-0.1] * 5, atol=1e-12)
    np.testing.assert_allclose(q[1], -0.1)
    rewards = mdp.reward[mdp.indptr[10] : mdp.indptr[11]]
    assert rewards.std() == pytest.approx(1.0)


def test_the_best_epsilon_greedy_policy_beats_all_others():
    rng, mdp = np.random.default_rng(0), rlkit.from_env(chapter5.world())
    for epsilon in (0.0, 0.2, 0.5):
        v, actions = worlds.best_soft(mdp, epsilon, 0.9)
        own = rlkit.exact.value(mdp, worlds.epsilon_greedy(actions, epsilon, 5), 0.9)
        np.testing.assert_allclose(v, own)
        for _ in range(50):
            other = worlds.epsilon_greedy(np.where(rng.random(25) < 0.9, actions, rng.integers(5, size=25)), epsilon, 5)
            assert (rlkit.exact.value(mdp, other, 0.9) <= v + 1e-9).all()


def test_figure_5_6_exploration_costs():
    """Epsilon-greedy about the optimal policy: the mean value, and the upper left corner."""
    env = chapter5.world()
    mdp, plan = rlkit.from_env(env), rlkit.make("policy_iteration", env, gamma=0.9)
    list(plan.updates(50))
    for epsilon, mean, corner in ((0.0, 6.02, 3.487), (0.1, 1.56, 0.426), (0.2, -2.43, -2.2), (0.5, -11.34, -7.933)):
        v = rlkit.exact.value(mdp, worlds.epsilon_greedy(plan.policy, epsilon, 5), 0.9)
        assert v.mean() == pytest.approx(mean, abs=0.006)
        assert v[0] == pytest.approx(corner, abs=0.001)


def test_figure_5_7_consistency_is_lost():
    """With epsilon 0.1 the best epsilon-greedy policy is still about an optimal one, with 0.2 it avoids the target."""
    env = chapter5.world()
    mdp, plan = rlkit.from_env(env), rlkit.make("policy_iteration", env, gamma=0.9)
    list(plan.updates(50))
    consistent = [
        plan.optimal_actions()[np.arange(25), worlds.best_soft(mdp, epsilon, 0.9)[1]].sum()
        for epsilon in (0.0, 0.1, 0.2, 0.5)
    ]
    assert consistent == [25, 25, 14, 11]


def test_figure_7_2_sarsa_finds_the_way():
    env = chapter7.one_way()
    agent = rlkit.make("sarsa", env, gamma=0.9, alpha=0.1, epsilon=0.1, seeds=20, report=20_000)
    list(agent.updates(40_000))
    mdp = rlkit.from_env(env)
    returns = [rlkit.exact.objective(mdp, np.eye(5)[policy], 0.9) for policy in agent.policy]
    best = -(1 - 0.9**10) / 0.1  # ten steps that cost 1 each, and one onto the target
    np.testing.assert_allclose(np.max(returns), best)
    assert np.sum(np.isclose(returns, best)) >= 15


def test_figures_7_4_and_7_5_behaviours_that_explore_less_teach_less():
    env = gym.make("GridWorld-v0", start=(0, 0))
    best = rlkit.make("policy_iteration", env, gamma=0.9)
    list(best.updates(50))
    errors = []
    for epsilon in (1.0, 0.5, 0.1):
        data = rlkit.collect(env, worlds.epsilon_greedy(best.policy, epsilon, 5), 100_000, seed=7)
        agent = rlkit.make("q_learning", env, gamma=0.9, alpha=0.1)
        list(rlkit.learn_from(agent, data))
        errors.append(np.abs(best.v - agent.values.max(axis=1)).mean())
    assert errors[0] < 0.01 < errors[1] < 0.2
    assert errors[2] > 2


def test_example_6_6_sarsa_is_paid_more_while_learning():
    earned = {}
    for name in ("sarsa", "q_learning"):
        agent = rlkit.make(name, "GridWorld-Cliff-v0", gamma=1.0, alpha=0.5, epsilon=0.1, seeds=20, report=50_000)
        earned[name] = episodes(agent, 500, 50_000)[0][:, 200:].mean()
    assert earned["sarsa"] == pytest.approx(-27, abs=2)
    assert earned["q_learning"] == pytest.approx(-50, abs=3)
    assert worlds.best_soft(rlkit.from_env(gym.make("GridWorld-Cliff-v0")), 0.1, 1.0)[0][36] == pytest.approx(
        -20.7, abs=0.05
    )


def test_figure_7_2_of_sutton_and_barto_has_its_best_n_in_the_middle():
    mdp, truth = worlds.random_walk(19, -1.0, 1.0), np.arange(-9, 10) / 10

    def least(n, alphas):
        agents = (rlkit.make("n_step_td", mdp, gamma=1.0, n=n, alpha=alpha, seeds=30) for alpha in alphas)
        return min(np.sqrt(((values_by_episode(a, range(1, 11)) - truth) ** 2).mean(axis=2)).mean() for a in agents)

    one, four, many = least(1, (0.7, 0.8, 0.9)), least(4, (0.3, 0.4, 0.5)), least(512, (0.01, 0.02, 0.03))
    assert four < one < many
    assert four == pytest.approx(0.27, abs=0.03)


ASKED = {
    **{f"chapter{c}": [f"{c}_{n}" for n in ns] for c, ns in ((5, range(4, 9)), (6, range(2, 6)), (7, range(2, 5)))},
    "chapter8": [f"8_{n}" for n in range(6, 11)],
    "sutton_barto_2": ["2_2", "2_3", "2_4", "2_5"],
    "sutton_barto_4": ["4_2", "4_3"],
    "sutton_barto_5": ["5_3"],
    "sutton_barto_6": ["example_6_2", "6_2", "6_3", "example_6_5", "6_5"],
    "sutton_barto_6_small": ["6_4", "example_6_4"],
    "sutton_barto_7": ["7_2"],
    "sutton_barto_8": ["8_2", "8_4", "8_5"],
    "sutton_barto_9": ["9_2"],
    "sutton_barto_10": ["10_1", "10_2", "10_3", "10_4"],
    "sutton_barto_11": ["11_2"],
    "sutton_barto_12": ["12_3", "12_6"],
}


def test_the_figures_of_both_books_are_there():
    """Zhao's chapters 5 to 8, and of S&B those that learning from samples rests on."""
    assert {f"{module}.figure_{number}" for module, numbers in ASKED.items() for number in numbers} <= set(FIGURES)


def test_targets_of_the_backup_diagrams_are_those_by_hand():
    assert small.target("q_learning") == pytest.approx(1.0 + 0.9 * 6.0, rel=1e-15)
    assert small.target("expected_sarsa") == pytest.approx(1.0 + 0.9 * (0.1 * 1.0 + 0.1 * 2.0 + 0.8 * 6.0), rel=1e-14)


def test_the_predictor_of_example_6_4():
    """Batch TD(0) gives A what the likeliest world gives it, 3/4; batch Monte Carlo the one return that was seen, 0."""
    np.testing.assert_allclose(small.batch("td0"), [0.75, 0.75], atol=1e-9)
    np.testing.assert_allclose(exact.value(small.likeliest(), np.ones((2, 1)), 1.0), [0.75, 0.75], rtol=1e-15)
    np.testing.assert_allclose(small.batch("mc_off_policy"), [0.0, 0.75], atol=1e-15)
    for name in ("td0", "mc_off_policy"):
        np.testing.assert_allclose(small.passes(name, np.array([3000]))[-1], small.batch(name), atol=0.02)
    assert small.returns().tolist() == [[0, 0], [1, 0], *[[1, 1]] * 6, [1, 0]]
