"""Replay: the last transitions of N worlds in a ring, given back as n-step transitions or as sequences.

An observation is stored once: the successor of a step is what the next row holds, and only where an episode ended a true
successor of its own. Images stay uint8.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Indices = NDArray[np.int64]


class Transitions(NamedTuple):
    """B rows of T steps; T is 1 but for sequences."""

    obs: Tensor  # [B, T, *shape]
    actions: Tensor  # [B, T, ...]
    rewards: Tensor  # [B, T]  Σ_j γ^j r_{t+j+1} over k steps
    discounts: Tensor  # [B, T]  γ^k (1 - terminated)
    next_obs: Tensor  # [B, T, *shape]  s_{t+k}, the true successor
    allowed: Tensor | None  # bool [B, T, A]  of s_t; None: the worlds give no masks
    next_allowed: Tensor | None  # bool [B, T, A]  of s_{t+k}; all where an episode was cut
    ends: Tensor  # bool [B, T]  the episode is over after step t
    mask: Tensor  # bool [B, T]

    def single(self) -> "Transitions":
        """Return rows of one step without the axis of time: [B, ...] for [B, 1, ...]."""
        return self._replace(**{name: field[:, 0] for name, field in self._asdict().items() if field is not None})


class Replay:
    """The last `rows` steps of each of N worlds.

    Args:
        rows: how many.
        obs: [N, *shape], what is acted on first.
        action: one action, for its shape and type.
        allowed: bool [N, A] that comes with obs, or None where the worlds give none.
        gamma: the discount.
        n_step: n; a chain of rewards is shorter where an episode ends or is cut, and at the newest step.
    """

    def __init__(
        self, rows: int, obs: Array, action: Array, allowed: NDArray[np.bool_] | None, gamma: float, n_step: int = 1
    ) -> None:
        self.rows, self.count, self.gamma, self.n_step = rows, len(obs), gamma, n_step
        self.filled = 0  # steps that are held
        self.head = 0  # the row of the newest observation, whose step is still to come
        ring = (rows + 1, self.count)
        self._obs = np.zeros((*ring, *obs.shape[1:]), obs.dtype)
        self._actions = np.zeros((*ring, *action.shape), action.dtype)
        self._rewards = np.zeros(ring, np.float32)
        self._terminated, self._truncated = np.zeros((2, *ring), np.bool_)
        self._allowed = None if allowed is None else np.zeros((*ring, allowed.shape[1]), np.bool_)
        self._final_at = np.full(ring, -1, np.int64)  # the number of the true successor, where it is not the next row
        self._finals = np.zeros((4, *obs.shape[1:]), obs.dtype)  # number k stands at k % len
        self._ended = self._freed = 0  # numbers given so far, and how many of them are of forgotten steps
        self._see(obs, allowed)

    def __len__(self) -> int:
        """How many transitions are held."""
        return self.filled * self.count

    def add(
        self,
        actions: Array,
        rewards: Array,
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        next_obs: Array,
        obs: Array,
        allowed: NDArray[np.bool_] | None,
    ) -> None:
        """Remember a step of all worlds; `next_obs` are the true successors, `obs` and `allowed` what is acted on next."""
        row, following = self.head, (self.head + 1) % (self.rows + 1)
        if self.filled == self.rows:
            self._freed += int((self._final_at[following] >= 0).sum())
        self._actions[row], self._rewards[row] = actions, rewards
        self._terminated[row], self._truncated[row] = terminated, truncated
        self._final_at[row] = -1
        over = terminated | truncated
        if over.any():
            for i in np.flatnonzero(over):
                self._final_at[row, i] = self._keep_final(next_obs[i])
        self.head = following
        self.filled = min(self.filled + 1, self.rows)
        self._see(obs, allowed)

    def row_of(self, ages: Indices) -> Indices:
        """Return the rows in the ring of steps by age, 0 the oldest."""
        return (self.head - self.filled + ages) % (self.rows + 1)

    def gather(self, rows: Indices, worlds: Indices, device: torch.device, steps: int = 1) -> Transitions:
        """Return transitions [B, steps].

        Args:
            rows: of the first steps in the ring, [B].
            worlds: in which, [B].
            device: where to.
            steps: T; each row's T - 1 next steps must be held too.
        """
        at, i = (rows[:, None] + np.arange(steps)) % (self.rows + 1), worlds[:, None]
        rewards, discounts, last = self._chain(at, i)
        after = (last + 1) % (self.rows + 1)
        next_obs = self._obs[after, i]
        final = self._final_at[last, i]
        own = final >= 0
        next_obs[own] = self._finals[final[own] % len(self._finals)]
        allowed = next_allowed = None
        if self._allowed is not None:
            allowed = torch.from_numpy(self._allowed[at, i]).to(device)
            next_allowed = torch.from_numpy(self._allowed[after, i] | own[..., None]).to(device)
        ends = self._terminated[at, i] | self._truncated[at, i]
        return Transitions(
            obs=torch.from_numpy(self._obs[at, i]).to(device),
            actions=torch.from_numpy(self._actions[at, i]).to(device),
            rewards=torch.from_numpy(rewards.astype(np.float32)).to(device),
            discounts=torch.from_numpy(discounts.astype(np.float32)).to(device),
            next_obs=torch.from_numpy(next_obs).to(device),
            allowed=allowed,
            next_allowed=next_allowed,
            ends=torch.from_numpy(ends).to(device),
            mask=torch.ones(at.shape, dtype=torch.bool, device=device),
        )

    def state_dict(self) -> dict[str, Any]:
        """Return all that is held, oldest first."""
        rows = self.row_of(np.arange(self.filled + 1))
        finals = self._finals[np.arange(self._freed, self._ended) % len(self._finals)]
        seen = {name: array[rows] for name, array in self._seen().items()}
        done = {name: array[rows[:-1]] for name, array in self._done().items()}
        return {**seen, **done, "finals": finals, "ended": self._ended, "rows": self.rows, "head": self.head}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of a memory of another size or other worlds.
        """
        if int(state["rows"]) != self.rows:
            raise ValueError(f"the state remembers up to {state['rows']} steps of each world; this agent {self.rows}")
        found = np.shape(state["obs"])
        if found[1:] != self._obs.shape[1:]:
            raise ValueError(
                f"the state remembers observations {list(found[1:])}; here they are {list(self._obs.shape[1:])}"
            )
        self.filled, self.head = found[0] - 1, int(state["head"])
        rows = self.row_of(np.arange(self.filled + 1))
        for name, array in self._seen().items():
            array[rows] = state[name]
        for name, array in self._done().items():
            array[rows[:-1]] = state[name]
        finals, self._ended = np.asarray(state["finals"]), int(state["ended"])
        self._freed = self._ended - len(finals)
        self._finals = np.zeros((max(4, len(finals)), *self._finals.shape[1:]), self._finals.dtype)
        self._finals[np.arange(self._freed, self._ended) % len(self._finals)] = finals

    def _seen(self) -> dict[str, Array]:
        return {"obs": self._obs} if self._allowed is None else {"obs": self._obs, "allowed": self._allowed}

    def _done(self) -> dict[str, Array]:
        return {
            "actions": self._actions,
            "rewards": self._rewards,
            "terminated": self._terminated,
            "truncated": self._truncated,
            "final_at": self._final_at,
        }

    def _see(self, obs: Array, allowed: NDArray[np.bool_] | None) -> None:
        self._obs[self.head] = obs
        if self._allowed is not None:
            self._allowed[self.head] = allowed

    def _chain(self, at: Indices, i: Indices) -> tuple[Array, Array, Indices]:
        """Rewards summed over up to n steps, γ^k (1 - terminated), and the row of the k-th step, all [B, T]."""
        rewards, discounts = np.zeros(at.shape), np.ones(at.shape)
        last, going = at, np.ones(at.shape, np.bool_)
        for j in range(self.n_step):
            here = (at + j) % (self.rows + 1)
            last = np.where(going, here, last)
            rewards += np.where(going, discounts * self._rewards[here, i], 0.0)
            discounts *= np.where(going, self.gamma, 1.0)
            over = self._terminated[here, i] | self._truncated[here, i]
            going = going & ~over & ((here + 1) % (self.rows + 1) != self.head)
        return rewards, discounts * ~self._terminated[last, i], last

    def _keep_final(self, obs: Array) -> int:
        """Store a true successor, and return its number; those of overwritten steps make room, oldest first."""
        number, length = self._ended, len(self._finals)
        if number - self._freed == length:
            larger = np.zeros((2 * length, *self._finals.shape[1:]), self._finals.dtype)
            numbers = np.arange(self._freed, number)
            larger[numbers % (2 * length)] = self._finals[numbers % length]
            self._finals = larger
        self._finals[number % len(self._finals)] = obs
        self._ended += 1
        return number
