"""Experience: off-policy agents play a step in each world, remember it, and learn from what they remember.

What all of them have in common, and nothing of what makes one: the worlds, the replay, when a learning step is due.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlkit import dist
from rlkit.pg.reduce import count, shares
from rlkit.policies.protocol import Actor
from rlkit.sample.config import OffPolicy, check
from rlkit.sample.draws import draw
from rlkit.sample.memories import share, whole
from rlkit.sample.normalise import Standard
from rlkit.sample.replay import Replay, Transitions
from rlkit.sample.worlds import Worlds

_BYTES = 2**25  # that are gathered at a time


@dataclass(frozen=True)
class Critical(OffPolicy):
    """Fields of actor-critics that learn from a replay; a base for configurations, not one itself."""

    batch: int = 256  # transitions in a learning step
    tau: float = 0.005  # how far target nets move after each learning step


def check_critical(config: Critical, **at_least: float) -> None:
    """Refuse what no such agent can run with; see `check`.

    Raises:
        ValueError: naming the field and its value.
    """
    whole = ("capacity", "batch", "train_every", "gradient_steps", "n_step")
    check(config, warmup=0, **dict.fromkeys(whole, 1), **at_least)
    if not 0.0 < config.tau <= 1.0:
        raise ValueError(f"tau is {config.tau}; it must lie in (0, 1]")


class Wanderer(Actor, Protocol):
    """A policy that can also act at random."""

    def wander(self, draws: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return actions spread evenly over those that may be taken, by draws of its head's kind."""
        ...


class Drawn(NamedTuple):
    """Several batches, one after the other."""

    rows: Transitions
    own: NDArray[np.bool_]  # [batches, batch]  which of all that was drawn this process has: its rows, in this order

    def draws(self, rng: np.random.Generator, size: int) -> Tensor:
        """Return standard normal numbers for every row, [rows, size]; each process draws for all."""
        return torch.from_numpy(rng.standard_normal((*self.own.shape, size))[self.own]).to(self.rows.rewards)

    def shares(self) -> Tensor:
        """Return the weight of each row in the mean over its batch, of all processes, [rows]."""
        mask = self.rows.mask
        return shares(mask, "token", dist.mean(count(mask, "token") / len(self.own)))[:, 0]

    def parts(self, *more: Tensor) -> Iterator[tuple[Transitions, tuple[Tensor, ...]]]:
        """Yield batch after batch, with its part of other tensors that have as many rows."""
        sizes = self.own.sum(axis=1).tolist()
        kept = {name: torch.split(field, sizes) for name, field in self.rows._asdict().items() if field is not None}
        others = zip(*(torch.split(one, sizes) for one in more), strict=True)
        for i, other in enumerate(others):
            yield self.rows._replace(**{name: fields[i] for name, fields in kept.items()}), other


class Experience:
    """Plays and remembers.

    Args:
        worlds: N of them.
        policy: that acts.
        device: of the policy.
        config: says how much is remembered, and when a learning step is due.
        nets: all of the agent's, which may standardise observations.
    """

    def __init__(
        self,
        worlds: Worlds,
        policy: Wanderer,
        device: torch.device,
        config: OffPolicy,
        nets: Sequence[nn.Module] = (),
    ) -> None:
        self.worlds, self.policy, self.device, self.config = worlds, policy, device, config
        self.standard = Standard(worlds.senses.shape, nets)
        self.memory = None
        with torch.inference_mode():
            action = self._act(torch.zeros(worlds.count, policy.head.draws, dtype=torch.float64))[0]
        self.memory = policy.start(worlds.count)
        rows = max(1, config.capacity // config.envs)
        self.replay = Replay(rows, worlds.obs, action, worlds.allowed, config.gamma, config.n_step)
        self.size = int(worlds.obs[0].nbytes) * 2 + 64  # bytes of a transition

    def play(self, rng: np.random.Generator, step: int) -> int:
        """Take a step in each world, the agent's `step` so far, and return how many learning steps are due after it.

        Raises:
            ValueError: the worlds give what is no finite number.
        """
        worlds, config = self.worlds, self.config
        self.standard.see(worlds.obs)
        draws = draw(rng, self.policy.head, worlds.count).to(self.device)
        with torch.inference_mode():
            actions = self._act(draws, at_random=step < config.warmup)
        found = worlds.step(actions)
        self.replay.add(
            actions, found.rewards, found.terminated, found.truncated, found.next_obs, worlds.obs, worlds.allowed
        )
        if self.memory is not None:
            going = torch.from_numpy(~(found.terminated | found.truncated)).to(self.device)
            self.memory = self.memory * going[:, None]
        after = step + config.envs
        times = after // config.train_every - step // config.train_every
        return times * config.gradient_steps if after >= config.warmup else 0

    def batches(self, rng: np.random.Generator, count: int, length: int = 1) -> Iterator[Drawn]:
        """Draw `count` batches evenly from what is remembered, rows of `length` steps; several at a time where they are small.

        Of several processes each gets what its own worlds gave, together `batch` rows.
        """
        config, everybody = self.config, self.config.envs
        most = max(1, _BYTES // (config.batch * length * self.size))
        starts = self.replay.filled - length + 1
        while count > 0 and starts > 0:
            now = min(most, count)
            which = (rng.random((now, config.batch)) * (starts * everybody)).astype(np.int64)
            ages, worlds = np.divmod(which, everybody)
            worlds -= dist.rank() * self.worlds.count
            own = (worlds >= 0) & (worlds < self.worlds.count)
            rows = self.replay.row_of(ages[own])
            yield Drawn(self.replay.gather(rows, worlds[own], self.device, length), own)
            count -= now

    def state_dict(self) -> dict[str, Any]:
        """Return the worlds as they stand, and what is remembered, of all processes; each must ask."""
        memory = None if self.memory is None else dist.joined(self.memory.cpu().numpy())
        found = {"worlds": self.worlds.state_dict(), "replay": whole(self.replay.state_dict()), "memory": memory}
        return found | self.standard.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of other worlds or of a replay of another size.
        """
        self.replay.load_state_dict(share(state["replay"]))
        self.worlds.load_state_dict(state["worlds"])
        self.standard.load_state_dict(state)
        if self.memory is not None:
            self.memory = torch.from_numpy(np.array(dist.own(state["memory"]))).to(self.device)

    def _act(self, draws: Tensor, *, at_random: bool = False) -> Any:
        """The actions [N, ...] for what the worlds show now."""
        allowed = None if self.worlds.allowed is None else torch.from_numpy(self.worlds.allowed).to(self.device)
        if at_random and self.memory is None:
            return self.policy.wander(draws, allowed).cpu().numpy()
        acted = self.policy.act(torch.from_numpy(self.worlds.obs).to(self.device), draws, allowed, self.memory)
        self.memory = acted.memory
        actions = self.policy.wander(draws, allowed) if at_random else acted.actions
        return actions.cpu().numpy()
