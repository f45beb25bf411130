"""What language models have written: rows of tokens with who chose them, and the trajectories that rows make."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rlkit.data import Trajectories


@dataclass
class Row:
    """One episode of tokens, prompt first; the lists beside `ids` are as long, and say of each token how it came there."""

    prompt: str
    gold: str | None
    ids: list[int]
    chosen: list[bool] = field(default_factory=list)  # by the policy
    logprobs: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    allowed: list[Tensor] = field(default_factory=list)  # [V] of each chosen token, where not all could be drawn
    completion: str = ""  # all that follows the prompt
    terminated: bool = False
    truncated: bool = False
    scored: bool = True  # False where the task could not say what it is worth: then the row teaches nothing

    def __post_init__(self) -> None:
        size = len(self.ids)
        self.chosen, self.logprobs, self.rewards = [False] * size, [0.0] * size, [0.0] * size

    def add(self, ids: Sequence[int], logprobs: Sequence[float] | None, rewards: Sequence[float] | None) -> None:
        """Append tokens: those that the policy chose with both lists, those of the other side with None."""
        self.ids += ids
        self.chosen += [logprobs is not None] * len(ids)
        self.logprobs += logprobs if logprobs is not None else [0.0] * len(ids)
        self.rewards += rewards if rewards is not None else [0.0] * len(ids)

    @property
    def score(self) -> float:
        """Σ r."""
        return sum(self.rewards)

    @property
    def length(self) -> int:
        """How many tokens the policy chose."""
        return sum(self.chosen)


def pack(groups: Sequence[Sequence[Row]], first: int, vocabulary: int, device: torch.device) -> Trajectories:
    """Return rows as trajectories: obs[b, t] is token t of row b, actions[b, t] = next_obs[b, t] token t + 1, padded on the right.

    A row that was not scored has no step that counts, and a group of its own, -1 - b: it is in nobody's baseline, its advantage is 0.

    Args:
        groups: rows by their prompts.
        first: number of the first group.
        vocabulary: V.
        device: of the tensors.
    """
    rows = [row for group in groups for row in group]
    size = max(len(row.ids) for row in rows) - 1
    tokens = torch.zeros(len(rows), size + 1, dtype=torch.long)
    mask, terminated, truncated = (torch.zeros(len(rows), size, dtype=torch.bool) for _ in range(3))
    logprobs, rewards = (torch.zeros(len(rows), size) for _ in range(2))
    allowed = None
    if any(row.allowed for row in rows):
        allowed = torch.ones(len(rows), size, vocabulary, dtype=torch.bool)
    for b, row in enumerate(rows):
        last = len(row.ids) - 1
        tokens[b, : last + 1] = torch.tensor(row.ids)
        mask[b, :last] = torch.tensor(row.chosen[1:]) & row.scored
        logprobs[b, :last], rewards[b, :last] = torch.tensor(row.logprobs[1:]), torch.tensor(row.rewards[1:])
        terminated[b, last - 1], truncated[b, last - 1] = row.terminated, row.truncated
        if allowed is not None:
            allowed[b, :last][torch.tensor(row.chosen[1:])] = torch.stack(row.allowed)
    group = [first + g for g, some in enumerate(groups) for _ in some]
    found = Trajectories(
        obs=tokens[:, :-1],
        next_obs=tokens[:, 1:],
        actions=tokens[:, 1:],
        logprobs=logprobs,
        rewards=rewards,
        terminated=terminated,
        truncated=truncated,
        mask=mask,
        group=torch.tensor([g if row.scored else -1 - b for b, (g, row) in enumerate(zip(group, rows, strict=True))]),
        allowed=allowed,
    )
    return found.to(device)
