"""A random maze of 200 x 200 cells: solved by the planner that the toolkit chooses, drawn with the way out."""

import time
from typing import Any

import gymnasium as gym

from rlkit.choose import choose
from rlkit.demo.cards import Card, World
from rlkit.demo.solving import planner
from rlkit.report.figures import value_and_policy
from rlkit.run.fit import fit

SIDE = 200
GAMMA = 0.995


def cards() -> list[Card]:
    """Make the card of the maze."""
    world = gym.make("GridWorld-Random-v0", rows=SIDE, cols=SIDE, density=0.38, map_seed=11, actions=4, r_boundary=0.0)
    choice = choose(world, GAMMA)
    best = planner(choice.planner, world, gamma=GAMMA, **choice.options)
    clock = time.perf_counter()
    reports = fit(best, progress=False)
    seconds = time.perf_counter() - clock
    way = _way(world, best.policy)
    return [
        Card(
            name="maze",
            title=f"A random maze, {SIDE} x {SIDE}",
            caption="From the top left to the target at the bottom right. The darker a cell, the nearer it is to the "
            "target; the line is the way that the policy takes.",
            picture=value_and_policy(world, best.v, best.optimal_actions(), trajectory=way),
            scalars={
                "states": best.problem.n_states,
                "planner": choice.planner.replace("_", " "),
                "why": choice.reason,
                "gamma": GAMMA,
                "sweeps": reports[-1].scalars["sweeps"],
                "seconds": seconds,
                "proven error": best.bound,
                "steps of the way": len(way) - 1,
            },
        )
    ]


def _way(world: World, policy: Any) -> list[int]:
    """Follow a policy to the end of an episode and return the states on the way."""
    s, _ = world.reset(seed=0)
    way = [int(s)]
    terminated = False
    while not terminated and len(way) <= SIDE * SIDE:
        s, _, terminated, _, _ = world.step(int(policy[s]))
        way.append(int(s))
    return way
