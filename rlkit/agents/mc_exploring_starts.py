"""Monte Carlo exploring starts, Zhao algorithm 5.2: greedy episodes from random pairs; q(s, a) ← q(s, a) + α (g - q(s, a))."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.config import Learning, step_sizes
from rlkit.learning.episodes import Visit, check_episodes, start_states
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, Setting, finite
from rlkit.learning.stepped import Method
from rlkit.learning.truth import control_judge
from rlkit.tabular.drive import NEW, drive
from rlkit.tabular.episodes import Episode, keep, learn_returns, make_episode
from rlkit.tabular.explore import greedy
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import Stream, uniform
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Learning):
    """Monte Carlo exploring starts."""

    alpha: Rate = 0.1  # step size: a number, "1/(k+10)", "1/n" (the mean of all returns, which gets stuck; see `make`)
    visit: Visit = "first"  # which visits of an episode count
    length: int = 100  # steps after which an episode is ended
    initial: float = 0.0  # action values at the start


class Memory(NamedTuple):
    """Action values, what their updates need, and the episode under way."""

    q: Floats  # [S, A]
    visits: Ints  # [S, A]  updates of each pair
    clock: Ints  # [1]  steps
    stream: Stream  # [1, 4]  the agent's random numbers
    starts: Ints  # [N]  states to start in
    gamma: float
    alpha: Floats  # [7]  a packed schedule
    episode: Episode


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:  # noqa: ARG001
    """Begin an episode with a pair drawn uniformly, wherever the environment would begin."""
    actions = memory.q.shape[1]
    pair = int(uniform(memory.stream) * (memory.starts.size * actions))
    return memory.starts[pair // actions], pair % actions


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:
    """Keep a step and act greedily; at the end of the episode, learn from all of them."""
    memory.clock[0] += 1
    full = keep(memory.episode, s, a, r, s * memory.q.shape[1] + a)
    a_next = greedy(memory.q, s_next)
    if terminated or truncated or full:
        learn_returns(memory, memory.episode, (1.0 - terminated) * memory.q[s_next, a_next])
        return NEW
    return a_next


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent, for a world with a model, stepped or not, that can be put into a state.

    A greedy policy can go round in circles, so that episodes are ended after `length` steps. What is then missing of the
    return, as at any truncation, is taken from the estimate: g = r + γ r' + ... + γ^T max_a q(s_T, a).

    The mean of all returns (alpha "1/n") keeps those of the first, bad policies for ever. A pair that they made look bad
    is no longer chosen, and then only its own starts can raise it, ever more slowly; hence a constant step is the
    default, which forgets them.
    """
    setting = finite(env, config)
    check_episodes(config, config.visit, length=1)
    judge = control_judge(setting, config.gamma)
    return Learner(setting, config, seed, Method(begin, learn, run), _memory(setting, config), _values, judge)


def _memory(setting: Setting, config: Config) -> Callable[[Stream], Memory]:
    shape = setting.n_states, setting.n_actions
    starts, alpha = start_states(setting), step_sizes(config).packed()

    def make_memory(stream: Stream) -> Memory:
        q, visits = np.full(shape, config.initial, np.float64), np.zeros(shape, np.int64)
        episode = make_episode(config.length, q.size, config.visit)
        return Memory(q, visits, np.zeros(1, np.int64), stream, starts, float(config.gamma), alpha, episode)

    return make_memory


def _values(memory: Memory) -> Floats:
    return memory.q
