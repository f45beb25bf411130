"""The learning agent as a user holds it: many runs at once, reports, acting, states of the wrong size."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.tabular.drive import RECORDS
from tests.probes import book_5x5, random_walk


def run(agent, steps):
    return list(agent.updates(steps))


@pytest.mark.parametrize("name", ["q_learning", "sarsa_lambda", "td0"])
def test_many_seeds_over_threads_are_single_runs(name):
    env = gym.make("CliffWalking-v1", max_episode_steps=20)
    many = rlkit.make(name, env, seeds=16, seed=100, report=250)
    reports = run(many, 1000)
    singles = [rlkit.make(name, env, seed=100 + i, report=250) for i in range(16)]
    for i, single in enumerate(singles):
        for report, own in zip(reports, run(single, 1000), strict=True):
            assert report.each.keys() == own.each.keys()
            for key, values in report.each.items():
                np.testing.assert_array_equal(values[i], own.scalars[key])
        assert np.array_equal(many.values[i], single.values)
        assert np.array_equal(many.policy[i], single.policy)
    assert len({values.tobytes() for values in many.values}) == 16


def test_a_report_says_what_the_episodes_were():
    agent = rlkit.make("td0", random_walk(), gamma=1.0)
    total = 0
    for report in agent.updates(5000):
        returns, lengths = agent.returns[0], agent.lengths[0]
        assert report.scalars["episodes"] == len(returns) == len(lengths)
        assert set(returns.tolist()) <= {0.0, 1.0}  # the right end pays 1
        if len(returns):
            assert report.scalars["return"] == returns.mean()
            assert report.scalars["length"] == lengths.mean()
        assert report.scalars["rmse"] == pytest.approx(np.sqrt(np.mean((agent.values - np.arange(1, 6) / 6) ** 2)))
        total += len(returns)
    assert total == agent._places.now[0, 4]
    assert total > 300


def test_where_no_episode_ends_there_is_no_return():
    (report,) = run(rlkit.make("q_learning", book_5x5(), report=50), 50)
    assert report.scalars["episodes"] == 0.0
    assert np.isnan(report.scalars["return"])
    assert np.isnan(report.scalars["length"])


def test_the_mean_over_runs_leaves_out_runs_without_an_episode():
    agent = rlkit.make("q_learning", "CliffWalking-v1", seeds=8)
    report = next(report for report in agent.updates(20_000) if 0 < np.isnan(report.each["return"]).sum() < 8)
    assert report.scalars["return"] == np.nanmean(report.each["return"])
    assert report.scalars["episodes"] == np.mean(report.each["episodes"])


@pytest.mark.parametrize(
    ("report", "steps", "wanted"), [(30, 100, [30, 60, 90, 100]), (0, 300, list(range(3, 301, 3)))]
)
def test_reports_come_as_often_as_asked(report, steps, wanted):
    agent = rlkit.make("q_learning", "FrozenLake-v1", report=report)
    assert [found.step for found in agent.updates(steps)] == wanted
    assert [found.step for found in agent.updates(2)][-1] == steps + 2
    assert run(agent, 0) == []


def test_more_episodes_than_can_be_recorded_in_one_call():
    P = [[[(1.0, 0, float(a), True)] for a in range(2)]]  # every step is an episode
    agent = rlkit.make("q_learning", rlkit.from_P(P), report=3 * RECORDS + 5)
    (report,) = run(agent, 3 * RECORDS + 5)
    assert report.scalars["episodes"] == 3 * RECORDS + 5
    assert report.scalars["length"] == 1.0


def test_acting_on_one_observation_and_on_many():
    agent = rlkit.make("q_learning", "FrozenLake-v1", epsilon=1.0)
    run(agent, 20_000)
    greedy = agent.values.argmax(axis=1)
    assert [agent.act(s) for s in range(16)] == greedy.tolist() == agent.policy.tolist()
    assert isinstance(agent.act(np.int64(3)), int)
    assert agent.act(np.arange(16)).tolist() == greedy.tolist()
    assert agent.act([3, 3, 1]).tolist() == greedy[[3, 3, 1]].tolist()
    explored = agent.act(np.full(4000, 3), explore=True)
    assert np.all(np.abs(np.bincount(explored, minlength=4) - 1000) < 5 * np.sqrt(4000 * 3 / 16))


def test_acting_by_temperature_is_acting_as_while_learning():
    agent = rlkit.make("q_learning", "FrozenLake-v1", explore="softmax", temperature=0.5, initial=1.0)
    run(agent, 5000)
    weight = np.exp(agent.values[14] / 0.5)
    wanted = weight / weight.sum()
    counts = np.bincount(agent.act(np.full(4000, 14), explore=True), minlength=4)
    assert np.all(np.abs(counts - 4000 * wanted) <= 5 * np.sqrt(4000 * wanted * (1 - wanted)))


def test_prediction_acts_by_its_policy():
    pi = np.tile([0.5, 0.25, 0.25, 0.0], (16, 1))
    agent = rlkit.make("td0", "FrozenLake-v1", policy=pi)
    counts = np.bincount(agent.act(np.zeros(4000, int)), minlength=4)
    assert np.all(np.abs(counts - 4000 * pi[0]) <= 5 * np.sqrt(4000 * pi[0] * (1 - pi[0])))


def test_acting_on_tuples_and_on_boxes():
    cards = rlkit.make("q_learning", "Blackjack-v1", gamma=1.0)
    run(cards, 30_000)
    assert cards.act((20, 5, 0)) == 0  # stick on twenty
    assert cards.act([(20, 5, 0), (20, 6, 0)]).tolist() == [cards.act((20, 5, 0)), cards.act((20, 6, 0))]
    rows = rlkit.collect("Blackjack-v1", steps=20).obs  # [20, 3]
    assert cards.act(rows).tolist() == [cards.act(tuple(row)) for row in rows] == [cards.act(row) for row in rows]
    pole = rlkit.make("q_linear", "CartPole-v1")
    run(pole, 500)
    obs = np.random.default_rng(0).normal(0.0, 0.1, (5, 4))
    assert pole.act(obs).tolist() == [pole.act(one) for one in obs]


def test_an_observation_that_nobody_knows_is_refused():
    for name in ("q_learning", "td0"):
        agent = rlkit.make(name, "FrozenLake-v1")
        for obs in (16, -1, [0, 99]):
            with pytest.raises(ValueError, match=r"the observation is (16|-1|99), which is none of the 16 states"):
                agent.act(obs)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            lambda: rlkit.make("q_learning", "CliffWalking-v1", engine="stepped"),
            r"q has shape \(1, 48, 4\) in the state, and",
        ),
        (
            lambda: rlkit.make("q_learning", "FrozenLake-v1"),
            "is of a compiled run .*this agent is stepped with 1 seeds",
        ),
        (lambda: rlkit.make("q_learning", "FrozenLake-v1", engine="stepped", seeds=2), "with other seeds or engine"),
    ],
)
def test_states_of_another_size_are_refused(other, message):
    agent = rlkit.make("q_learning", "FrozenLake-v1", engine="stepped")
    run(agent, 100)
    before = agent.values
    with pytest.raises(ValueError, match=message):
        agent.load_state_dict(other().state_dict())
    assert np.array_equal(agent.values, before)


def test_a_state_of_other_seeds_is_refused_when_compiled():
    agent = rlkit.make("q_learning", "FrozenLake-v1")
    with pytest.raises(ValueError, match=r"q has shape \(2, 16, 4\) in the state, and \(1, 16, 4\) in the agent"):
        agent.load_state_dict(rlkit.make("q_learning", "FrozenLake-v1", seeds=2).state_dict())


@pytest.mark.parametrize("engine", ["compiled", "stepped"])
def test_steps_of_others_count_as_steps(engine, tmp_path):
    data = rlkit.collect("FrozenLake-v1", steps=70)
    agent, other = (rlkit.make("q_learning", "FrozenLake-v1", engine=engine, seeds=2) for _ in range(2))
    run(agent, 30)
    list(rlkit.learn_from(agent, data))
    rlkit.load(other, rlkit.save(agent, tmp_path / "agent.npz"))
    for one in (agent, other):
        run(one, 25)
        assert one.step == 125
        assert [int(memory.clock[0]) for memory in one.memories] == [125, 125]
    assert np.array_equal(agent.values, other.values)
