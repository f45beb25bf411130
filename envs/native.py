"""What native vector environments share: the description that Gymnasium asks of a batch, and infos about ends."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from envs.checks import whole


def describe(batch: VectorEnv[Any, Any, Any], single: gym.Env[Any, Any], num_envs: int, mode: AutoresetMode) -> None:
    """Give a batch of num_envs the spaces, metadata and render mode of a single environment."""
    if single.render_mode == "human":
        others = " or ".join(repr(other) for other in single.metadata["render_modes"] if other != "human")
        raise ValueError(f"render_mode is 'human', which shows one environment; use {others} for a batch")
    batch.num_envs = whole("num_envs", num_envs, 1)
    batch.render_mode = single.render_mode
    batch.metadata = {**single.metadata, "autoreset_mode": mode}
    batch.single_observation_space = single.observation_space
    batch.single_action_space = single.action_space
    batch.observation_space = batch_space(single.observation_space, num_envs)
    batch.action_space = batch_space(single.action_space, num_envs)


def final_infos(final: NDArray[Any], over: NDArray[np.bool_]) -> dict[str, Any]:
    """The infos of a step in the mode SAME_STEP: the last observations of the episodes that are over."""
    final_obs = np.empty(len(over), object)  # all None
    ends = final[over]
    final_obs[over] = ends if ends.ndim == 1 else np.fromiter(ends, object, len(ends))
    return {"final_obs": final_obs, "_final_obs": over, "final_info": {}, "_final_info": over.copy()}
