"""Chapter 4 of Zhao: value iteration and policy iteration, round by round (tables 4.1 to 4.5, figure 4.4)."""

from itertools import pairwise

import gymnasium as gym
import numpy as np

from rlkit.demo.cards import Card, drawn, side_by_side
from rlkit.demo.solving import model, planner, rounds
from rlkit.report.convergence import convergence
from rlkit.tabular.bellman import evaluate
from rlkit.tabular.problem import make_problem

GAMMA = 0.9
FIRST = 2  # rounds of value iteration in the table
STAY_LEFT = np.array([0, 0])


def cards() -> list[Card]:
    """Make the cards of this chapter."""
    return [_value_iteration(), _evaluation(), _two_cells(), _figure_4_4(), _truncation()]


def _value_iteration() -> Card:
    made = planner("value_iteration", gym.make("GridWorld-Book2x2-v0"), gamma=GAMMA)
    rows = []
    for k, (_, v) in enumerate(rounds(made, FIRST)):
        q = made.problem.q(v)
        for s in range(4):
            row = {"k": k, "state": f"s{s + 1}", "v": v[s], **{f"q(a{a + 1})": q[s, a] for a in range(5)}}
            rows.append({**row, "greedy": " ".join(f"a{a + 1}" for a in np.flatnonzero(q[s] >= q[s].max() - 1e-12))})
    return Card(
        name="chapter4-value-iteration",
        title="Value iteration on the 2x2 grid, by hand (tables 4.1 to 4.3)",
        caption="Each round takes the largest action value of the round before. The policy is right after one round, long "
        "before the values are. a1 up, a2 right, a3 down, a4 left, a5 stay.",
        table=rows,
    )


def _evaluation() -> Card:
    problem = make_problem(gym.make("GridWorld-BookLine-v0"), GAMMA)
    v, rows = np.zeros(2), []
    for k in range(5):
        rows.append({"sweep": k, "v(s1)": v[0], "v(s2)": v[1]})
        v_next = np.empty(2)
        evaluate(problem.model, STAY_LEFT, v, v_next)
        v = v_next
    rows.append({"sweep": "limit", "v(s1)": -10.0, "v(s2)": -9.0})
    return Card(
        name="chapter4-evaluation",
        title="Evaluating “always left” on a line of two cells (section 4.2)",
        caption="Policy iteration needs the value of a policy; sweeping towards it from zero is one way. At the left end "
        "the agent bumps against the edge for ever, -1 each time.",
        table=rows,
    )


def _two_cells() -> Card:
    made = planner("policy_iteration", gym.make("GridWorld-BookLine-v0"), gamma=GAMMA)
    names = ("left", "stay", "right")
    rows = []
    for k, (_, v) in enumerate(list(rounds(made, 10))[1:]):
        q = made.problem.q(v)
        for s in range(2):
            row = {"k": k, "state": f"s{s + 1}", "v": v[s], **{f"q({a})": q[s, i] for i, a in enumerate(names)}}
            rows.append({**row, "next policy": names[int(q[s].argmax())]})
    return Card(
        name="chapter4-two-cells",
        title="Policy iteration on the line of two cells (tables 4.4 and 4.5)",
        caption="From “always left” one round of improvement is enough; the next one finds nothing better and stops.",
        table=rows,
    )


def _figure_4_4() -> Card:
    world = gym.make("GridWorld-Book5x5-v0", r_forbidden=-10.0)
    made = planner("policy_iteration", world, gamma=GAMMA)
    values, policies = [], [made.plan.policy.copy()]
    for _ in made.updates(100):
        values.append(made.v.copy())
        policies.append(made.plan.policy.copy())
    panels = {f"π{k}": drawn(world, v, np.eye(5)[policies[k]], (-10.0, 10.0)) for k, v in enumerate(values)}
    return Card(
        name="chapter4-figure-4-4",
        title="Policy iteration on the 5x5 grid, policy by policy (as figure 4.4)",
        caption="It begins with “always up”; each picture shows a policy with its exact value. The cells near the target "
        "find their way first, and every round carries the news a little further.",
        picture=side_by_side(panels),
        table=[
            {"policy": f"π{k}", "largest error": np.abs(v - values[-1]).max(), "cells improved": int((p != q).sum())}
            for k, (v, (p, q)) in enumerate(zip(values, pairwise(policies), strict=True))
        ],
    )


def _truncation() -> Card:
    world = gym.make("GridWorld-Book5x5-v0", r_forbidden=-10.0)
    best = planner("policy_iteration", model(world), gamma=GAMMA)
    *_, (_, truth) = rounds(best, 100)
    curves = {}
    for sweeps in (1, 5, 9, 56):
        made = planner("truncated_policy_iteration", world, gamma=GAMMA, tolerance=1e-9, evaluations=sweeps)
        errors = [float(np.abs(v - truth).max()) for _, v in rounds(made, 60)]
        curves[f"{sweeps} sweep{'s' if sweeps > 1 else ''}"] = (np.arange(len(errors)), np.array(errors))
    return Card(
        name="chapter4-truncation",
        title="Truncated policy iteration: how many sweeps for each policy? (as figure 4.5)",
        caption="One sweep for each policy is value iteration, infinitely many are policy iteration. More sweeps need "
        "fewer rounds, with less and less to gain.",
        picture=convergence(curves, GAMMA, title="", x="rounds", rate_name="theory for one sweep: γᵏ"),
    )
