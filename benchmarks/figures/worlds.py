"""The small worlds of Sutton & Barto's examples as MDPs, and an MDP as an epsilon-greedy agent lives in it."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, poisson

import rlkit
from rlkit.mdp import MDP, from_arrays, from_P

LOTS, MOVES = 20, 5  # of Jack's car rental: cars at a place, cars moved in a night


def random_walk(n: int, left: float, right: float) -> MDP:
    """S&B example 6.2: n states in a row, a start in the middle, a step to either side; what is paid at the two ends."""
    table = [
        [
            [(1.0, max(s - 1, 0), left if s == 0 else 0.0, s == 0)],
            [(1.0, min(s + 1, n - 1), right if s == n - 1 else 0.0, s == n - 1)],
        ]
        for s in range(n)
    ]
    return from_P(table, np.arange(n) == n // 2)


def car_rental() -> MDP:
    """S&B example 4.2: state 21 i + j has i and j cars at two places; action a moves a - 5 cars from the first to the second.

    Each car rented earns 10, each car moved costs 2; requests are Poisson(3) and Poisson(4), returns Poisson(3) and
    Poisson(2), and no place holds more than 20. Cars that are not there are paid for and not moved, which is never best.
    """
    (first, earned_1), (second, earned_2) = _place(3.0, 3.0), _place(4.0, 2.0)
    size, actions = LOTS + 1, 2 * MOVES + 1
    prob, reward = [], []
    for i in range(size):
        for j in range(size):
            for a in range(actions):
                moved = int(np.clip(a - MOVES, -j, i))
                one, two = min(i - moved, LOTS), min(j + moved, LOTS)
                prob.append(np.outer(first[one], second[two]).ravel())
                reward.append(10.0 * (earned_1[one] + earned_2[two]) - 2.0 * abs(a - MOVES))
    rows, n_states = len(prob), size * size
    return from_arrays(
        np.arange(rows + 1) * n_states,
        np.tile(np.arange(n_states), rows),
        np.concatenate(prob),
        np.repeat(reward, n_states),
        np.zeros(rows * n_states, bool),
        n_actions=actions,
    )


def _place(requests: float, returns: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distribution [21, 21] of the cars in the evening, and the mean [21] of those rented, by those in the morning."""
    k = np.arange(LOTS + 1)
    evening, rented = np.zeros((LOTS + 1, LOTS + 1)), np.zeros(LOTS + 1)
    for cars in k:
        out = poisson.pmf(k[: cars + 1], requests)
        out[cars] = poisson.sf(cars - 1, requests)
        rented[cars] = out @ k[: cars + 1]
        for gone, p in enumerate(out):
            back = poisson.pmf(np.arange(LOTS - cars + gone + 1), returns)
            back[-1] = poisson.sf(LOTS - cars + gone - 1, returns)
            evening[cars, cars - gone :] += p * back
    return evening / evening.sum(axis=1, keepdims=True), rented


def gambler(p_heads: float, goal: int = 100) -> MDP:
    """S&B example 4.3: state s has the capital s + 1; action a stakes a + 1, or what is there, or what is missing."""
    table = []
    for capital in range(1, goal):
        stakes = [min(a + 1, capital, goal - capital) for a in range(goal // 2)]
        table.append(
            [
                [
                    (p_heads, min(capital + x, goal - 1) - 1, float(capital + x == goal), capital + x == goal),
                    (1.0 - p_heads, max(capital - x, 1) - 1, 0.0, capital == x),
                ]
                for x in stakes
            ]
        )
    return from_P(table)


def two_doors(arms: int = 10, outcomes: int = 200) -> MDP:
    """S&B example 6.7: from A half of the actions end the episode, half lead to B, where every action pays about N(-0.1, 1).

    An MDP here has the same number of actions in every state, so that A has each of its two actions five times. The normal
    distribution has as many equally likely outcomes as asked for, their variance made 1.
    """
    noise = norm.ppf((np.arange(outcomes) + 0.5) / outcomes)
    rewards = -0.1 + noise / noise.std()
    a = [[(1.0, int(k >= arms // 2), 0.0, k < arms // 2)] for k in range(arms)]
    b = [[(1.0 / outcomes, 1, float(r), True) for r in rewards]] * arms
    return from_P([a, b], [1.0, 0.0])


def soft(mdp: MDP, epsilon: float) -> MDP:
    """Return the MDP in which an action is carried out with probability 1 - epsilon, and any action else.

    Its optimal policy, made epsilon-greedy in the first MDP, is the best of all epsilon-greedy policies there.
    """
    table = []
    a, lengths = mdp.n_actions, np.diff(mdp.indptr)
    for s in range(mdp.n_states):
        rows = [
            [
                (float(mdp.prob[k]), int(mdp.next_state[k]), float(mdp.reward[k]), bool(mdp.terminated[k]))
                for k in range(mdp.indptr[s * a + b], mdp.indptr[s * a + b] + lengths[s * a + b])
            ]
            for b in range(a)
        ]
        slip = [(epsilon / a * p, *rest) for row in rows for p, *rest in row]
        table.append([[((1.0 - epsilon) * p, *rest) for p, *rest in row] + slip for row in rows])
    return from_P(table, np.diff(mdp.start_cdf, prepend=0.0))


def best_soft(mdp: MDP, epsilon: float, gamma: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the values [S] of the best epsilon-greedy policy, and the actions [S] about which it is epsilon-greedy."""
    agent = rlkit.make("policy_iteration", soft(mdp, epsilon), gamma=gamma)
    list(agent.updates(1000))
    return agent.v, agent.policy


def epsilon_greedy(actions: NDArray[np.int64], epsilon: float, n_actions: int) -> NDArray[np.float64]:
    """Return the policy [S, A] that takes the given actions [S] but for a share epsilon; Zhao (5.4)."""
    return (1.0 - epsilon) * np.eye(n_actions)[actions] + epsilon / n_actions
