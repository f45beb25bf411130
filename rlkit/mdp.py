"""A finite Markov decision process as flat arrays, built and checked at the door from arrays, from `P` or from an env."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import (
    HumanRendering,
    OrderEnforcing,
    PassiveEnvChecker,
    RecordEpisodeStatistics,
    RecordVideo,
    RenderCollection,
    TimeLimit,
)
from numpy.typing import ArrayLike, NDArray

# Wrappers that leave observations, actions, rewards and dynamics as they are.
TRANSPARENT = (
    HumanRendering,
    OrderEnforcing,
    PassiveEnvChecker,
    RecordEpisodeStatistics,
    RecordVideo,
    RenderCollection,
    TimeLimit,
)


class MDP(NamedTuple):
    """p(s', r | s, a) in compressed rows, one row `s * n_actions + a` of outcomes for each state-action pair."""

    indptr: NDArray[np.int64]  # [S*A + 1]  row k owns the outcomes indptr[k] .. indptr[k + 1]
    next_state: NDArray[np.int32]  # [N]
    prob: NDArray[np.float64]  # [N]
    cdf: NDArray[np.float64]  # [N]  running sum of prob within its row; an outcome is the first with cdf > u
    reward: NDArray[np.float64]  # [N]
    terminated: NDArray[np.bool_]  # [N]  the episode ends here: the successor's value does not count
    start_cdf: NDArray[np.float64]  # [S]
    n_states: int
    n_actions: int


def from_arrays(
    indptr: ArrayLike,
    next_state: ArrayLike,
    prob: ArrayLike,
    reward: ArrayLike,
    terminated: ArrayLike,
    *,
    n_actions: int,
    start: ArrayLike | None = None,
) -> MDP:
    """Build an `MDP` from compressed rows.

    Args:
        indptr: [S*A + 1] row pointers, row `s * n_actions + a`.
        next_state: [N] successor of each outcome.
        prob: [N] probability of each outcome; every row sums to 1.
        reward: [N] reward of each outcome.
        terminated: [N] whether the outcome ends the episode.
        n_actions: A, the same in every state.
        start: [S] start distribution; uniform when left out.

    Raises:
        ValueError: naming the state and action (or the start state) where the arrays are not an MDP.
    """
    for name, index in (("indptr", indptr), ("next_state", next_state)):
        if np.size(index) and np.asarray(index).dtype.kind not in "iu":
            raise ValueError(f"{name} has dtype {np.asarray(index).dtype}; it must hold integers")
    rows = np.ascontiguousarray(indptr, np.int64)
    if n_actions < 1 or rows.ndim != 1 or (len(rows) - 1) % n_actions or len(rows) < 2:
        raise ValueError(f"indptr has {rows.size} entries; it needs n_states * {n_actions} + 1 of them")
    n_states = (len(rows) - 1) // n_actions
    successor = np.asarray(next_state)
    chance = np.ascontiguousarray(prob, np.float64)
    gain = np.ascontiguousarray(reward, np.float64)
    ends = np.ascontiguousarray(terminated, np.bool_)
    for name, array in (("next_state", successor), ("prob", chance), ("reward", gain), ("terminated", ends)):
        if array.shape != (rows[-1],):
            raise ValueError(f"{name} has shape {array.shape}; indptr asks for ({rows[-1]},)")
    _check_outcomes(rows, successor, chance, gain, n_states, n_actions)
    begin = np.full(n_states, 1.0 / n_states) if start is None else np.asarray(start, np.float64)
    if begin.shape != (n_states,):
        raise ValueError(f"start has shape {begin.shape}; there are {n_states} states")
    if not np.all(begin >= 0) or abs(begin.sum() - 1.0) > 1e-8:
        raise ValueError(f"start sums to {begin.sum():.10g} with minimum {begin.min():.3g}; it must be a distribution")
    return MDP(
        indptr=rows,
        next_state=np.ascontiguousarray(successor, np.int32),
        prob=chance,
        cdf=_running_sums(chance, rows),
        reward=gain,
        terminated=ends,
        start_cdf=np.cumsum(begin),
        n_states=n_states,
        n_actions=n_actions,
    )


def checked_mdp(mdp: MDP) -> MDP:
    """Return an MDP that may have been put together by hand as `from_arrays` builds it.

    Raises:
        ValueError: as `from_arrays`, and where n_states is not what the arrays say.
    """
    start = np.diff(mdp.start_cdf, prepend=0.0)
    built = from_arrays(*mdp[:3], mdp.reward, mdp.terminated, n_actions=mdp.n_actions, start=start)
    if built.n_states != mdp.n_states:
        raise ValueError(f"n_states is {mdp.n_states}, but indptr has rows for {built.n_states} states")
    return built


def from_P(P: Any, start: ArrayLike | None = None) -> MDP:  # noqa: N802 - P is the field's name
    """Build an `MDP` from Gymnasium's toy-text table `P[s][a] = [(prob, next_state, reward, terminated), ...]`.

    Args:
        P: a mapping or sequence over states 0 .. S-1 of a mapping or sequence over actions 0 .. A-1.
        start: [S] start distribution; uniform when left out.

    Raises:
        ValueError: naming the state and action where the table is not an MDP.
    """
    n_states = len(P)
    if n_states == 0:
        raise ValueError("P has no states; it needs an entry for each of 0 .. S-1")
    n_actions = len(_entry(P, 0, "P"))
    if n_actions == 0:
        raise ValueError("P[0] has no actions; every state needs at least one")
    outcomes: list[Sequence[Any]] = []
    indptr = [0]
    for s in range(n_states):
        actions = _entry(P, s, "P")
        if len(actions) != n_actions:
            raise ValueError(f"P[{s}] has {len(actions)} actions, P[0] has {n_actions}; every state needs the same")
        for a in range(n_actions):
            for outcome in _entry(actions, a, f"P[{s}]"):
                if len(outcome) != 4:
                    raise ValueError(
                        f"P[{s}][{a}] holds {outcome!r}; an outcome is (prob, next_state, reward, terminated)"
                    )
                outcomes.append(outcome)
            indptr.append(len(outcomes))
    prob, next_state, reward, terminated = zip(*outcomes, strict=True) if outcomes else ((), (), (), ())
    return from_arrays(indptr, next_state, prob, reward, terminated, n_actions=n_actions, start=start)


def from_env(env: gym.Env[Any, Any]) -> MDP | None:
    """Read the model of an environment, or return None where it has none that its observations and rewards obey.

    A model is `env.unwrapped.transitions` (arrays, as envs.GridWorld has) or `env.unwrapped.P` (toy-text), with the
    start distribution in `env.unwrapped.initial_state_distrib`. The spaces are Discrete and count from 0. Behind a
    wrapper that may change what the agent sees or gets, the answer is None.
    """
    base = transparent_base(env)
    if base is None or not (_counts_from_zero(base.observation_space) and _counts_from_zero(base.action_space)):
        return None
    if getattr(base, "fickle_passenger", False):  # Taxi's passenger changes his mind behind P's back
        return None
    transitions, P = getattr(base, "transitions", None), getattr(base, "P", None)
    if transitions is None and P is None:
        return None
    shape = int(base.observation_space.n), int(base.action_space.n)  # type: ignore[attr-defined]  # Discrete, as checked
    start = getattr(base, "initial_state_distrib", None)
    mdp = from_P(P, start) if transitions is None else from_arrays(*transitions, n_actions=shape[1], start=start)
    if (mdp.n_states, mdp.n_actions) != shape:
        raise ValueError(
            f"the model of {base} has {mdp.n_states} states and {mdp.n_actions} actions, "
            f"its spaces {shape[0]} and {shape[1]}"
        )
    return mdp


def transparent_base(env: gym.Env[Any, Any]) -> gym.Env[Any, Any] | None:
    """Return the environment under wrappers known to be transparent, or None behind any other wrapper."""
    while isinstance(env, gym.Wrapper):
        if type(env) not in TRANSPARENT:
            return None
        env = env.env
    return env


def _counts_from_zero(space: gym.Space[Any]) -> bool:
    return isinstance(space, gym.spaces.Discrete) and int(space.start) == 0


def _entry(table: Any, key: int, name: str) -> Any:
    if isinstance(table, Mapping) and key not in table:
        raise ValueError(f"{name} has no entry {key}; its keys must be 0 .. {len(table) - 1}")
    return table[key]


def _check_outcomes(
    indptr: NDArray[np.int64],
    next_state: NDArray[Any],
    prob: NDArray[np.float64],
    reward: NDArray[np.float64],
    n_states: int,
    n_actions: int,
) -> None:
    def place(row: int) -> str:
        return f"P[{row // n_actions}][{row % n_actions}]"

    def row_of(outcome: int) -> int:
        return int(np.searchsorted(indptr, outcome, side="right")) - 1

    if indptr[0] != 0:
        raise ValueError(f"indptr starts at {indptr[0]}; it must start at 0")
    if np.any(np.diff(indptr) < 1):
        raise ValueError(
            f"{place(int(np.argmax(np.diff(indptr) < 1)))} has no outcome; every action needs at least one"
        )
    for bad, text in (
        (~(prob >= 0.0), "the probability {}; it must be 0 or more"),
        (~np.isfinite(reward), "the reward {}; it must be finite"),
        ((next_state < 0) | (next_state >= n_states), "the next state {}; " + f"states are 0 .. {n_states - 1}"),
    ):
        if bad.any():
            k = int(np.argmax(bad))
            value = (prob if "probability" in text else reward if "reward" in text else next_state)[k]
            raise ValueError(f"{place(row_of(k))} has {text.format(value)}")
    sums = np.add.reduceat(prob, indptr[:-1])
    off = np.abs(sums - 1.0) > 1e-8
    if off.any():
        row = int(np.argmax(off))
        raise ValueError(f"{place(row)} sums to {sums[row]:.10g}; the probabilities of its outcomes must sum to 1")


def _running_sums(prob: NDArray[np.float64], indptr: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum each row from its own zero, in order, as np.cumsum of that row alone would (to the last bit)."""
    cdf = prob.copy()
    width = np.diff(indptr)
    for k in range(1, int(width.max(initial=1))):
        later = indptr[:-1][width > k] + k
        cdf[later] += cdf[later - 1]
    return cdf
