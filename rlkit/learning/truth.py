"""What an agent has learned, held against the exact solution of its world's model."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rlkit import exact
from rlkit.arrays import Bools, Floats, Ints
from rlkit.exact.chain import action_reward, chain, continuation, reachable
from rlkit.learning.setting import Setting
from rlkit.mdp import MDP
from rlkit.tabular.bellman import greedy
from rlkit.tabular.certificate import rounding_error
from rlkit.tabular.ends import ending_policy
from rlkit.tabular.linear import policy_value
from rlkit.tabular.problem import make_problem

SMALL = 100  # states up to which a dense system is solved in no time
LARGE = 20_000  # states from which solving exactly at every report would take longer than learning

Judge = Callable[[NDArray[np.float64]], dict[str, float]]  # values [S, A] or [S] -> scalars


def optimal(mdp: MDP, gamma: float) -> tuple[Floats, Bools]:
    """Return v* [S] and the optimal actions [S, A], ties counted, by policy iteration.

    Raises:
        ValueError: at gamma 1, the optimal return has no bound.
    """
    problem = make_problem(mdp, gamma)
    model = problem.model
    policy = ending_policy(model) if gamma == 1.0 else np.zeros(mdp.n_states, np.int64)
    while True:
        v = policy_value(model, policy, gamma)
        if v is None:
            raise ValueError(
                "gamma is 1, and a policy on the way never ends, or too rarely for floating point to tell its value"
            )
        slack = 8 * rounding_error(model, float(np.abs(v).max()))
        if not greedy(model, v, policy, slack):
            return v, problem.q(v) >= v[:, None] - slack


def visitable(mdp: MDP) -> Bools:
    """Mark the states [S] in which some policy can have to act."""
    uniform = np.full((mdp.n_states, mdp.n_actions), 1.0 / mdp.n_actions)
    process = chain(mdp, uniform)
    return reachable(process.step, process.start > 0.0)


def control_judge(setting: Setting, gamma: float) -> Judge | None:
    """Return what judges action values [S, A] by their greedy policy, or None without a model or a finite optimum.

    Its scalars: `value`, the exact objective Σ start(s) v_pi(s) of the greedy policy (-inf where it never ends under
    gamma 1); `regret`, what it lacks of the optimal one; `optimal`, 1 where its every action in a state that can
    be visited is optimal, ties counted.
    """
    mdp = setting.mdp
    if mdp is None or mdp.n_states > LARGE:
        return None
    try:
        v, actions = optimal(mdp, gamma)
    except ValueError:
        return None
    seen = visitable(mdp)
    start = np.diff(mdp.start_cdf, prepend=0.0)
    best = float(start @ v)
    objective = _objective(mdp, gamma)
    known: dict[bytes, float] = {}

    def judge(q: NDArray[np.float64]) -> dict[str, float]:
        policy = q.argmax(axis=1)
        key = policy.tobytes()
        if key not in known:
            if len(known) > 10_000:
                known.clear()
            known[key] = objective(policy)
        good = actions[np.arange(len(policy)), policy]
        return {"value": known[key], "regret": best - known[key], "optimal": float(good[seen].all())}

    return judge


def prediction_judge(setting: Setting, gamma: float, policy: Floats) -> Judge | None:
    """Return what judges values [S] of a policy [S, A], or None without a model: `rmse`, over the states that it visits."""
    mdp = setting.mdp
    if mdp is None or mdp.n_states > LARGE:
        return None
    process = chain(mdp, policy)
    v = exact.value(mdp, policy, gamma)
    seen = reachable(process.step, process.start > 0.0)

    def judge(values: NDArray[np.float64]) -> dict[str, float]:
        return {"rmse": float(np.sqrt(np.mean((values[seen] - v[seen]) ** 2)))}

    return judge


def _objective(mdp: MDP, gamma: float) -> Callable[[Ints], float]:
    """Return what solves for the objective of a policy [S]: a small dense system at once, any other by `exact`."""

    def by_exact(policy: Ints) -> float:
        try:
            return exact.objective(mdp, exact.deterministic(mdp, policy), gamma)
        except ValueError:  # gamma is 1 and the policy never ends
            return -np.inf

    if gamma == 1.0 or mdp.n_states > SMALL:
        return by_exact
    states, start = np.arange(mdp.n_states), np.diff(mdp.start_cdf, prepend=0.0)
    onward = gamma * continuation(mdp).toarray().reshape(mdp.n_states, mdp.n_actions, mdp.n_states)
    reward = action_reward(mdp)
    return lambda policy: float(
        start @ np.linalg.solve(np.eye(mdp.n_states) - onward[states, policy], reward[states, policy])
    )
