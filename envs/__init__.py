"""Grid worlds, bandits and compiled classic control for Gymnasium; importing this registers their ids, once."""

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

CLASSIC: Final = {  # Gymnasium's id, ours after "rlkit/" -> file in envs.classic
    "CartPole-v0": "cartpole",
    "CartPole-v1": "cartpole",
    "Acrobot-v1": "acrobot",
    "MountainCar-v0": "mountain_car",
    "MountainCarContinuous-v0": "mountain_car_continuous",
    "Pendulum-v1": "pendulum",
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

for _id, _file in CLASSIC.items():
    if f"rlkit/{_id}" not in gym.registry:
        _theirs = gym.registry[_id]
        gym.register(
            f"rlkit/{_id}",
            entry_point=_theirs.entry_point,
            vector_entry_point=f"envs.classic.{_file}:vector",
            max_episode_steps=_theirs.max_episode_steps,
            reward_threshold=_theirs.reward_threshold,
        )
