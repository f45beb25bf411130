"""What each estimator multiplies ∇ log π(a|s) with: functions of `rlkit.pg` on whole episodes, [b, T] each."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.estimators.episodes import Part
from benchmarks.estimators.worlds import Case
from rlkit.data import Trajectories
from rlkit.pg.baselines import optimal_baseline, per_step, softmax_squared_norms
from rlkit.pg.reduce import masked_sum
from rlkit.pg.returns import discounted_returns, gae, n_step_returns


class Critic(NamedTuple):
    """A table of values, one for all batches or one for each."""

    name: str
    table: Tensor  # [1, S] or [R, S]
    n: int  # episodes in a batch

    def at(self, part: Part, states: Tensor) -> Tensor:
        """Return the values of states [b, T] of a part."""
        batch = part.index // self.n if len(self.table) > 1 else torch.zeros_like(part.index)
        return self.table[batch[:, None], states]


def fixed(name: str, table: NDArray[np.float64]) -> Critic:
    """Make a critic of values [S], the same for every batch."""
    return Critic(name, torch.from_numpy(table)[None], 1)


def own(parts: list[Part], batches: int, n: int, n_states: int, gamma: float) -> Critic:
    """Return the critic that minimises `value_loss` on the returns of each batch: the mean return from each state.

    Where a batch never came it is 0.
    """
    total, number = (torch.zeros(batches * n_states, dtype=torch.float64) for _ in range(2))
    for index, traj in parts:
        where = ((index // n)[:, None] * n_states + traj.obs)[traj.mask]
        returns = to_go(traj, gamma)[traj.mask]
        total.index_add_(0, where, returns)
        number.index_add_(0, where, torch.ones_like(returns))
    return Critic("own", (total / number.clamp(min=1.0)).view(batches, n_states), n)


def to_go(traj: Trajectories, gamma: float) -> Tensor:
    """Return the discounted return from each step on."""
    zero = torch.zeros_like(traj.rewards)
    return discounted_returns(traj.rewards, zero, traj.terminated, traj.truncated, traj.mask, gamma=gamma)


def whole(traj: Trajectories, gamma: float) -> Tensor:
    """Return the discounted return of the whole episode at each of its steps."""
    return per_step(scores(traj, gamma), traj.mask)


def scores(traj: Trajectories, gamma: float) -> Tensor:
    """Return the discounted return of each episode, [b]."""
    return masked_sum(traj.rewards * discounts(traj, gamma), traj.mask, (1,))


def discounts(traj: Trajectories, gamma: float) -> Tensor:
    """Return gamma^t: the factor of the policy gradient theorem that most implementations leave out."""
    return (gamma ** torch.arange(traj.mask.shape[1], dtype=torch.float64)).expand(traj.mask.shape)


def generalised(part: Part, critic: Critic, gamma: float, lam: float) -> Tensor:
    """Return GAE; with lam = 1 it is the return from the step on, less the value."""
    traj = part.traj
    here, ahead = critic.at(part, traj.obs), critic.at(part, traj.next_obs)
    return gae(traj.rewards, here, ahead, traj.terminated, traj.truncated, traj.mask, gamma=gamma, lam=lam)


def n_step(part: Part, critic: Critic, gamma: float, n: int) -> Tensor:
    """Return the n-step return less the value, as A2C has it."""
    traj = part.traj
    here, ahead = critic.at(part, traj.obs), critic.at(part, traj.next_obs)
    returns = n_step_returns(traj.rewards, ahead, traj.terminated, traj.truncated, traj.mask, gamma=gamma, n=n)
    return returns - here


def of_pairs(part: Part, table: NDArray[np.float64]) -> Tensor:
    """Return the entries of a table [S, A] at the states and actions of a part."""
    return torch.from_numpy(table)[part.traj.obs, part.traj.actions]


def best_baseline(case: Case) -> NDArray[np.float64]:
    """Return the baseline of least variance in each state, Zhao (10.5), [S]."""
    pi, q = torch.from_numpy(case.pi), torch.from_numpy(case.q)
    return optimal_baseline(pi, softmax_squared_norms(pi), q).numpy()
