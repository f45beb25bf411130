"""Dyna-Q, Dyna-Q+ and Dyna with prioritized sweeping against plain Python, hand arithmetic, and the figures of S&B chapter 8."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import exact
from rlkit.mdp import from_P
from tests.agents import plain
from tests.probes import book_5x5

DYNAS = ["dyna_q", "dyna_q_plus", "dyna_prioritized"]
GAMMA, ALPHA, EPSILON = 0.9, 0.1, 0.1


class PlainDyna:
    """The three agents with dictionaries and lists; `kappa` makes it Dyna-Q+."""

    def __init__(self, shape, rng, planning, outcomes, alpha=ALPHA, kappa=None):
        self.q, self.rng, self.planning, self.m, self.alpha, self.kappa = (
            np.zeros(shape),
            rng,
            planning,
            outcomes,
            alpha,
            kappa,
        )
        self.model, self.times, self.seen, self.pairs, self.tried, self.clock = {}, {}, {}, [], {}, 0
        self.queue, self.threshold = {}, 1e-6

    def target(self, r, s_next, terminated):
        return r + GAMMA * (1.0 - terminated) * self.q[s_next].max()

    def store(self, s, a, outcome):
        count = self.seen.get((s, a), 0)
        kept, times = self.model.setdefault((s, a), []), self.times.setdefault((s, a), [])
        if outcome in kept:
            times[kept.index(outcome)] += 1
        elif len(kept) < self.m:
            kept.append(outcome)
            times.append(1)
        else:
            rarest = min(range(self.m), key=lambda k: (times[k], (k - count) % self.m))
            kept[rarest], times[rarest] = outcome, 1
        self.seen[s, a] = count + 1

    def dyna(self, s, a, r, s_next, terminated):
        self.clock += 1
        self.q[s, a] += self.alpha * (self.target(r, s_next, terminated) - self.q[s, a])
        if self.kappa is None:
            self.pairs += [(s, a)] if (s, a) not in self.seen else []
        elif (s, 0) not in self.pairs:
            self.pairs += [(s, other) for other in range(self.q.shape[1])]
        self.store(s, a, (r, s_next, terminated))
        self.tried[s, a] = self.clock
        for _ in range(self.planning):
            i, j = self.pairs[int(self.rng.random() * len(self.pairs))]
            r, s_next, terminated = self.draw(self.model.get((i, j), [(0.0, i, False)]), self.times.get((i, j)))
            if self.kappa is not None:
                r += self.kappa * np.sqrt(self.clock - self.tried.get((i, j), 0))
            self.q[i, j] += self.alpha * (self.target(r, s_next, terminated) - self.q[i, j])

    def draw(self, kept, times):
        if len(kept) == 1:
            return kept[0]
        left = self.rng.random() * sum(times)
        for outcome, n in zip(kept[:-1], times, strict=False):
            left -= n
            if left < 0:
                return outcome
        return kept[-1]

    def full(self, s, a):
        kept, times = self.model[s, a], self.times[s, a]
        return sum(n * self.target(*outcome) for outcome, n in zip(kept, times, strict=True)) / sum(times)

    def enqueue(self, s, a):
        priority = abs(self.full(s, a) - self.q[s, a])
        if priority > max(self.threshold, self.queue.get((s, a), 0.0)):
            self.queue[s, a] = priority

    def prioritized(self, s, a, r, s_next, terminated):
        self.store(s, a, (r, s_next, terminated))
        self.enqueue(s, a)
        for _ in range(self.planning):
            if not self.queue:
                break
            s, a = min(self.queue, key=lambda pair: (-self.queue[pair], pair))
            del self.queue[s, a]
            self.q[s, a] += self.alpha * (self.full(s, a) - self.q[s, a])
            for pair, kept in self.model.items():
                if any(s_next == s and not terminated for _, s_next, terminated in kept):
                    self.enqueue(*pair)


def plain_run(name, env, steps, seed, **settings):
    rng, env_seed = plain.streams(seed)
    agent = PlainDyna((env.observation_space.n, env.action_space.n), rng, **settings)
    learn = agent.prioritized if name == "dyna_prioritized" else agent.dyna
    s, _ = env.reset(seed=env_seed)
    a = plain.epsilon_greedy(agent.q[s], EPSILON, rng)
    for _ in range(steps):
        s_next, r, terminated, truncated, _ = env.step(a)
        learn(s, a, float(r), int(s_next), bool(terminated))
        s, a = s_next, plain.epsilon_greedy(agent.q[s_next], EPSILON, rng)
        if terminated or truncated:
            s, _ = env.reset()
            a = plain.epsilon_greedy(agent.q[s], EPSILON, rng)
    return agent.q


@pytest.mark.parametrize("outcomes", [1, 4])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1"])
@pytest.mark.parametrize("name", DYNAS)
def test_it_does_what_plain_python_does(name, world, outcomes):
    env = gym.make(world, max_episode_steps=40)
    settings = {"planning": 7, "outcomes": outcomes, "alpha": 0.3}
    if name == "dyna_q_plus":
        settings["kappa"] = 0.01
    wanted = plain_run(name, env, 1500, 5, **settings)
    agent = rlkit.make(name, env, seed=5, epsilon=EPSILON, engine="compiled", **settings)
    list(agent.updates(1500))
    assert np.array_equal(agent.values, wanted)
    assert np.any(wanted != 0.0)


@pytest.mark.parametrize("options", [{}, {"alpha": "1/n^0.8"}, {"explore": "softmax"}, {"epsilon": "1/n"}])
@pytest.mark.parametrize("engine", ["compiled", "stepped"])
@pytest.mark.parametrize("name", ["dyna_q", "dyna_q_plus"])
def test_without_planning_it_is_q_learning_to_the_last_bit(name, engine, options):
    env = gym.make("FrozenLake-v1", max_episode_steps=30)
    options = {"epsilon": EPSILON, "engine": engine, "seed": 4, **options}
    dyna, q_learning = rlkit.make(name, env, planning=0, **options), rlkit.make("q_learning", env, **options)
    for agent in (dyna, q_learning):
        list(agent.updates(3000))
    assert np.array_equal(dyna.values, q_learning.values)
    assert np.array_equal(dyna.memories[0].table.stream, q_learning.memories[0].stream)


def chain(n=6):
    """One action, n states, and 1 for leaving the last."""
    return from_P([[[(1.0, min(s + 1, n - 1), float(s == n - 1), s == n - 1)]] for s in range(n)], np.eye(n)[0])


def test_prioritized_sweeping_carries_the_first_reward_all_the_way_back():
    agent = rlkit.make("dyna_prioritized", chain(), planning=6)
    list(agent.updates(6))
    np.testing.assert_allclose(agent.values[:, 0], GAMMA ** np.arange(5, -1, -1.0), rtol=1e-15)
    assert agent.memories[0].queue.size[0] == 0
    fewer = rlkit.make("dyna_prioritized", chain(), planning=2)
    list(fewer.updates(6))
    np.testing.assert_allclose(fewer.values[:, 0], [0, 0, 0, 0, GAMMA, 1], rtol=1e-15)


def test_a_full_backup_is_the_mean_of_the_remembered_outcomes():
    agent = rlkit.make("dyna_prioritized", chain(3), outcomes=4)
    memory = agent.memories[0]
    for r, ends in ((1.0, True), (2.0, False), (6.0, True)):
        agent.method.learn(memory, 1, 0, r, 2, ends, False)
    memory.table.q[2, 0] = 10.0
    agent.method.learn(memory, 1, 0, 3.0, 2, True, False)
    assert memory.table.q[1, 0] == pytest.approx((1 + 2 + GAMMA * 10 + 6 + 3) / 4)


def test_the_bonus_grows_with_the_root_of_the_time_since_the_pair_was_tried():
    agent = rlkit.make(
        "dyna_q_plus", from_P([[[(1.0, 0, 0.0, True)]] * 2]), gamma=0.0, alpha=1.0, kappa=0.1, planning=50
    )
    memory = agent.memories[0]
    for _ in range(9):
        agent.method.learn(memory, 0, 1, 0.0, 0, True, False)
    assert memory.table.q.tolist() == [[pytest.approx(0.1 * 3.0), 0.0]]  # never tried, for 9 steps; tried just now
    assert memory.model.pairs.tolist() == [[0, 0], [0, 1]]


def test_truncation_is_not_part_of_the_model():
    env = gym.make("GridWorld-v0", max_episode_steps=7)  # a continuing world: only the limit ends an episode
    for name in DYNAS:
        agent = rlkit.make(name, env)
        list(agent.updates(2000))
        assert not agent.memories[0].model.terminated.any()
        assert agent.values.max() > 2.0  # one reward is 1: it bootstraps across the limit


@pytest.mark.parametrize("name", DYNAS)
def test_defaults_find_an_optimal_policy_of_the_book(name):
    agent = rlkit.make(name, "GridWorld-v0", seeds=20)
    list(agent.updates(20_000))
    assert agent.each["optimal"].sum() >= 19


def test_the_outcomes_seen_are_the_model_of_a_stochastic_world():
    env = gym.make("FrozenLake-v1")
    q_star = rlkit.make("value_iteration", env, gamma=0.9)
    list(q_star.updates(1000))
    error = {}
    for m in (1, 10):
        agent = rlkit.make("dyna_prioritized", env, outcomes=m, epsilon=1.0, seeds=4, planning=2)
        list(agent.updates(20_000))
        error[m] = np.abs(agent.values.max(axis=-1) - q_star.v).max(axis=-1)
    assert np.all(error[10] < 0.15), error
    assert error[10].mean() < error[1].mean() / 3, error


def test_the_defaults_are_right_where_outcomes_are_random():
    """A sure 0.4, or 1 with probability 0.3: who believes the last outcome takes the gamble after a win."""
    gamble = from_P([[[(1.0, 0, 0.4, True)], [(0.3, 0, 1.0, True), (0.7, 0, 0.0, True)]]])
    for name in DYNAS:
        wrong = {}
        for outcomes in (10, 1):
            options = {} if outcomes == 10 else {"outcomes": 1}
            agent = rlkit.make(name, gamble, epsilon=0.5, seeds=20, report=100, **options)
            list(agent.updates(2000))
            wrong[outcomes] = np.mean([agent.values.argmax(axis=-1) for _ in agent.updates(10_000)])
        assert wrong[10] < 0.01, (name, wrong)
        assert wrong[1] > 2 * wrong[10], (name, wrong)


def test_a_deterministic_world_is_solved_exactly():
    world = book_5x5()
    v = rlkit.make("policy_iteration", world)
    list(v.updates(100))
    for name, options in (("dyna_prioritized", {"threshold": 0.0}), ("dyna_q", {"alpha": 1.0, "planning": 50})):
        agent = rlkit.make(name, world, epsilon=1.0, **options)
        list(agent.updates(20_000))
        np.testing.assert_allclose(agent.values.max(axis=1), v.v, atol=1e-9)


def test_planning_shortens_the_way_through_the_maze():
    """S&B figure 8.2: about 25, 5 and 3 episodes to near 14 steps; the first is a random walk, whatever is planned."""
    env = gym.make("GridWorld-DynaMaze-v0")
    first, good = {}, {}
    for planning, steps in ((0, 60_000), (5, 20_000), (50, 10_000)):
        agent = rlkit.make("dyna_q", env, gamma=0.95, alpha=0.1, epsilon=0.1, planning=planning, seeds=30, report=steps)
        list(agent.updates(steps))
        lengths = np.array([run[:40] for run in agent.lengths]).mean(axis=0)
        first[planning], good[planning] = lengths[0], int(np.argmax(lengths <= 20.0)) + 1
        assert lengths.min() >= 14.0
        assert lengths[30:].mean() < 20.0
    assert 20 <= good[0] <= 40
    assert 4 <= good[5] <= 8
    assert 2 <= good[50] <= 4
    mdp = rlkit.from_env(env)
    walk = exact.value(mdp._replace(reward=np.ones_like(mdp.reward)), np.full((mdp.n_states, 4), 0.25), 1.0)
    expected = float(np.diff(mdp.start_cdf, prepend=0.0) @ walk)
    assert np.mean(list(first.values())) == pytest.approx(expected, rel=0.35)  # 90 walks, the deviation that of one


@pytest.mark.parametrize(("world", "change", "end"), [("Blocking", 1000, 3000), ("Shortcut", 3000, 6000)])
def test_the_bonus_finds_out_that_the_maze_has_changed(world, change, end):
    """S&B figures 8.4 and 8.5: the reward earned after the change."""
    earned = {}
    for name, options in (("dyna_q", {}), ("dyna_q_plus", {"kappa": 1e-3})):
        agent = rlkit.make(
            name,
            f"GridWorld-Dyna{world}-v0",
            gamma=0.95,
            alpha=1.0,
            epsilon=0.1,
            planning=10,
            outcomes=1,
            seeds=20,
            report=500,
            **options,
        )
        assert agent.setting.world is None  # the compiled driver does not know worlds that change
        earned[name] = np.zeros(20)
        for report in agent.updates(end):
            earned[name] += [run.sum() if report.step > change else 0.0 for run in agent.returns]
    margin = earned["dyna_q_plus"] - earned["dyna_q"]
    assert margin.mean() > 3 * margin.std(ddof=1) / np.sqrt(20), (margin.mean(), margin)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("dyna_q", "planning", -1),
        ("dyna_q", "outcomes", 0),
        ("dyna_q_plus", "kappa", -0.1),
        ("dyna_q_plus", "kappa", float("nan")),
        ("dyna_prioritized", "planning", 0),
        ("dyna_prioritized", "threshold", -1.0),
    ],
)
def test_nonsense_is_refused(name, option, value):
    with pytest.raises(ValueError, match=f"{option} is"):
        rlkit.make(name, "GridWorld-v0", **{option: value})
