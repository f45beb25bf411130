"""MC Basic, Zhao algorithm 5.1: q(s, a) = the mean return of `episodes` episodes from (s, a); then π(s) ← argmax_a q(s, a)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.config import Learning
from rlkit.learning.episodes import check_episodes, start_states
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, Setting, finite
from rlkit.learning.stepped import Method
from rlkit.learning.truth import control_judge
from rlkit.tabular.drive import NEW, drive
from rlkit.tabular.explore import greedy
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import Stream


@dataclass(frozen=True)
class Config(Learning):
    """MC Basic."""

    length: int = 100  # steps of an episode, T
    episodes: int = 1  # episodes from each state-action pair; one says everything where nothing is random


class Memory(NamedTuple):
    """The values and the policy, and how far the evaluation of that policy has come."""

    q: Floats  # [S, A]  of the pairs evaluated so far; of the policy before for the others
    policy: Ints  # [S]  the policy under evaluation
    starts: Ints  # [N]  states to start in
    now: Ints  # [4]  pair, its episodes so far, steps of this one, improvements of the policy
    sums: Floats  # [3]  return and discount of this episode so far, returns of this pair's episodes
    gamma: float
    length: int
    episodes: int


PAIR, EPISODE, ELAPSED, IMPROVEMENTS = range(4)
RETURN, DISCOUNT, RETURNS = range(3)


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:  # noqa: ARG001
    """Begin an episode with the pair whose turn it is, wherever the environment would begin."""
    memory.now[ELAPSED] = 0
    memory.sums[RETURN], memory.sums[DISCOUNT] = 0.0, 1.0
    return _pair(memory)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Add a reward to the return, and follow the policy; at the end of the episode, go on to the next."""
    memory.sums[RETURN] += memory.sums[DISCOUNT] * r
    memory.sums[DISCOUNT] *= memory.gamma
    memory.now[ELAPSED] += 1
    if terminated or truncated or memory.now[ELAPSED] == memory.length:
        _end_episode(memory)
        return NEW
    return int(memory.policy[s_next])


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent, for a world with a model, stepped or not, that can be put into a state.

    Its first policy takes action 0 everywhere. Nothing is bootstrapped: a return is that of `length` steps, or of fewer
    where the environment truncates, so that q is that of T-step episodes, and on a deterministic world exactly so: T
    sweeps of q ← r + γ q(s', π(s')) from zero. The episodes must be long enough for the reward to be felt, Zhao figure
    5.4. States that no policy gets to are no starts, and keep the value 0.
    """
    setting = finite(env, config)
    check_episodes(config, length=1, episodes=1)
    judge = control_judge(setting, config.gamma)
    return Learner(setting, config, seed, Method(begin, learn, run), _memory(setting, config), _values, judge)


@kernel
def _pair(memory: Any) -> tuple[int, int]:
    actions = memory.q.shape[1]
    return memory.starts[memory.now[PAIR] // actions], memory.now[PAIR] % actions


@kernel
def _end_episode(memory: Any) -> None:
    memory.sums[RETURNS] += memory.sums[RETURN]
    memory.now[EPISODE] += 1
    if memory.now[EPISODE] < memory.episodes:
        return
    s, a = _pair(memory)
    memory.q[s, a] = memory.sums[RETURNS] / memory.episodes
    memory.now[EPISODE], memory.sums[RETURNS] = 0, 0.0
    memory.now[PAIR] += 1
    if memory.now[PAIR] == memory.starts.size * memory.q.shape[1]:
        memory.now[PAIR] = 0
        memory.now[IMPROVEMENTS] += 1
        for i in range(memory.starts.size):
            memory.policy[memory.starts[i]] = greedy(memory.q, memory.starts[i])


def _memory(setting: Setting, config: Config) -> Callable[[Stream], Memory]:
    starts = start_states(setting)

    def make_memory(stream: Stream) -> Memory:  # noqa: ARG001 - the agent draws nothing
        q, policy = np.zeros((setting.n_states, setting.n_actions)), np.zeros(setting.n_states, np.int64)
        now, sums = np.zeros(4, np.int64), np.zeros(3)
        return Memory(q, policy, starts, now, sums, float(config.gamma), int(config.length), int(config.episodes))

    return make_memory


def _values(memory: Memory) -> Floats:
    return memory.q
