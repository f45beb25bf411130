"""Long-run closed forms of any chain, one recurrent class or several: stationary distribution, gain and bias, Puterman 8.2.

An episode that ends earns nothing more, so that its gain is zero; with `restart=True` a new episode begins at once from
the start distribution, and the stream of episodes is one endless chain.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlkit.exact.chain import (
    Chain,
    Mask,
    Solve,
    action_end,
    action_reward,
    backward,
    chain,
    continuation,
    forward,
    reachable,
    recurrent_classes,
    resolvent,
)
from rlkit.mdp import MDP


def stationary_distribution(mdp: MDP, pi: ArrayLike, *, restart: bool = False) -> NDArray[np.float64]:
    """Return d(s) = lim_T (1/T) Σ_{t<T} Pr(s_t = s) from the start distribution, [S]; d = d P_pi, Zhao section 8.2.1.

    The limit is taken in the mean, so that periodic chains have it too. Where the chain has several recurrent classes,
    the start distribution decides the share of each.

    Raises:
        ValueError: where an episode may end and `restart` is False; nothing is stationary then.
    """
    process = chain(mdp, pi, restart=restart)
    over = (process.ends > 0.0) & reachable(process.step, process.start > 0.0)
    if over.any():
        raise ValueError(
            f"the policy may end the episode in state {int(np.argmax(over))}, so that it has no stationary "
            "distribution; pass restart=True to let the next episode begin from the start distribution"
        )
    return _stationary(process, _classes(process))[: mdp.n_states]


def average_reward(mdp: MDP, pi: ArrayLike, *, restart: bool = False) -> NDArray[np.float64]:
    """Return the gain g(s) = lim_T (1/T) E[Σ_{t<T} r_{t+1} | s_0 = s] = (P* r_pi)(s), [S].

    Puterman section 8.2, S&B (10.6), Zhao section 9.2. It is one number in all states where there is one recurrent class.
    """
    process = chain(mdp, pi, restart=restart)
    return _gain(process, _classes(process))[: mdp.n_states]


def bias(mdp: MDP, pi: ArrayLike, *, restart: bool = False) -> NDArray[np.float64]:
    """Return the bias h, the (Cesaro) sum of all r_{t+1} - g(s_t) from each state, [S]; the differential value of S&B 10.3.

    It is the one solution of g + h = r_pi + P_pi h with P* h = 0, Puterman theorem 8.2.6: the mean of h under the
    stationary distribution of each recurrent class is zero.
    """
    process = chain(mdp, pi, restart=restart)
    classes = _classes(process)
    return _bias(process, classes, _gain(process, classes))[: mdp.n_states]


def differential_action_value(mdp: MDP, pi: ArrayLike, *, restart: bool = False) -> NDArray[np.float64]:
    """Return q(s, a) = r(s, a) - g(s) + Σ p(s'|s, a) h(s'), [S, A]; Zhao section 9.3.2, S&B section 10.3."""
    process = chain(mdp, pi, restart=restart)
    classes = _classes(process)
    g = _gain(process, classes)
    onward = _onward(mdp, _bias(process, classes, g))
    return action_reward(mdp) - g[: mdp.n_states, None] + onward


def average_reward_gradient(mdp: MDP, pi: ArrayLike, *, restart: bool = False) -> NDArray[np.float64]:
    """Return ∂/∂theta(s, a) of Σ_s start(s) g(s) for the softmax policy pi(a|s) ∝ exp theta(s, a), [S, A].

    d(s) pi(a|s) (q(s, a) - h(s)) in recurrent states, Zhao section 9.3.2, S&B section 13.6. In a transient state, which
    the chain visits w(s) times, the choice is between classes: w(s) pi(a|s) (Σ p(s'|s, a) g(s') - g(s)). It is the
    limit of (1 - gamma) times the discounted gradient.
    """
    process = chain(mdp, pi, restart=restart)
    classes = _classes(process)
    g = _gain(process, classes)
    h = _bias(process, classes, g)
    d = _stationary(process, classes)
    w = _visits(process, classes)
    g_s, h_s, d_s, w_s = (x[: mdp.n_states, None] for x in (g, h, d, w))
    within = action_reward(mdp) - g_s + _onward(mdp, h) - h_s
    between = _onward(mdp, g) - g_s
    return process.policy * (d_s * within + w_s * between)


class _Classes(NamedTuple):
    label: NDArray[np.int64]  # [S]  recurrent class, -1 where transient
    share: NDArray[np.float64]  # [S]  part of the time of its own class, 0 where transient
    inner: Mask  # [S]  recurrent states but the last of each class
    solve_inner: Solve
    transient: Mask  # [S]
    solve_transient: Solve


def _classes(process: Chain) -> _Classes:
    """Find the classes, and the time in each of their states from the visits between two returns to its last state.

    Between returns the chain lives on `inner`, where I - P is an M-matrix, block by class: one factorisation serves
    all. The gate between episodes is the last state, so that its dense row stays out of the factors.
    """
    label = recurrent_classes(process)
    transient = label < 0
    last = np.zeros(len(label), np.bool_)
    last[len(label) - 1 - np.unique(label[::-1], return_index=True)[1]] = True
    last &= ~transient
    inner = ~transient & ~last
    solve_inner = resolvent(process, 1.0, inner)
    visits = last.astype(np.float64)
    visits[inner] = solve_inner(backward(process.step, visits)[inner], True)
    share = visits * process.time / _by_class(visits * process.time, label)
    return _Classes(label, share, inner, solve_inner, transient, resolvent(process, 1.0, transient))


def _by_class(x: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of x over each state's class; 1 in transient states, [S]."""
    sums = np.bincount(label + 1, x).astype(np.float64)
    sums[0] = 1.0 if (label < 0).any() else sums[0]
    return sums[label + 1]


def _gain(process: Chain, classes: _Classes) -> NDArray[np.float64]:
    g = _by_class(classes.share * process.reward, classes.label)
    g[classes.transient] = 0.0
    g[classes.transient] = classes.solve_transient(forward(process.step, g)[classes.transient], False)
    return g


def _bias(process: Chain, classes: _Classes, g: NDArray[np.float64]) -> NDArray[np.float64]:
    surplus = process.reward - g * process.time
    h = np.zeros(len(g))
    h[classes.inner] = classes.solve_inner(surplus[classes.inner], False)
    h -= np.where(classes.transient, 0.0, _by_class(classes.share * h, classes.label))
    h[classes.transient] = classes.solve_transient((surplus + forward(process.step, h))[classes.transient], False)
    return h


def _visits(process: Chain, classes: _Classes) -> NDArray[np.float64]:
    """Return the expected number of visits to each transient state, [S]."""
    w = np.zeros(len(process.start))
    w[classes.transient] = classes.solve_transient(process.start[classes.transient], True)
    return w


def _stationary(process: Chain, classes: _Classes) -> NDArray[np.float64]:
    entering = process.start + backward(process.step, _visits(process, classes))
    entering[classes.transient] = 0.0
    return _by_class(entering, classes.label) * classes.share


def _onward(mdp: MDP, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Σ p(s'|s, a) x(s'), [S, A]; the last entry of an x [S + 1] is what the next episode is worth."""
    onward = forward(continuation(mdp), x[: mdp.n_states]).reshape(mdp.n_states, mdp.n_actions)
    return onward if len(x) == mdp.n_states else onward + action_end(mdp) * x[-1]
