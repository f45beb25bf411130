"""Grid worlds and bandits for Gymnasium; importing this registers their ids, once."""

from typing import Final

import gymnasium as gym

IDS: Final = {  # id -> layout
    "GridWorld-v0": "book-5x5",
    "GridWorld-Book2x2-v0": "book-2x2",
    "GridWorld-Book3x3-v0": "book-3x3",
    "GridWorld-Book5x5-v0": "book-5x5",
    "GridWorld-BookLine-v0": "book-line",
    "GridWorld-Windy-v0": "windy",
    "GridWorld-WindyKings-v0": "windy-kings",
    "GridWorld-WindyStochastic-v0": "windy-stochastic",
    "GridWorld-Cliff-v0": "cliff",
    "GridWorld-DynaMaze-v0": "dyna-maze",
    "GridWorld-DynaBlocking-v0": "dyna-blocking",
    "GridWorld-DynaShortcut-v0": "dyna-shortcut",
    "GridWorld-FourRooms-v0": "four-rooms",
    "GridWorld-Random-v0": "random",
}

for _id, _layout in IDS.items():
    if _id not in gym.registry:  # a second import must not warn of an override
        gym.register(
            _id,
            entry_point="envs.gridworld:GridWorld",
            vector_entry_point="envs.vector:GridWorldVectorEnv",
            kwargs={} if _id == "GridWorld-v0" else {"layout": _layout},
        )

if "Bandit-v0" not in gym.registry:
    gym.register("Bandit-v0", entry_point="envs.bandit:Bandit")
