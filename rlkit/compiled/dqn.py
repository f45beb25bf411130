"""DQN in compiled code: the fast twin of `rlkit.agents.dqn`, the same configuration, numbers and checkpoint.

Threads share the rows of each batch and then the weights; of several runs each thread takes its own.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from rlkit.compiled.engine import ACTIVATIONS, Compiled, episodes
from rlkit.compiled.mlp import PARTS, Net, Numbers, new_net
from rlkit.compiled.places import Place
from rlkit.compiled.q_learn import Batch, Crew, Update
from rlkit.compiled.q_loop import Rhythm, Stage, loop
from rlkit.compiled.q_play import decide, stray
from rlkit.compiled.replay import memory_state, new_memory, restore_memory
from rlkit.compiled.state import Arrays, first_weights, named, put, restore_vectors, vectors
from rlkit.compiled.worlds import new_outcome
from rlkit.sample.config import rate
from rlkit.sample.scalars import checked
from rlkit.sample.streams import weight_generator
from rlkit.tabular.random import agent_stream, to_generator
from rlkit.team import APART, Team

_NAME = "advantage"  # of a plain net's layers in `rlkit.policies.q_networks`
_PIECE = 1_000  # steps in each world that one call of the loop takes at most
_DRAWS = 2**16  # rows that are drawn at a time at most
_ENOUGH = 1_000_000  # weights times rows of a batch from which a second thread gains more than it costs


class DQN:
    """One run.

    Args:
        env: one environment.
        config: DQN's.
        seed: of everything random.
        dtype: of all numbers of the nets.
    """

    def __init__(self, env: gym.Env[Any, Any], config: Any, seed: int, dtype: type = np.float32) -> None:
        self.config = config
        self.place = place = Place(env, config.envs, _PIECE, seed)
        self.net, self.target = (
            new_net((place.width, *config.hidden, place.actions), ACTIVATIONS[config.activation], dtype)
            for _ in range(2)
        )
        self.memory = new_memory(max(1, config.capacity // config.envs), place.obs)
        self.stream = agent_stream(seed)
        self.count = 0  # learning steps
        self._learned = False  # since the run is here
        self._epsilon_now = 0.0
        self._lr, self._epsilon = rate(config.lr, "lr", config), rate(config.epsilon, "epsilon", config, 1.0)
        first = first_weights(self.net, _NAME, 1.0, weight_generator(seed))
        put(self.net, _NAME, self.net.weights, first)
        put(self.target, _NAME, self.target.weights, first)
        steps = min(config.gradient_steps, max(1, _DRAWS // config.batch))
        found: Numbers = np.zeros((2, config.batch), dtype)
        self._batch = Batch(np.zeros((steps, config.batch)), found[0], found[1], np.zeros(PARTS))
        self._update = Update(place.actions, config.double, config.n_step, config.gamma, config.max_grad_norm)
        self._rhythm = Rhythm(
            config.warmup, config.train_every, config.gradient_steps, config.target_every, config.tau,
            self._epsilon.packed(), self._lr.packed(),
        )  # fmt: skip
        self._outcome = new_outcome(place.obs)
        self._space, self._rng = env.action_space, np.random.default_rng(np.random.SeedSequence(seed).spawn(4)[3])

    def advance(self, step: int, until: int, team: Team) -> tuple[int, dict[str, float]]:
        """Go on from a step at least until another; return where that led, and what to report."""
        envs, place = self.config.envs, self.place
        before = self.count
        while step < until:
            end = step + envs * min(_PIECE, -(-(until - step) // envs))
            self._go_on(step, end, team)
            place.count((end - step) // envs)
            step = end
        self._learned |= self.count > before
        self._epsilon_now = self._epsilon(step - envs + 1)
        found = {"epsilon": self._epsilon_now, "lr": self._lr(step)}
        if self._learned:
            found |= {"loss": float(self._batch.loss.mean()), "td_error": float(self._batch.error.mean())}
        return step, episodes(place.finished()) | checked(found, step)

    def act(self, obs: Any, *, explore: bool) -> Any:
        """Return the greedy action for an observation or a batch of them, or with `explore` sometimes a random one.

        Raises:
            ValueError: the observation is none of the space.
        """
        senses, actions = self.place.senses, self.place.actions
        packed = senses.check(senses.pack(obs))
        taken = np.zeros(len(packed), np.int64)
        decide(self.net, actions, packed[None], 0, taken)
        if explore:
            draws = self._rng.random(len(packed)).tolist()
            taken[:] = [stray(u, self._epsilon_now, actions, a) for u, a in zip(draws, taken.tolist(), strict=True)]
        taken += int(self._space.start)  # type: ignore[attr-defined]  # Discrete has it
        return taken if senses.is_batch(obs) else taken[0]

    def state_dict(self) -> dict[str, Any]:
        """Return what the run needs to go on, under the names that torch's engine has for it."""
        return {
            "net": self._weights(self.net),
            "target": self._weights(self.target),
            "optimizer": vectors(self.net) | {"count": self.count},
            "generator": to_generator(self.stream[0]).bit_generator.state,
            "experience": {"worlds": self.place.state_dict(), "replay": memory_state(self.memory), "memory": None},
            "priorities": None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, of other worlds, or of a replay of another size.
        """
        put(self.net, _NAME, self.net.weights, state["net"])
        put(self.target, _NAME, self.target.weights, state["target"])
        restore_vectors(state["optimizer"], self.net)
        restore_memory(self.memory, state["experience"]["replay"])
        self.place.load_state_dict(state["experience"]["worlds"])
        self.count, self._learned = int(state["optimizer"]["count"]), False
        words = state["generator"]["state"]
        halves = (words[name] >> shift & 2**64 - 1 for name in ("state", "inc") for shift in (64, 0))
        self.stream[0] = tuple(halves)

    def _go_on(self, step: int, until: int, team: Team) -> None:
        place = self.place
        place.tally.ended[0] = 0
        stage = Stage(place.world, place.obs, self._outcome, place.tally, self.stream)
        learner = self.memory, self.net, self.target, self._batch, self._update, self._rhythm
        progress, count = np.zeros(team.members * APART, np.int64), self.count
        counts = team.do(lambda me: loop(Crew(me, team.members, progress), stage, *learner, step, until, count))
        self.count = counts[0]

    def _weights(self, net: Net) -> Arrays:
        return named(net, _NAME, net.weights)


def refusal(env: gym.Env[Any, Any]) -> str:
    """Return why Q-learning cannot choose among an environment's actions; "" if it can."""
    space = getattr(env, "action_space", None)
    return "" if isinstance(space, gym.spaces.Discrete) else f"actions are {space}"


def build(env: gym.Env[Any, Any], config: Any, seed: int, dtype: type = np.float32) -> Compiled:
    """Build the agent, of one run or of several, whose seeds count from `seed`."""
    runs = [DQN(env, config, seed + i, dtype) for i in range(config.seeds)]
    work = runs[0].net.weights.size * config.batch
    return Compiled(config, runs, 2 if work >= _ENOUGH else 1)
