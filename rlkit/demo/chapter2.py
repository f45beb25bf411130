"""Chapter 2 of Zhao: the value of a given policy, by the linear system of section 2.7 (`rlkit.exact.value`)."""

import gymnasium as gym
import numpy as np

from rlkit import exact
from rlkit.demo.cards import Card, drawn, side_by_side
from rlkit.demo.solving import model, solve

UP, RIGHT, DOWN, LEFT, STAY = range(5)
GAMMA = 0.9


def cards() -> list[Card]:
    """Make the cards of this chapter."""
    return [_two_by_two(), _five_by_five()]


def _two_by_two() -> Card:
    world = gym.make("GridWorld-Book2x2-v0")
    down = np.eye(5)[[DOWN, DOWN, RIGHT, STAY]]
    right = np.eye(5)[[RIGHT, DOWN, RIGHT, STAY]]
    policies = {"down at s1": down, "right at s1": right, "each half the time": (down + right) / 2}
    values = {name: exact.value(model(world), pi, GAMMA) for name, pi in policies.items()}
    return Card(
        name="chapter2-2x2",
        title="Three policies on the 2x2 grid",
        caption="Which way to leave the first cell? Its value tells: 9 for the way around the forbidden cell, 8 for the "
        "way through it, and 8.5 for a coin that decides.",
        picture=side_by_side({name: drawn(world, values[name], pi, (7.5, 10.0)) for name, pi in policies.items()}),
        table=[{"policy": name, **{f"v(s{s + 1})": x for s, x in enumerate(v)}} for name, v in values.items()],
    )


def _five_by_five() -> Card:
    world = gym.make("GridWorld-Book5x5-v0")
    careful = solve("policy_iteration", gym.make("GridWorld-Book5x5-v0", r_forbidden=-10.0), gamma=GAMMA)
    policies = {
        "around the forbidden cells": np.eye(5)[careful.policy],
        "always right": np.eye(5)[np.full(25, RIGHT)],
        "every action alike": np.full((25, 5), 0.2),
    }
    values = {name: exact.value(model(world), pi, GAMMA) for name, pi in policies.items()}
    return Card(
        name="chapter2-5x5",
        title="Three policies on the 5x5 grid (as figure 2.7)",
        caption="One world, one discount, one scale of colours: a policy that goes around, one that always goes right "
        "and ends up bumping against the edge, and one that rolls dice.",
        picture=side_by_side({name: drawn(world, values[name], pi, (-10.0, 10.0)) for name, pi in policies.items()}),
        table=[
            {"policy": name, "mean value": v.mean(), "worst": v.min(), "best": v.max()} for name, v in values.items()
        ],
    )
