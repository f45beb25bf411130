"""Monte Carlo epsilon-greedy, Zhao algorithm 5.3: q(s, a) ← q(s, a) + α (g - q(s, a)), g the return after (s, a)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from rlkit.learning.config import Control
from rlkit.learning.episodes import Visit, check_episodes
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, Setting, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table
from rlkit.learning.truth import control_judge
from rlkit.tabular import control
from rlkit.tabular.control import Table, choose
from rlkit.tabular.drive import drive
from rlkit.tabular.episodes import Episode, keep, learn_returns, make_episode
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import Stream
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Control):
    """Monte Carlo epsilon-greedy."""

    alpha: Rate = "1/n^0.6"  # step size, of each pair's n-th update: noise is averaged out, and early returns forgotten
    epsilon: Rate = "1/n^0.25"  # probability of a random action, after n updates of the state's pairs
    visit: Visit = "first"  # which visits of an episode count
    horizon: int = 1000  # steps kept; a longer episode is learned from in pieces of so many


class Memory(NamedTuple):
    """Action values, and the episode under way."""

    table: Table
    episode: Episode


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return control.begin(memory.table, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:
    """Keep a step and choose the next action; at the end of the episode, learn from all of them."""
    table = memory.table
    table.clock[0] += 1
    full = keep(memory.episode, s, a, r, s * table.q.shape[1] + a)
    a_next = choose(table, s_next)
    if terminated or truncated or full:
        learn_returns(table, memory.episode, (1.0 - terminated) * table.q[s_next, a_next])
    return a_next


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent.

    An episode that is truncated, by the environment or after `horizon` steps, has no return: what is missing is taken
    from the estimate, g = r + γ r' + ... + γ^T q(s_T, a_T). Each piece of a longer episode has first visits of its own.

    Only what happens after a pair teaches something about it, so that Monte Carlo asks for many episodes: on the book's
    5x5 grid the defaults take 16 million steps, in episodes of 20, to a policy that is optimal in every state.
    """
    setting = finite(env, config)
    check_episodes(config, config.visit, horizon=1)
    judge = control_judge(setting, config.gamma)
    return Learner(setting, config, seed, Method(begin, learn, run), _memory(setting, config), _values, judge)


def _memory(setting: Setting, config: Config) -> Callable[[Stream], Memory]:
    table = action_table(setting, config)
    keys = setting.n_states * setting.n_actions
    return lambda stream: Memory(table(stream), make_episode(config.horizon, keys, config.visit))


def _values(memory: Memory) -> Any:
    return memory.table.q
