"""Off-policy Monte Carlo prediction, S&B section 5.5: v(s) = Σ ρ g / n (ordinary) or Σ ρ g / Σ ρ (weighted), ρ = Π π(a|s) / b(a|s)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from rlkit.arrays import Floats
from rlkit.learning.config import Policy, Prediction
from rlkit.learning.episodes import Visit, check_episodes
from rlkit.learning.learner import Learner
from rlkit.learning.policy import read_policy
from rlkit.learning.setting import Environment, Setting, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import state_values
from rlkit.learning.truth import prediction_judge
from rlkit.tabular import prediction
from rlkit.tabular.drive import drive
from rlkit.tabular.episodes import Episode, counts, keep, make_episode
from rlkit.tabular.jit import kernel
from rlkit.tabular.prediction import Values, draw_action, update
from rlkit.tabular.random import Stream
from rlkit.tabular.schedule import Rate

Weighting = Literal["ordinary", "weighted"]


@dataclass(frozen=True)
class Config(Prediction):
    """Off-policy Monte Carlo prediction; on-policy where `behaviour` is `policy`."""

    alpha: Rate = "1/n"  # step size of ordinary weighting: "1/n" is the mean; weighted has no other than its weights
    behaviour: Policy = "uniform"  # the policy that acts: as `policy`, whose value is learned
    weighting: Weighting = "weighted"  # weighted has a bias that vanishes and less variance, often far less
    visit: Visit = "first"  # which visits of an episode count
    horizon: int = 1000  # steps kept; a longer episode is learned from in pieces of so many


class Memory(NamedTuple):
    """State values, the importance ratios, and the episode under way."""

    values: Values
    ratio: Floats  # [S, A]  π(a|s) / b(a|s)
    weights: Floats  # [S]  sum of the weights of the returns so far
    weighted: bool
    episode: Episode


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return prediction.begin(memory.values, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:
    """Keep a step and draw the next action; at the end of the episode, learn from all of them."""
    values = memory.values
    values.clock[0] += 1
    full = keep(memory.episode, s, a, r, s)
    if terminated or truncated or full:
        _learn_returns(memory, (1.0 - terminated) * values.v[s_next])
    return draw_action(values.policy_cdf, s_next, values.stream)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent.

    An episode that is truncated, by the environment or after `horizon` steps, has no return: what is missing is taken
    from the estimate v(s_T), which needs no ratio. Each piece of a longer episode has first visits of its own.
    """
    setting = finite(env, config)
    check_episodes(config, config.visit, horizon=1)
    if config.weighting not in get_args(Weighting):
        raise ValueError(
            f"weighting is {config.weighting!r}; choose one of {', '.join(map(repr, get_args(Weighting)))}"
        )
    if config.weighting == "weighted" and config.alpha != "1/n":
        raise ValueError(
            f"alpha is {config.alpha!r}, but weighted returns are averaged by their weights; leave alpha at '1/n', or "
            'take weighting="ordinary"'
        )
    target = read_policy(config.policy, setting, config.gamma)
    acting = read_policy(config.behaviour, setting, config.gamma, "behaviour")
    uncovered = np.argwhere((target > 0.0) & (acting == 0.0))
    if len(uncovered):
        s, a = map(int, uncovered[0])
        raise ValueError(
            f"behaviour never takes action {a} in state {s}, which policy takes with probability {target[s, a]:g}; "
            "behaviour must be able to do whatever policy does"
        )
    judge = prediction_judge(setting, config.gamma, target)
    memory = _memory(setting, config, target, acting)
    return Learner(setting, config, seed, Method(begin, learn, run), memory, _values, judge, target)


@kernel
def _learn_returns(memory: Any, g: float) -> None:
    """Go back through the episode: g ← r + γ g, ρ ← ρ π/b, and move v towards g with weight ρ, or towards ρ g; empty it."""
    values, episode = memory.values, memory.episode
    rho = 1.0
    for back in range(episode.length[0]):
        t = np.uintp(episode.length[0] - 1 - back)
        s = episode.states[t]
        g = episode.rewards[t] + values.gamma * g
        rho *= memory.ratio[np.uintp(s), np.uintp(episode.actions[t])]
        if not counts(episode, s):
            continue
        if memory.weighted:
            memory.weights[s] += rho
            if rho > 0.0:
                values.v[s] += rho / memory.weights[s] * (g - values.v[s])
        else:
            update(values, s, rho * g)
    episode.length[0] = 0


def _memory(setting: Setting, config: Config, target: Floats, acting: Floats) -> Callable[[Stream], Memory]:
    values = state_values(setting, config, acting)
    ratio = np.divide(target, acting, out=np.zeros_like(target), where=acting > 0.0)

    def make_memory(stream: Stream) -> Memory:
        episode = make_episode(config.horizon, setting.n_states, config.visit)
        weights = np.zeros(setting.n_states)
        return Memory(values(stream), ratio, weights, config.weighting == "weighted", episode)

    return make_memory


def _values(memory: Memory) -> Floats:
    return memory.values.v
