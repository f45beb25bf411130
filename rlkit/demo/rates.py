"""Every planner's error against its work on one world, beside the rate that the contraction promises."""

import time
from typing import Any

import gymnasium as gym
import numpy as np

from rlkit.demo.cards import Card, World, drawn, side_by_side
from rlkit.demo.solving import planner, rounds, solve
from rlkit.report.convergence import convergence

TOLERANCE = 1e-9
PLANNERS: dict[str, tuple[str, dict[str, str | int | float]]] = {
    "value iteration": ("value_iteration", {}),
    "value iteration, Gauss-Seidel": ("value_iteration", {"order": "gauss-seidel"}),
    "truncated policy iteration": ("truncated_policy_iteration", {}),
    "policy iteration": ("policy_iteration", {}),
    "inexact policy iteration": ("inexact_policy_iteration", {}),
    "prioritized sweeping": ("prioritized_sweeping", {"passes": 1}),
    "linear programming": ("linear_programming", {}),
    "backward induction": ("backward_induction", {"horizon": 200}),
}


def cards() -> list[Card]:
    """Make the cards of this part."""
    book = gym.make("GridWorld-Book5x5-v0")
    cost: dict[str, Any] = {"r_step": -0.02, "r_boundary": -0.02}
    slippery = gym.make("GridWorld-Random-v0", rows=20, cols=20, map_seed=4, slip=0.2, actions=4, **cost)
    return [
        _convergence(
            "rates-book",
            book,
            0.9,
            "Every planner on the book's 5x5 grid, γ = 0.9",
            "Value iteration, and backward induction which is the same sweep, lose a factor of γ with every sweep, just as "
            "the contraction promises (the wide grey line): the target pays for ever, and a value can add that up only as "
            "fast as the discount allows. The others look further ahead. A round of policy iteration or of linear "
            "programming solves a linear system or program; it counts as one sweep here, but costs more. The bound of "
            "backward induction is on the values of its 200 steps, not on those of endless play.",
        ),
        _convergence(
            "rates-slippery",
            slippery,
            0.95,
            "Every planner on a slippery 20x20 grid, γ = 0.95",
            "Where an episode ends, γ is a promise that is more than kept: once the news of the target has reached every "
            "cell, the rest is quick. In every row the proven bound is at or above the true error, as it must be. The "
            "time includes watching every round.",
        ),
        _world(slippery),
    ]


def _convergence(file: str, world: World, gamma: float, title: str, caption: str) -> Card:
    truth = solve("policy_iteration", world, gamma=gamma, tolerance=1e-12).v
    curves, rows = {}, []
    for name, (agent, options) in PLANNERS.items():
        stop = {} if agent == "backward_induction" else {"tolerance": TOLERANCE}
        made = planner(agent, world, gamma=gamma, **stop, **options)
        clock = time.perf_counter()
        trace = list(rounds(made, 10_000))
        seconds = time.perf_counter() - clock
        errors = np.array([np.abs(v - truth).max() for _, v in trace])
        curves[name] = (np.array([work for work, _ in trace]), errors)
        rows.append(
            {
                "planner": name,
                "rounds": len(trace) - 1,
                "sweeps": round(trace[-1][0], 1),
                "true error": float(errors[-1]),
                "proven bound": made.bound,
                "milliseconds": round(1000 * seconds, 1),
            }
        )
    picture = convergence(curves, gamma, title="", x="sweeps", log_x=True)
    return Card(name=file, title=title, caption=caption, picture=picture, table=rows)


def _world(world: World) -> Card:
    best = solve("prioritized_sweeping", world, gamma=0.95)
    return Card(
        name="rates-world",
        title="The slippery grid",
        caption="The start is at the top left, the target at the bottom right; two moves out of ten slip sideways, and "
        "every step costs 0.02, whether it leads anywhere or not.",
        picture=side_by_side({"value and policy": drawn(world, best.v, best.optimal_actions())}),
    )
