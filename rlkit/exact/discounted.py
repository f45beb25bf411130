"""Discounted closed forms, Zhao section 2.7.1: v = (I - gamma P_pi)^-1 r_pi, and what the same linear system gives."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlkit.exact.chain import (
    Chain,
    Mask,
    Solve,
    action_reward,
    chain,
    continuation,
    forward,
    resolvent,
    solvable,
)
from rlkit.mdp import MDP


def value(mdp: MDP, pi: ArrayLike, gamma: float) -> NDArray[np.float64]:
    """Return v(s) = E[Σ_t gamma^t r_{t+1} | s_0 = s] up to the episode's end, [S].

    It solves v = r_pi + gamma P_pi v, Zhao (2.7), S&B (3.14), where P_pi leaves out the steps that end the episode.
    Time limits do not count. At gamma = 1 every episode must end; in a state that no episode visits and from which the
    policy may go on for ever, the value is NaN.
    """
    return _value(_system(mdp, pi, gamma))


def action_value(mdp: MDP, pi: ArrayLike, gamma: float) -> NDArray[np.float64]:
    """Return q(s, a) = Σ p(s', r | s, a) (r + gamma (1 - terminated) v(s')), Zhao section 2.8, S&B (4.6), [S, A].

    At gamma = 1 it is NaN for an action that leads to a state where `value` is NaN.
    """
    return _action_value(mdp, value(mdp, pi, gamma), gamma)


def advantage(mdp: MDP, pi: ArrayLike, gamma: float) -> NDArray[np.float64]:
    """Return q(s, a) - v(s), [S, A]; its mean over the policy's actions is zero."""
    v = value(mdp, pi, gamma)
    return _action_value(mdp, v, gamma) - v[:, None]


def discounted_occupancy(mdp: MDP, pi: ArrayLike, gamma: float) -> NDArray[np.float64]:
    """Return rho(s) = Σ_t gamma^t Pr(s_t = s, the episode not over) from the start distribution, [S].

    It solves rho = start + gamma P_pi^T rho, S&B (9.2), and is not normalised: it sums to 1 / (1 - gamma) where no
    episode ends, and at gamma = 1 it counts the expected visits. The objective is Σ_s rho(s) r_pi(s).
    """
    return _occupancy(_system(mdp, pi, gamma))


def action_occupancy(mdp: MDP, pi: ArrayLike, gamma: float) -> NDArray[np.float64]:
    """Return rho(s) pi(a|s) = Σ_t gamma^t Pr(s_t = s, a_t = a), [S, A]: Puterman section 6.9, the variables of the dual LP."""
    system = _system(mdp, pi, gamma)
    return _occupancy(system)[:, None] * system.process.policy


def objective(mdp: MDP, pi: ArrayLike, gamma: float) -> float:
    """Return J = Σ_s start(s) v(s), the expected discounted return of an episode; Zhao section 9.2."""
    system = _system(mdp, pi, gamma)
    start = system.process.start
    return float(start[start > 0.0] @ _value(system)[start > 0.0])


def direct_gradient(mdp: MDP, pi: ArrayLike, gamma: float) -> NDArray[np.float64]:
    """Return ∂J/∂pi(a|s) = rho(s) q(s, a), the entries of pi taken as free numbers, [S, A]; Zhao (9.8).

    The gradient for any parameters theta of the policy is Σ_{s,a} (∂pi(a|s)/∂theta) times this one.
    """
    system = _system(mdp, pi, gamma)
    return _weighted(_occupancy(system)[:, None], _action_value(mdp, _value(system), gamma))


def policy_gradient(mdp: MDP, pi: ArrayLike, gamma: float) -> NDArray[np.float64]:
    """Return ∂J/∂theta(s, a) for the softmax policy pi(a|s) ∝ exp theta(s, a), [S, A].

    The policy gradient theorem, Zhao (9.8), S&B (13.5), with ∂pi(b|s)/∂theta(s, a) = pi(b|s) (1[a = b] - pi(a|s)):
    rho(s) pi(a|s) (q(s, a) - v(s)). Each row sums to zero.
    """
    system = _system(mdp, pi, gamma)
    v = _value(system)
    return _weighted(_occupancy(system)[:, None] * system.process.policy, _action_value(mdp, v, gamma) - v[:, None])


class _System(NamedTuple):
    process: Chain
    states: Mask  # [S]  those whose return is defined
    solve: Solve  # on the block of these states


def _system(mdp: MDP, pi: ArrayLike, gamma: float) -> _System:
    process = chain(mdp, pi)
    states = solvable(process, gamma)
    return _System(process, states, resolvent(process, gamma, states))


def _value(system: _System) -> NDArray[np.float64]:
    v = np.full(len(system.states), np.nan)
    v[system.states] = system.solve(system.process.reward[system.states], False)
    return v


def _occupancy(system: _System) -> NDArray[np.float64]:
    rho = np.zeros(len(system.states))
    rho[system.states] = system.solve(system.process.start[system.states], True)
    return rho


def _action_value(mdp: MDP, v: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    return action_reward(mdp) + gamma * forward(continuation(mdp), v).reshape(mdp.n_states, mdp.n_actions)


def _weighted(weight: NDArray[np.float64], value_: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply, with 0 * NaN = 0: what is never visited has no say."""
    return np.where(weight > 0.0, weight * value_, 0.0)
