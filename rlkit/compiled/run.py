"""A run of compiled actor-critics: a place, an actor, a critic, and random numbers; playing and learning are a few calls of kernels."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.compiled.adam import EPSILON
from rlkit.compiled.gae import gae, whiten
from rlkit.compiled.learn import Step, evaluate, learn, review
from rlkit.compiled.losses import Weights
from rlkit.compiled.mlp import Numbers, new_net
from rlkit.compiled.order import argsort
from rlkit.compiled.places import Place
from rlkit.compiled.segment import new_segment
from rlkit.compiled.state import Arrays, first_weights, named, put, restore_vectors, vectors
from rlkit.sample.streams import agent_generator, weight_generator
from rlkit.team import APART, Team


class Shape(NamedTuple):
    """How an update is laid out."""

    steps: int  # T
    batch: int
    epochs: int
    gamma: float
    lam: float
    max_norm: float


class Run:
    """One run.

    Args:
        place: where.
        hidden: widths of the nets' layers.
        activation: of `rlkit.compiled.mlp`.
        log_std: of continuous actions, at the start.
        shape: of an update.
        seed: of everything random.
        dtype: np.float32, or np.float64 to compare with.
    """

    def __init__(
        self,
        place: Place,
        hidden: tuple[int, ...],
        activation: int,
        log_std: float,
        shape: Shape,
        seed: int,
        dtype: type,
    ) -> None:
        self.place, self.shape, self.rng = place, shape, agent_generator(seed)
        worlds = len(place.obs)
        self.segment = new_segment(worlds, shape.steps, place.width, place.actions, dtype)
        self.actor = new_net((place.width, *hidden, place.actions), activation, dtype, place.actions * place.normal)
        self.critic = new_net((place.width, *hidden, 1), activation, dtype)
        rng, begin = weight_generator(seed), {"log_std": np.full(place.actions, log_std, np.float32)}
        for name, net, last_gain in (("actor", self.actor, 0.01), ("critic", self.critic, 1.0)):
            begin |= first_weights(net, name, last_gain, rng)
        self.load_weights(begin)
        self.updates = 0  # of the optimizer
        rows = worlds * shape.steps
        self._rows, self._orders = np.arange(rows), np.zeros((shape.epochs, rows), np.int64)
        self._drawers, self._least = np.zeros(rows + 1, np.int64), float(np.finfo(dtype).eps)
        self._norms = np.zeros((2, 2))
        reviewed: Numbers = np.zeros((3, rows), dtype)
        self._new, self._entropy, self._values = reviewed[0], reviewed[1], reviewed[2]

    def play(self) -> None:
        """Play a segment, and work out advantages and the critic's targets."""
        segment, critic, size = self.segment, self.critic, (self.shape.steps, self.segment.worlds)
        draws = (
            self.rng.standard_normal((*size, self.place.actions)) if self.place.normal else self.rng.random((*size, 1))
        )
        self.place.play(self.actor, draws, segment)
        evaluate(critic, segment.obs, len(self._rows), self._rows, segment.values)
        evaluate(critic, segment.cut_obs, int(self.place.tally.cuts[0]), self._rows, segment.cut_values)
        gae(segment, self.shape.gamma, self.shape.lam)

    def whiten(self) -> None:
        """Give the segment's advantages mean 0 and deviation 1."""
        whiten(self.segment, self._least)

    def learn(self, team: Team, rate: float, weights: Weights, epochs: int) -> None:
        """Go through the segment.

        Args:
            team: of one thread or two.
            rate: of Adam.
            weights: of the parts of the loss.
            epochs: how often.
        """
        shape, place, orders = self.shape, self.place, self._draw_orders(epochs)
        step = Step(shape.batch, rate, shape.max_norm, self.updates, EPSILON)
        progress = np.zeros(team.members * APART, np.int64)
        nets = self.actor, self.critic, place.actions, place.normal, self.segment
        team.do(lambda me: learn(me, team.members, progress, self._norms, *nets, orders, weights, step))
        self.updates += len(orders) * -(-len(self._rows) // shape.batch)

    def measure(self, weights: Weights) -> dict[str, float]:
        """Say what the nets as they are now make of the last segment."""
        segment = self.segment
        found = self.review()
        ratio = np.exp(self._new - segment.logprobs)
        outside = (ratio < 1.0 - weights.low) | (ratio > 1.0 + weights.high)
        error = 0.5 * np.square(self._values - segment.targets)
        spread = (segment.targets - segment.values).var(ddof=1) / (segment.targets.var(ddof=1) + 1e-8)
        return found | {
            "clipped": float(outside.mean()),
            "value_loss": float(error.mean()),
            "explained": 1.0 - float(spread),
        }

    def state_dict(self) -> dict[str, Any]:
        """Return what a run needs to go on, under the names that torch's engine has for it."""
        return {
            "policy": self._log_std()
            | named(self.actor, "actor", self.actor.weights)
            | named(self.critic, "critic", self.critic.weights),
            "optimizer": vectors(self.actor, self.critic) | {"count": self.updates},
            "generator": self.rng.bit_generator.state,
            "segments": {"worlds": self.place.state_dict(), "memory": None},
            "normaliser": {"seen": None, "scale": None},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of other nets, or of other worlds.
        """
        self.load_weights(state["policy"])
        restore_vectors(state["optimizer"], self.actor, self.critic)
        self.updates = int(state["optimizer"]["count"])
        self.place.load_state_dict(state["segments"]["worlds"])
        self.rng.bit_generator.state = state["generator"]

    def load_weights(self, state: Mapping[str, Any]) -> None:
        """Take over the weights of both nets.

        Raises:
            ValueError: naming what does not fit.
        """
        put(self.actor, "actor", self.actor.weights, state)
        put(self.critic, "critic", self.critic.weights, state)
        if self.place.normal:
            self.actor.weights[-self.place.actions :] = state["log_std"]

    def _draw_orders(self, epochs: int) -> NDArray[np.int64]:
        orders = self._orders[:epochs]
        if self.shape.batch >= len(self._rows):
            orders[:] = self._rows
        else:
            for u, order in zip(self.rng.random(orders.shape), orders, strict=True):
                argsort(u, order, self._drawers)
        return orders

    def review(self) -> dict[str, float]:
        """Return the policy's entropy, and how far it is from the one that acted."""
        place, segment = self.place, self.segment
        review(self.actor, place.actions, place.normal, segment, self._rows, self._new, self._entropy)
        evaluate(self.critic, segment.obs, len(self._rows), self._rows, self._values)
        d = segment.logprobs - self._new
        # k3 as PPO's torch engine asks it: of the policy that acted, with the new one as the reference
        return {"entropy": float(self._entropy.mean()), "kl": float((np.expm1(-d) + d).mean())}

    def _log_std(self) -> Arrays:
        return {"log_std": self.actor.weights[-self.place.actions :].copy()} if self.place.normal else {}
