"""Fixed data: what is collected is what the environment did, what is learned from it is the truth, and nonsense is refused."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.learning.data import check_transitions
from tests.probes import book_5x5

FIELDS = rlkit.Transitions._fields


def equal(one, other):
    return all(np.array_equal(getattr(one, key), getattr(other, key)) for key in FIELDS)


def exhaustive(mdp):
    """Every state and action of a deterministic MDP once, as data."""
    pairs = mdp.n_states * mdp.n_actions
    assert len(mdp.next_state) == pairs
    s, a = np.divmod(np.arange(pairs), mdp.n_actions)
    return rlkit.Transitions(s, a, mdp.reward, mdp.next_state, mdp.terminated, np.zeros(pairs, bool))


def test_collected_data_is_what_the_environment_did():
    env = gym.make("FrozenLake-v1", max_episode_steps=12)
    data = rlkit.collect(env, steps=4000, seed=2)
    P = env.unwrapped.P
    ends = data.terminated | data.truncated
    assert np.array_equal(data.obs[1:][~ends[:-1]], data.next_obs[:-1][~ends[:-1]])
    assert np.all(data.obs[1:][ends[:-1]] == 0)
    assert data.terminated.any()
    assert data.truncated.any()
    for s, a, r, s_next, terminated, _ in zip(*data, strict=True):
        assert any(p > 0 and (s_next, r, terminated) == (n, pay, end) for p, n, pay, end in P[int(s)][int(a)])
    lengths = np.diff(np.flatnonzero(np.append(True, ends)))
    assert lengths.max() == 12
    assert np.all(np.abs(np.bincount(data.action) - 1000) < 5 * np.sqrt(4000 * 3 / 16))
    assert equal(data, rlkit.collect("FrozenLake-v1", steps=4000, seed=2)) is False
    assert equal(data, rlkit.collect(env, steps=4000, seed=2))


def test_it_is_collected_by_any_policy():
    env = gym.make("CliffWalking-v1", max_episode_steps=30)
    pi = np.tile([0.5, 0.25, 0.25, 0.0], (48, 1))
    counts = np.bincount(rlkit.collect(env, pi, steps=4000).action, minlength=4)
    assert np.all(np.abs(counts - 4000 * pi[0]) <= 5 * np.sqrt(4000 * pi[0] * (1 - pi[0])))
    assert set(rlkit.collect(env, np.full(48, 3), steps=50).action) == {3}
    agent = rlkit.make("q_learning", env, epsilon=0.0)
    list(agent.updates(20_000))
    assert rlkit.collect(env, agent, steps=13).reward.sum() == -13.0


def test_it_takes_any_observations():
    assert rlkit.collect("CartPole-v1", steps=100).obs.shape == (100, 4)
    cards = rlkit.collect("Blackjack-v1", steps=3000)
    assert cards.obs.shape == (3000, 3)
    agent = rlkit.make("q_learning", "Blackjack-v1", alpha="1/n", gamma=1.0)
    list(rlkit.learn_from(agent, cards, passes=2))
    known = (cards.obs == (21, 10, 1)).all(axis=1) & (cards.action == 0)
    mean = cards.reward[known].mean()
    assert agent.values[agent.setting.observe(None, (21, 10, 1), 0), 0] == pytest.approx(mean)


def test_files_bring_it_back_and_hold_no_code(tmp_path):
    data = rlkit.collect("GridWorld-v0", steps=50)
    path = data.save(tmp_path / "data.npz")
    assert equal(rlkit.Transitions.load(path), data)
    assert [array.dtype for array in rlkit.Transitions.load(path)] == [array.dtype for array in data]
    np.savez(tmp_path / "other.npz", obs=data.obs)
    with pytest.raises(ValueError, match="lacks action, reward"):
        rlkit.Transitions.load(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("nothing")
    with pytest.raises(ValueError, match=r"not an \.npz file"):
        rlkit.Transitions.load(tmp_path / "text.npz")
    np.savez(tmp_path / "code.npz", **{**data._asdict(), "obs": np.array([print], object)})
    with pytest.raises(ValueError, match="allow_pickle"):
        rlkit.Transitions.load(tmp_path / "code.npz")


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("name", ["q_learning", "dyna_q", "dyna_prioritized"])
def test_exhaustive_data_of_a_deterministic_world_gives_the_exact_values(name, shuffle):
    mdp = book_5x5()
    planner = rlkit.make("policy_iteration", mdp)
    list(planner.updates(100))
    options = {"threshold": 0.0} if name == "dyna_prioritized" else {}
    agent = rlkit.make(name, mdp, alpha=1.0, **options)
    *_, last = rlkit.learn_from(agent, exhaustive(mdp), passes=300, shuffle=shuffle)
    q = mdp.reward + 0.9 * planner.v[mdp.next_state]
    np.testing.assert_allclose(agent.values.ravel(), q, atol=1e-11)
    assert last.step == 300 * 125 == agent.step
    assert last.scalars["optimal"] == 1.0


def test_random_steps_of_taxi_are_enough_for_its_optimal_policy():
    env = gym.make("Taxi-v4")
    agent = rlkit.make("q_learning", env, alpha=1.0, gamma=0.95)
    *_, last = rlkit.learn_from(agent, rlkit.collect(env, steps=100_000), passes=12)
    assert last.scalars["optimal"] == 1.0


def test_expected_sarsa_learns_the_value_of_the_policy_that_it_would_act_by():
    mdp = book_5x5()
    agent = rlkit.make("expected_sarsa", mdp, alpha=1.0, epsilon=1.0)
    list(rlkit.learn_from(agent, exhaustive(mdp), passes=300))
    v = rlkit.exact.value(mdp, np.full((25, 5), 0.2), 0.9)
    np.testing.assert_allclose(agent.values.ravel(), mdp.reward + 0.9 * v[mdp.next_state], atol=1e-10)


def test_learning_from_the_steps_of_a_run_is_that_run():
    env = gym.make("FrozenLake-v1", max_episode_steps=20)
    data = rlkit.collect(env, steps=2000, seed=1)
    q = np.zeros((16, 4))
    for s, a, r, s_next, terminated, _ in zip(*data, strict=True):
        q[s, a] += 0.1 * (r + 0.9 * (1.0 - terminated) * q[s_next].max() - q[s, a])
    agent = rlkit.make("q_learning", env, alpha=0.1)
    list(rlkit.learn_from(agent, data))
    assert np.array_equal(agent.values, q)
    assert agent.memories[0].clock[0] == agent.step == 2000
    list(agent.updates(100))  # and it goes on with steps of its own
    assert agent.step == 2100


def test_each_run_has_an_order_of_its_own_which_is_that_of_its_seed():
    data = rlkit.collect("CliffWalking-v1", steps=500)
    many = rlkit.make("q_learning", "CliffWalking-v1", seeds=3, seed=4)
    list(rlkit.learn_from(many, data, shuffle=True, seed=4, passes=2))
    for i in range(3):
        one = rlkit.make("q_learning", "CliffWalking-v1", seed=4 + i)
        list(rlkit.learn_from(one, data, shuffle=True, seed=4 + i, passes=2))
        assert np.array_equal(many.values[i], one.values)
    assert not np.array_equal(many.values[0], many.values[1])


@pytest.mark.parametrize("name", ["sarsa", "td0", "value_iteration"])
def test_agents_that_need_steps_of_their_own_refuse(name):
    agent = rlkit.make(name, "FrozenLake-v1")
    with pytest.raises(ValueError, match=f"{name} does not learn from the steps of others"):
        rlkit.learn_from(agent, rlkit.collect("FrozenLake-v1", steps=5))


@pytest.mark.parametrize(
    ("key", "row", "value", "message"),
    [
        ("reward", 3, np.nan, r"reward\[3\] is nan; it must be finite"),
        ("action", 2, 4, r"action\[2\] is 4; the agent's are 0 .. 3"),
        ("action", 2, -1, r"action\[2\] is -1"),
        ("obs", 1, 16, r"obs\[1\] is 16, which is none of the agent's 16 states"),
        ("next_obs", 4, -1, r"next_obs\[4\] is -1"),
        ("terminated", 0, 2, r"terminated\[0\] is 2; it must be 0 or 1"),
        ("action", 1, 0.5, r"action\[1\] is 0.5; it must be a whole number"),
        ("obs", 1, 0.5, r"obs has the type float64; the agent's observations are whole numbers"),
    ],
)
def test_wrong_values_are_named(key, row, value, message):
    data = rlkit.collect("FrozenLake-v1", steps=5)
    array = getattr(data, key).astype(type(value))
    array[row] = value
    with pytest.raises(ValueError, match=message):
        rlkit.learn_from(rlkit.make("q_learning", "FrozenLake-v1"), data._replace(**{key: array}))


def test_wrong_shapes_are_named():
    data = rlkit.collect("FrozenLake-v1", steps=5)
    with pytest.raises(ValueError, match=r"reward has shape \(4,\), and action \(5,\)"):
        check_transitions(data._replace(reward=data.reward[:4]))
    with pytest.raises(ValueError, match=r"action has shape \(5, 1\)"):
        check_transitions(data._replace(action=data.action[:, None]))
    with pytest.raises(ValueError, match="with a step at least"):
        check_transitions(rlkit.Transitions(*(array[:0] for array in data)))
    with pytest.raises(ValueError, match="it must hold numbers"):
        check_transitions(data._replace(obs=data.obs.astype(str)))
    cart = rlkit.collect("CartPole-v1", steps=5)
    with pytest.raises(ValueError, match=r"obs has rows of shape \(4,\); the agent's observations have \(\)"):
        rlkit.learn_from(rlkit.make("q_learning", "FrozenLake-v1"), cart)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="steps is 0"):
        rlkit.collect("FrozenLake-v1", steps=0)
    with pytest.raises(ValueError, match="policy is 'optimal'"):
        rlkit.collect("FrozenLake-v1", "optimal")
    with pytest.raises(ValueError, match="policy of state 0"):
        rlkit.collect("FrozenLake-v1", np.zeros((16, 4)))
    with pytest.raises(ValueError, match="has actions Box"):
        rlkit.collect("Pendulum-v1")
    agent = rlkit.make("q_learning", "FrozenLake-v1")
    with pytest.raises(ValueError, match="passes is 0"):
        rlkit.learn_from(agent, rlkit.collect("FrozenLake-v1", steps=5), passes=0)
