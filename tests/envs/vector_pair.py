"""A batch of grid worlds and its slow twin, on worlds that have every rule between them."""

import copy

import gymnasium as gym
from gymnasium.vector import AutoresetMode

from envs.vector import GridWorldVectorEnv

MODES = list(AutoresetMode)
N = 7
RANDOM_STARTS = "S.X\n.#.\nS.T"
WORLDS = {
    "book": {},
    "time limit": {"max_episode_steps": 5},
    "slip": {"slip": 0.3},
    "slip, terminal, limit": {"slip": 0.4, "target": "terminal", "max_episode_steps": 9},
    "terminal, random starts": {"layout": RANDOM_STARTS, "target": "terminal"},
    "all of it": {
        "layout": RANDOM_STARTS,
        "target": "terminal",
        "slip": 0.5,
        "slip_model": "uniform",
        "actions": 9,
        "max_episode_steps": 4,
        "start": "uniform",
    },
    "stochastic wind": {"layout": "windy-stochastic", "max_episode_steps": 12},
    "one step episodes": {"slip": 0.2, "max_episode_steps": 1, "start": "uniform"},
    "restart": {"layout": "S.X\n..T", "forbidden": "restart", "slip": 0.2, "max_episode_steps": 20},
    "blocking": {"layout": "dyna-blocking", "change_at": 30, "start": "uniform", "max_episode_steps": 8, "slip": 0.1},
    "shortcut": {"layout": "dyna-shortcut", "change_at": 17, "start": "uniform", "target": "terminal"},
}


def pair(world, mode):
    """The batch and its slow twin, both through Gymnasium."""
    world = {**WORLDS[world]}
    limit = world.pop("max_episode_steps", None)
    fast = gym.make_vec("GridWorld-v0", N, max_episode_steps=limit, autoreset_mode=mode, **world)
    spec = copy.deepcopy(gym.spec("GridWorld-v0"))
    spec.max_episode_steps = limit
    slow = gym.make_vec(spec, N, "sync", vector_kwargs={"autoreset_mode": mode}, **world)
    assert isinstance(fast, GridWorldVectorEnv)
    return fast, slow
