"""Gymnasium's own worlds, solved from their models; then the policy is played, to see that the values are true."""

import gymnasium as gym
import numpy as np

from rlkit.demo.cards import Card
from rlkit.demo.solving import solve
from rlkit.report.figures import value_and_policy
from rlkit.run.evaluate import evaluate

WORLDS: dict[str, tuple[str, float, int, str]] = {  # id -> planner, gamma, episodes, words
    "FrozenLake-v1": (
        "value_iteration",
        0.99,
        2000,
        "On slippery ice the best way is to walk against the edge and let oneself be carried; a hole ends it all.",
    ),
    "FrozenLake8x8-v1": (
        "prioritized_sweeping",
        0.99,
        500,
        "The larger lake: the same ice, more room to keep off the holes.",
    ),
    "CliffWalking-v1": ("policy_iteration", 1.0, 1, "Thirteen steps at -1 each along the cliff."),
    "Taxi-v4": (
        "policy_iteration",
        1.0,
        1000,
        "Five hundred states on twenty maps: where the passenger is, and where he wants to go.",
    ),
}


def cards() -> list[Card]:
    """Make the cards of this part."""
    return [_card(*item) for item in WORLDS.items()]


def _card(identity: str, how: tuple[str, float, int, str]) -> Card:
    name, gamma, episodes, words = how
    world = gym.make(identity, max_episode_steps=10_000)  # the limit of the registration would cut the value short
    best = solve(name, world, gamma=gamma)
    start = np.asarray(world.unwrapped.initial_state_distrib)  # type: ignore[attr-defined] # as every toy-text world has
    played = evaluate(best, world, episodes, seed=0, gamma=gamma)
    mean = f"{played.mean:.4g}" + (f" ± {played.standard_error:.2g}" if played.standard_error > 0 else "")
    return Card(
        name=f"toy-text-{identity}",
        title=identity,
        caption=words,
        picture=value_and_policy(world, best.v, best.optimal_actions()),
        scalars={
            "planner": name.replace("_", " "),
            "gamma": gamma,
            "value at the start": float(start @ best.v),
            "proven error": best.bound,
            f"mean return of {episodes} episode{'s' if episodes > 1 else ''}": mean,
            "mean length": played.mean_length,
        },
    )
