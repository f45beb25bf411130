"""The Markov reward chain that a policy makes of an MDP: its matrices, its recurrent classes, and its linear systems."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import block_array, csc_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.sparse.linalg import splu

from rlkit.mdp import MDP

DENSE = 400  # up to this many unknowns a dense factorisation is as fast as a sparse one

Vector = NDArray[np.float64]
Matrix = csr_array[np.float64]
Mask = NDArray[np.bool_]
Solve = Callable[[Vector, bool], Vector]  # (b, transposed) -> x


class Chain(NamedTuple):
    """A policy's process up to the end of the episode, S states; or with restarts, S + 1 (see `chain`)."""

    policy: NDArray[np.float64]  # [S, A]
    step: Matrix  # [S, S]  p(s_next and the episode goes on | s)
    reward: Vector  # [S]  expected reward of the next step
    ends: Vector  # [S]  probability that the next step ends the episode
    start: Vector  # [S]
    time: Vector  # [S]  1, but 0 in the gate between two episodes


def chain(mdp: MDP, pi: ArrayLike, *, restart: bool = False) -> Chain:
    """Average the MDP over the policy, Zhao (2.8): P_pi = Σ_a pi(a|s) P(·|s, a), r_pi = Σ_a pi(a|s) r(s, a).

    Args:
        mdp: the process.
        pi: [S, A] policy; every row is a distribution.
        restart: what ends an episode leads to a last state, the gate, and in no time on to the start distribution.
    """
    policy = checked_policy(mdp, pi)
    n_pairs = mdp.n_states * mdp.n_actions
    weight = csr_array(
        (policy.ravel(), np.arange(n_pairs), np.arange(0, n_pairs + 1, mdp.n_actions)), shape=(mdp.n_states, n_pairs)
    )
    step = cast("Matrix", weight @ continuation(mdp))  # scipy's types forget float64 in a product
    ends = np.einsum("sa,sa->s", policy, action_end(mdp))
    reward = np.einsum("sa,sa->s", policy, action_reward(mdp))
    start = start_distribution(mdp)
    time = np.ones(mdp.n_states)
    if restart:
        step = block_array([[step, csr_array(ends[:, None])], [csr_array(start[None, :]), None]], format="csr")
        reward, ends, start, time = (
            np.append(reward, 0.0),
            np.zeros(len(ends) + 1),
            np.append(start, 0.0),
            np.append(time, 0.0),
        )
    step.eliminate_zeros()
    return Chain(policy, step, reward, ends, start, time)


def checked_policy(mdp: MDP, pi: ArrayLike) -> NDArray[np.float64]:
    """Return `pi` as float64 [S, A], or raise a ValueError that names the state where it is not a distribution."""
    policy = np.ascontiguousarray(pi, np.float64)
    if policy.shape != (mdp.n_states, mdp.n_actions):
        raise ValueError(f"pi has shape {policy.shape}; the MDP asks for ({mdp.n_states}, {mdp.n_actions})")
    sums = policy.sum(axis=1)
    off = ~(np.abs(sums - 1.0) <= 1e-8) | ~(policy >= 0.0).all(axis=1)
    if off.any():
        s = int(np.argmax(off))
        raise ValueError(
            f"pi[{s}] sums to {sums[s]:.10g} with minimum {policy[s].min():.3g}; it must be a distribution"
        )
    return policy


def deterministic(mdp: MDP, actions: ArrayLike) -> NDArray[np.float64]:
    """Return the policy [S, A] that takes `actions` [S]: pi(a|s) = 1 where a = actions[s], else 0."""
    chosen = np.asarray(actions)
    if chosen.shape != (mdp.n_states,):
        raise ValueError(f"actions has shape {chosen.shape}; there are {mdp.n_states} states")
    off = ~np.isin(chosen, np.arange(mdp.n_actions))
    if off.any():
        s = int(np.argmax(off))
        raise ValueError(f"actions[{s}] is {chosen[s]}; actions are 0 .. {mdp.n_actions - 1}")
    return np.eye(mdp.n_actions)[chosen.astype(np.int64)]


def action_reward(mdp: MDP) -> NDArray[np.float64]:
    """Return r(s, a) = Σ_{s', r} p(s', r | s, a) r, [S, A]."""
    return _per_action(mdp, mdp.prob * mdp.reward)


def action_end(mdp: MDP) -> NDArray[np.float64]:
    """Return the probability that the step ends the episode, [S, A]."""
    return _per_action(mdp, mdp.prob * mdp.terminated)


def continuation(mdp: MDP) -> Matrix:
    """Return p(s_next and the episode goes on | s, a), [S*A, S], row `s * A + a`."""
    going_on = mdp.prob * ~mdp.terminated
    rows = csr_array(
        (going_on, mdp.next_state, mdp.indptr), shape=(mdp.n_states * mdp.n_actions, mdp.n_states), copy=True
    )
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


def start_distribution(mdp: MDP) -> Vector:
    """Return the probability that an episode starts in each state, [S]."""
    return np.diff(mdp.start_cdf, prepend=0.0)


def recurrent_classes(process: Chain) -> NDArray[np.int64]:
    """Return the recurrent class of each state, numbered from 0, or -1 for a transient state, [S].

    A class is a set of states that reach each other and that the chain never leaves, by the episode's end neither.
    """
    _, label = connected_components(process.step, directed=True, connection="strong")
    row, col = process.step.nonzero()
    leaky = np.zeros(int(label.max()) + 1, np.bool_)
    leaky[label[row[label[row] != label[col]]]] = True
    leaky[label[process.ends > 0.0]] = True
    number = np.cumsum(~leaky) - 1
    return np.where(leaky[label], -1, number[label]).astype(np.int64)


def reachable(step: Matrix, seeds: Mask) -> Mask:
    """Return the states that the chain can visit from `seeds` [S], which belong to them."""
    n = len(seeds)
    root = csr_array(seeds[None, :].astype(np.float64))
    graph = block_array([[step, csr_array((n, 1))], [root, csr_array((1, 1))]], format="csr")
    visited = np.zeros(n + 1, np.bool_)
    visited[breadth_first_order(graph, n, return_predecessors=False)] = True
    return visited[:n]


def solvable(process: Chain, gamma: float) -> Mask:
    """Return the states [S] whose discounted return is defined: all of them below gamma = 1.

    At gamma = 1 they are the states from which the episode ends with probability one.

    Raises:
        ValueError: where gamma is outside [0, 1], or is 1 and the policy may go on for ever from a start state.
    """
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"gamma is {gamma}; it must lie in [0, 1]")
    if gamma < 1.0:
        return np.ones(len(process.start), np.bool_)
    endless = recurrent_classes(process) >= 0
    visited = endless & reachable(process.step, process.start > 0.0)
    if visited.any():
        raise ValueError(
            f"gamma is 1, but the policy never ends the episode once it is in state {int(np.argmax(visited))}; "
            "take gamma < 1, or a policy that ends every episode"
        )
    return ~reachable(csr_array(process.step.T), endless)


def resolvent(process: Chain, discount: float, states: Mask) -> Solve:
    """Factor I - discount P on the block of `states` [S] and return its solver on vectors of that block."""
    block = process.step[states][:, states]
    n = block.shape[0]
    if n == 0:
        return lambda b, _: b
    if n <= DENSE:
        factors = lu_factor(np.eye(n) - discount * block.toarray())
        return lambda b, transposed: lu_solve(factors, b, trans=1 if transposed else 0)
    identity = csr_array((np.ones(n), (np.arange(n), np.arange(n))))
    lu: Any = splu(csc_array(identity - discount * block))
    return lambda b, transposed: np.asarray(lu.solve(b, "T" if transposed else "N"))


def forward(matrix: Matrix, x: Vector) -> Vector:
    """Return matrix x."""
    return np.asarray(matrix @ x)


def backward(matrix: Matrix, x: Vector) -> Vector:
    """Return matrix^T x."""
    return np.asarray(matrix.T @ x)


def _per_action(mdp: MDP, outcome: Vector) -> NDArray[np.float64]:
    return np.add.reduceat(outcome, mdp.indptr[:-1]).reshape(mdp.n_states, mdp.n_actions)
