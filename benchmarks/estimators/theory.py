"""What an estimator's gradient is in expectation, in closed form from `rlkit.exact`, whatever values its critic has."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from rlkit import exact
from rlkit.exact.chain import action_reward, continuation
from rlkit.mdp import MDP

Array = NDArray[np.float64]


def expected_gae(mdp: MDP, pi: Array, values: Array, gamma: float, lam: float, discount: float) -> Array:
    """Return E[Σ_t discount^t Â_t ∇ log π(a_t|s_t)] of GAE with a critic `values` [S], for a softmax table, [S, A].

    GAE sums TD errors δ_t discounted by γλ. So its mean from (s, a) is the action value of the same process with δ for a
    reward and γλ for a discount; the policy gradient theorem then weights it by the occupancy. discount = γ keeps the
    factor γ^t, discount = 1 drops it. A baseline subtracted from the return is λ = 1.
    """
    return exact.action_occupancy(mdp, pi, discount) * exact.advantage(
        _with_td_errors(mdp, values, gamma), pi, gamma * lam
    )


def expected_n_step(mdp: MDP, pi: Array, values: Array, gamma: float, n: int, discount: float) -> Array:
    """Return E[Σ_t discount^t (G_{t:t+n} - V(s_t)) ∇ log π(a_t|s_t)], [S, A]: the sum of n TD errors instead of all."""
    deltas, onward = action_reward(_with_td_errors(mdp, values, gamma)), continuation(mdp)
    q = deltas
    for _ in range(n - 1):
        q = deltas + gamma * (onward @ (pi * q).sum(axis=1)).reshape(pi.shape)
    return exact.action_occupancy(mdp, pi, discount) * (q - (pi * q).sum(axis=1, keepdims=True))


def group_factor(kind: str, size: int) -> float:
    """Return c in E[gradient] = c ∇J for advantages within groups of this size, without division by a deviation.

    The mean of all scores contains the row's own, which takes 1 / G of the signal away; leave-one-out does not.
    """
    return {"leave one out": 1.0, "none": (size - 1) / size}[kind]


def pass_fail_factor(kind: str, size: int, p: float) -> float:
    """Return c in E[gradient] = c ∇p for scores of 1 with probability p and else 0, divided by the group's deviation.

    With K of G rows at 1, the sum of A_i ∇ log p(row i) has the mean ∇p σ_K / (p (1 - p)), where σ_K is the population
    deviation of that group, as E[∇ log p | 1] = ∇p / p and E[∇ log p | 0] = -∇p / (1 - p). The sample deviation is
    larger by √(G / (G - 1)).
    """
    share = np.arange(size + 1) / size
    mean = float(binom.pmf(np.arange(size + 1), size, p) @ np.sqrt(share * (1.0 - share)))
    return mean / (p * (1.0 - p)) * {"population": 1.0, "sample": np.sqrt((size - 1) / size)}[kind]


def _with_td_errors(mdp: MDP, values: Array, gamma: float) -> MDP:
    """The MDP that pays r + γ V(s') - V(s), V = 0 after the end."""
    state = np.repeat(np.arange(mdp.n_states), np.diff(mdp.indptr[:: mdp.n_actions]))
    ahead = np.where(mdp.terminated, 0.0, values[mdp.next_state])
    return mdp._replace(reward=mdp.reward + gamma * ahead - values[state])
