"""How far a value function is from the optimal one, proven: bounds from the Bellman residual."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.tabular.bellman import greedy, q_of, residual
from rlkit.tabular.ends import ending_policy
from rlkit.tabular.linear import ended_value
from rlkit.tabular.model import Model


class Certificate(NamedTuple):
    """v + lower <= v* <= v + upper in every state, rounding included."""

    lower: float
    upper: float
    residual: float  # max |T v - v|
    rounding: float  # the part of the bounds that is owed to floating point

    @property
    def bound(self) -> float:
        """The proven distance max |v* - v|."""
        return max(-self.lower, self.upper)

    @property
    def span_bound(self) -> float:
        """The proven distance after v is shifted to the middle of its bounds."""
        return (self.upper - self.lower) / 2


def certify(model: Model, v: NDArray[np.float64], gamma: float, ergodic: bool) -> Certificate:
    """Bound the distance of v from v*.

    With d = T v - v, v* lies between v + min d / (1 - gamma) and v + max d / (1 - gamma) where every action goes on
    with probability one (MacQueen 1966, Porteus 1971; Puterman theorem 6.6.3). Where an episode can end, min d counts
    only if it is negative and max d only if it is positive.

    Args:
        model: with self loops, under gamma.
        v: [S].
        gamma: the discount, or `Problem.rate` where rows sum to a little more than one; at 1 see `_certify_undiscounted`.
        ergodic: no action can end the episode, as `ends.never_ends` finds.
    """
    return prove(model, v, gamma, ergodic, residual(model, v))


def prove(
    model: Model, v: NDArray[np.float64], gamma: float, ergodic: bool, extremes: tuple[float, float, float]
) -> Certificate:
    """Do what `certify` says from min and max of T v - v and the largest |v|, as `residual` returns them."""
    low, high, size = extremes
    worst = max(-low, high)
    if gamma >= 1.0:
        return _certify_undiscounted(model, v, worst, rounding_error(model, size))
    error = rounding_error(model, size + worst / (1 - gamma))  # the weights of a row sum to gamma up to rounding
    if not ergodic:
        low, high = min(low, 0.0), max(high, 0.0)
    return Certificate((low - error) / (1 - gamma), (high + error) / (1 - gamma), worst, error / (1 - gamma))


def _certify_undiscounted(model: Model, v: NDArray[np.float64], worst: float, error: float) -> Certificate:
    """Bound the distance from v* at gamma 1, where none follows from a residual: by the exact value of a good policy.

    If x is the value of a policy that ends and T x = x, no policy that ends is worth more than x, and x = v*. The policy
    tried is the greedy one, or, where that goes round in free circles, one that ends by actions which are as good. Asked
    only once the residual is tiny; before, infinity.
    """
    unknown = Certificate(-np.inf, np.inf, worst, 0.0)
    tiny = 1e-6 * max(1.0, float(np.abs(v).max()))
    if worst > tiny:
        return unknown
    policy = np.zeros(model.n_states, np.int64)
    greedy(model, v, policy, -np.inf)
    proof = _value_proof(model, v, policy, worst, error)
    if proof is not None:
        return proof
    q = q_of(model, v, model.n_actions)
    for slack in (4 * (worst + error), tiny):
        policy = ending_policy(model, q >= q.max(axis=1, keepdims=True) - slack)
        proof = _value_proof(model, v, policy, worst, error) if (policy >= 0).all() else None
        if proof is not None:
            return proof
    return unknown


def _value_proof(
    model: Model, v: NDArray[np.float64], policy: NDArray[np.int64], worst: float, error: float
) -> Certificate | None:
    """Measure the distance of v from the value of a policy that ends, if Bellman's equation holds for that value."""
    ended = ended_value(model, policy)
    if ended is None:
        return None
    exact, steps = ended
    slack = error * float(steps.max())
    low, high, _ = residual(model, exact)
    if max(-low, high) > 4 * slack:
        return None
    gap = exact - v
    return Certificate(float(gap.min()) - slack, float(gap.max()) + slack, worst, slack)


def rounding_error(model: Model, size: float) -> float:
    """Return a bound on the error of one backup in floating point, for values of at most `size` (Higham (3.5)).

    It covers what was lost when the outcomes were multiplied out: terms + 1 roundings of half an epsilon there, and as
    many again in the backup.
    """
    return float((model.terms + 2) * np.finfo(np.float64).eps * (size + model.gross))
