"""The peers of planning.py behind one signature: prepare untimed, then solve and return v and (none of them) a bound."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rlkit.mdp import MDP

Solve = Callable[[], tuple[NDArray[np.float64], float]]


def _absorbing(mdp: "MDP") -> NDArray[np.float64]:
    """Check what lets a peer without terminal transitions solve the same problem: they end in free absorbing states."""
    ends = np.unique(mdp.next_state[mdp.terminated])
    for s in ends:
        for row in range(s * mdp.n_actions, (s + 1) * mdp.n_actions):
            part = slice(mdp.indptr[row], mdp.indptr[row + 1])
            if (mdp.next_state[part] != s).any() or (mdp.reward[part] != 0).any():
                raise ValueError(f"state {s} ends episodes but is not absorbing; the peers would solve another problem")
    return np.add.reduceat(mdp.prob * mdp.reward, mdp.indptr[:-1])


def quantecon_solver(mdp: "MDP", gamma: float, tolerance: float) -> Solve:
    from quantecon.markov import DiscreteDP
    from scipy.sparse import csr_array

    gain = _absorbing(mdp)
    rows = mdp.n_states * mdp.n_actions
    matrix = csr_array((mdp.prob, mdp.next_state, mdp.indptr), shape=(rows, mdp.n_states))
    problem = DiscreteDP(gain, matrix, gamma, np.arange(rows) // mdp.n_actions, np.arange(rows) % mdp.n_actions)

    def solve() -> tuple[NDArray[np.float64], float]:
        result: Any = problem.solve(method="modified_policy_iteration", epsilon=tolerance, max_iter=10**6)
        return np.asarray(result.v), np.inf

    return solve


def mdpsolver_solver(mdp: "MDP", gamma: float, tolerance: float) -> Solve:
    import mdpsolver

    gain = _absorbing(mdp).reshape(mdp.n_states, mdp.n_actions)
    bounds = mdp.indptr.reshape(-1)
    split = [slice(bounds[row], bounds[row + 1]) for row in range(mdp.n_states * mdp.n_actions)]

    def nested(values: NDArray[Any]) -> list[list[list[Any]]]:
        each = [values[part].tolist() for part in split]
        return [each[s * mdp.n_actions : (s + 1) * mdp.n_actions] for s in range(mdp.n_states)]

    model = mdpsolver.model()
    model.mdp(
        discount=gamma, rewards=gain.tolist(), tranMatProbs=nested(mdp.prob), tranMatColumns=nested(mdp.next_state)
    )

    def solve() -> tuple[NDArray[np.float64], float]:
        model.solve(algorithm="mpi", tolerance=tolerance, parallel=False, postProcessing=False, makeFinalCheck=False)
        return np.asarray(model.getValueVector()), np.inf

    return solve
