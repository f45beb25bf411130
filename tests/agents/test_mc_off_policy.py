"""Off-policy Monte Carlo against the sums of its definition, against exact values, and on the blackjack hand of S&B 5.5."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import exact
from tests.agents.monte_carlo import visited_first
from tests.agents.plain import streams
from tests.probes import random_policy, random_walk, reward_chain

LAKE = "FrozenLake-v1"


def policies(seed=2):
    rng = np.random.default_rng(seed)
    mdp = rlkit.from_env(gym.make(LAKE))
    behaviour = random_policy(rng, mdp, zeros=0.0)
    target = random_policy(rng, mdp)
    return mdp, target, behaviour


def played(env, behaviour, episodes, seed):
    """Whole episodes [(s, a, r), ...] under a policy [S, A]."""
    rng, env_seed = streams(seed)
    cdf = behaviour.cumsum(axis=1)
    found = []
    for _ in range(episodes):
        s, _ = env.reset(seed=env_seed)
        env_seed, episode, terminated = None, [], False
        while not terminated:
            a = min(int(np.searchsorted(cdf[s], rng.random(), side="right")), cdf.shape[1] - 1)
            s_next, r, terminated, _, _ = env.step(a)
            episode.append((s, a, r))
            s = s_next
        rng.random()  # the agent draws an action for the last state too
        found.append(episode)
    return found


def by_definition(episodes, target, behaviour, gamma, *, weighted, first):
    """S&B (5.5) and (5.6): sums over all visits, each with the product of the ratios and the return after it."""
    top, bottom = np.zeros(len(target)), np.zeros(len(target))
    for episode in episodes:
        states = [s for s, _, _ in episode]
        for t, s in enumerate(states):
            if first and not visited_first(states, t):
                continue
            rho = np.prod([target[s, a] / behaviour[s, a] for s, a, _ in episode[t:]])
            g = sum(gamma**k * r for k, (_, _, r) in enumerate(episode[t:]))
            top[s] += rho * g
            bottom[s] += rho if weighted else 1.0
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


@pytest.mark.parametrize("engine", ["compiled", "stepped"])
@pytest.mark.parametrize("visit", ["first", "every"])
@pytest.mark.parametrize("weighting", ["ordinary", "weighted"])
def test_it_is_the_average_of_the_definition(weighting, visit, engine):
    _, target, behaviour = policies()
    env = gym.make(LAKE, max_episode_steps=100_000)
    episodes = played(env, behaviour, 400, seed=9)
    wanted = by_definition(episodes, target, behaviour, 0.9, weighted=weighting == "weighted", first=visit == "first")
    agent = rlkit.make(
        "mc_off_policy",
        env,
        policy=target,
        behaviour=behaviour,
        weighting=weighting,
        visit=visit,
        seed=9,
        engine=engine,
    )
    list(agent.updates(sum(map(len, episodes))))
    assert agent._places.now[0, 4] == 400
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-9, atol=1e-12)
    assert np.any(wanted > 0.0)


@pytest.mark.parametrize("visit", ["first", "every"])
def test_on_policy_both_weightings_are_the_plain_mean(visit):
    _, target, _ = policies()
    env = gym.make(LAKE, max_episode_steps=100_000)
    same = {"policy": target, "behaviour": target, "visit": visit, "seed": 4}
    ordinary = rlkit.make("mc_off_policy", env, weighting="ordinary", **same)
    weighted = rlkit.make("mc_off_policy", env, weighting="weighted", **same)
    for agent in (ordinary, weighted):
        list(agent.updates(5000))
    assert np.array_equal(ordinary.values, weighted.values)
    assert np.any(ordinary.values > 0.0)


def test_first_visit_ordinary_weighting_has_no_bias_and_weighted_comes_near():
    mdp, target, behaviour = policies(6)
    v = exact.value(mdp, target, 0.9)
    for weighting, bias in (("ordinary", 0.0), ("weighted", 0.003)):
        agent = rlkit.make(
            "mc_off_policy", mdp, policy=target, behaviour=behaviour, weighting=weighting, seeds=40, report=30_000
        )
        *_, last = agent.updates(30_000)
        starts = agent.values[:, 0]  # visited in every episode
        error = starts.mean() - v[0]
        assert abs(error) <= 4 * starts.std(ddof=1) / np.sqrt(40) + bias, weighting
        assert last.scalars["rmse"] < 0.3


def test_the_random_walk_has_the_values_of_the_book():
    agent = rlkit.make("mc_off_policy", random_walk(), gamma=1.0, seeds=20)
    list(agent.updates(100_000))
    error = agent.values.mean(axis=0) - np.arange(1, 6) / 6
    assert np.all(np.abs(error) <= 4 * agent.values.std(axis=0, ddof=1) / np.sqrt(20))


def test_a_constant_step_is_that_of_ordinary_weighting():
    # One state, one action, one step: v ← v + 0.5 (1 - v).
    agent = rlkit.make("mc_off_policy", reward_chain([[0.0]], [1.0]), weighting="ordinary", alpha=0.5)
    list(agent.updates(3))
    assert agent.values.tolist() == [0.875]


@pytest.mark.parametrize("cut", ["limit", "horizon"])
def test_a_cut_return_is_completed_by_the_estimate(cut):
    # One state that pays 1 for ever, in pieces of two steps: first-visit returns are 1 + 0.9 + 0.81 v.
    mdp = reward_chain([[1.0]], [1.0])
    config = {"weighting": "ordinary", "alpha": 1.0}
    if cut == "horizon":
        agent = rlkit.make("mc_off_policy", mdp, horizon=2, **config)
    else:
        env = gym.make("GridWorld-v0", layout=["G"], r_boundary=1.0, r_target=1.0, max_episode_steps=2)
        agent = rlkit.make("mc_off_policy", env, **config)
    v = 0.0
    for _ in range(5):
        list(agent.updates(2))
        v = 1.0 + 0.9 * (1.0 + 0.9 * v)
        np.testing.assert_allclose(agent.values, [v], rtol=1e-15)


class Hand(gym.Wrapper):
    """S&B example 5.4: the dealer shows a deuce, the player holds an ace and a deuce."""

    def reset(self, *, seed=None, options=None):
        self.env.reset(seed=seed, options=options)
        base = self.env.unwrapped
        base.player, base.dealer = [1, 2], [2, base.dealer[1]]
        return (13, 2, 1), {}


HAND = (13 * 11 + 2) * 2 + 1
BLACKJACK = -0.27726  # S&B section 5.5, of a hundred million episodes


def sticks_on_20():
    pi = np.zeros((32, 11, 2, 2))
    pi[..., 1] = 1.0
    pi[20:, :, :] = [1.0, 0.0]
    return pi.reshape(-1, 2)


def estimates(weighting, episodes, runs, **config):
    env = Hand(gym.make("Blackjack-v1"))
    found = []
    for seed in range(runs):
        agent = rlkit.make(
            "mc_off_policy", env, policy=sticks_on_20(), weighting=weighting, gamma=1.0, seed=seed, **config
        )
        while agent._places.now[0, 4] < episodes:
            list(agent.updates(1))
        found.append(agent.values[HAND])
    return np.array(found)


@pytest.mark.parametrize("weighting", ["ordinary", "weighted"])
def test_the_blackjack_hand_has_the_value_of_the_book(weighting, tmp_path):
    np.save(tmp_path / "policy.npy", sticks_on_20())
    found = []
    for seed in range(10):
        agent = rlkit.make(
            "mc_off_policy",
            Hand(gym.make("Blackjack-v1")),
            policy=str(tmp_path / "policy.npy"),
            weighting=weighting,
            gamma=1.0,
            seed=seed,
        )
        list(agent.updates(3000))
        found.append(agent.values[HAND])
    assert abs(np.mean(found) - BLACKJACK) <= 4 * np.std(found, ddof=1) / np.sqrt(10)


def test_weighted_importance_sampling_errs_less_in_the_beginning():
    # S&B figure 5.3.
    error = {w: np.mean((estimates(w, 10, 60) - BLACKJACK) ** 2) for w in ("ordinary", "weighted")}
    assert error["weighted"] < error["ordinary"]


def test_what_cannot_be_is_refused():
    right, up = np.eye(4)[np.full(16, 2)], np.eye(4)[np.full(16, 3)]
    with pytest.raises(ValueError, match=r"behaviour never takes action 2 in state 0, which policy takes with .* 1;"):
        rlkit.make("mc_off_policy", LAKE, policy=right, behaviour=up)
    with pytest.raises(ValueError, match="behaviour has shape"):
        rlkit.make("mc_off_policy", LAKE, behaviour=np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"weighting is 'none'; choose one of 'ordinary', 'weighted'"):
        rlkit.make("mc_off_policy", LAKE, weighting="none")
    with pytest.raises(ValueError, match=r"alpha is 0.1, but weighted returns are averaged by their weights"):
        rlkit.make("mc_off_policy", LAKE, alpha=0.1)
    with pytest.raises(ValueError, match="visit is"):
        rlkit.make("mc_off_policy", LAKE, visit="none")
    with pytest.raises(ValueError, match="horizon is -1"):
        rlkit.make("mc_off_policy", LAKE, horizon=-1)
