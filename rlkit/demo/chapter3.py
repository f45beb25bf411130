"""Chapter 3 of Zhao: optimal values and policies, and what the discount and the rewards do to them (figure 3.4)."""

from typing import Any

import gymnasium as gym
import numpy as np

from rlkit.demo.cards import Card, drawn, side_by_side
from rlkit.demo.solving import solve

CASES: dict[str, tuple[float, dict[str, Any]]] = {
    "(a) as it is, γ = 0.9": (0.9, {}),
    "(b) short-sighted, γ = 0.5": (0.5, {}),
    "(c) blind, γ = 0": (0.0, {}),
    "(d) forbidden costs 10, γ = 0.9": (0.9, {"r_forbidden": -10.0}),
}
SHIFTED: dict[str, Any] = {"r_boundary": 0.0, "r_forbidden": 0.0, "r_target": 2.0, "r_step": 1.0}


def cards() -> list[Card]:
    """Make the cards of this chapter."""
    return [_three_by_three(), _figure_3_4(), _affine()]


def _three_by_three() -> Card:
    world = gym.make("GridWorld-Book3x3-v0")
    best = solve("policy_iteration", world, gamma=0.9)
    return Card(
        name="chapter3-3x3",
        title="The 3x3 grid, solved",
        caption="Every optimal action is drawn: the best policy is seldom the only one.",
        picture=side_by_side({"γ = 0.9": drawn(world, best.v, best.optimal_actions())}),
        scalars={"mean value": best.v.mean(), "proven error": best.bound},
    )


def _figure_3_4() -> Card:
    panels, rows = {}, []
    for name, (gamma, rewards) in CASES.items():
        world = gym.make("GridWorld-Book5x5-v0", **rewards)
        best = solve("policy_iteration", world, gamma=gamma)
        panels[name] = drawn(world, best.v, best.optimal_actions(), (0.0, 10.0))
        rows.append({"case": name, "mean value": best.v.mean(), "best": best.v.max(), "proven error": best.bound})
    return Card(
        name="chapter3-figure-3-4",
        title="What the discount and the rewards do to the best policy (figure 3.4)",
        caption="From (a), which takes shortcuts through forbidden cells: a smaller discount makes the agent avoid them, "
        "a discount of 0 leaves it no reason to go anywhere, and a larger penalty sends it around.",
        picture=side_by_side(panels, columns=2),
        table=rows,
    )


def _affine() -> Card:
    worlds: dict[str, Any] = {
        "r": gym.make("GridWorld-Book5x5-v0"),
        "r + 1": gym.make("GridWorld-Book5x5-v0", **SHIFTED),
    }
    plans = {name: solve("policy_iteration", world, gamma=0.9) for name, world in worlds.items()}
    gap = plans["r + 1"].v - plans["r"].v
    same = np.array_equal(plans["r"].optimal_actions(), plans["r + 1"].optimal_actions())
    return Card(
        name="chapter3-affine",
        title="One more reward for every step changes no decision",
        caption="Adding 1 to all rewards adds 1 / (1 - γ) = 10 to all values and leaves the best policy alone: where an "
        "episode never ends, only the differences between rewards count.",
        picture=side_by_side({f"rewards {n}": drawn(worlds[n], p.v, p.optimal_actions()) for n, p in plans.items()}),
        scalars={"least difference": gap.min(), "largest difference": gap.max(), "the same optimal actions": same},
    )
