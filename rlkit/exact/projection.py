"""Where linear TD learning leads, in closed form: the fixed point of the projected Bellman equation, Zhao section 8.2.5."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlkit.exact.average import stationary_distribution
from rlkit.exact.chain import chain
from rlkit.mdp import MDP


def td_fixed_point(
    mdp: MDP, pi: ArrayLike, gamma: float, phi: ArrayLike, weighting: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return w = A⁻¹b with A = Φᵀ D (I - gamma P_pi) Φ and b = Φᵀ D r_pi, [d]; Zhao section 8.2.5, S&B (9.12).

    TD-Linear and LSTD go there on-policy, the gradient methods under any weighting; it minimises the projected Bellman
    error. Of several solutions, where features depend on each other, it is the shortest.

    Args:
        mdp: the process.
        pi: [S, A] policy that is valued.
        gamma: discount.
        phi: [S, d] features.
        weighting: [S] how often each state is updated; left out, the stationary distribution of pi, each episode that
            ends followed by the next.

    Raises:
        ValueError: the shapes do not fit.
    """
    table = np.asarray(phi, np.float64)
    if table.ndim != 2 or len(table) != mdp.n_states:
        raise ValueError(f"phi has shape {table.shape}; it needs a row for each of {mdp.n_states} states")
    d = stationary_distribution(mdp, pi, restart=True) if weighting is None else np.asarray(weighting, np.float64)
    if d.shape != (mdp.n_states,):
        raise ValueError(f"weighting has shape {d.shape}; there are {mdp.n_states} states")
    process = chain(mdp, pi)
    weighted = table * d[:, None]
    left = weighted.T @ (table - gamma * (process.step @ table))
    solution = np.linalg.lstsq(left, weighted.T @ process.reward, rcond=None)[0]
    return np.asarray(solution, np.float64)
