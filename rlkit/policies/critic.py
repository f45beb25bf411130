"""A critic of tokens: a language model whose head is one number, V of the prefix that a token is chosen after; arXiv:2203.02155 section 3.5."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from rlkit.data import Trajectories
from rlkit.policies.language_model import LanguageModel


class Critic:
    """V(s) = w · h + b, h what the model makes of the prefix s at its last token; V = 0 everywhere at first.

    Args:
        model: gives hidden states; it learns too, so that it must not be the policy's own.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        device, dtype = model.place
        with torch.no_grad():
            width = model.hidden(torch.zeros(1, 1, dtype=torch.long, device=device)).shape[-1]
        self.weight = Parameter(torch.zeros(width, dtype=dtype, device=device))
        self.bias = Parameter(torch.zeros((), dtype=dtype, device=device))

    def values(self, traj: Trajectories) -> tuple[Tensor, Tensor]:
        """Return V of the prefix before each chosen token, [B, T], 0 elsewhere, and of each row with all its chosen tokens, [B].

        Where a row is as long as the model's context it still has a value: its last token is read as any other.
        """
        size = traj.mask.shape[1]
        hidden = self.model.hidden(
            torch.cat([traj.obs[:, :1], traj.actions], 1)
        )  # what pads a row on the right changes nothing
        wide = torch.promote_types(hidden.dtype, torch.float32)
        values = hidden.to(wide) @ self.weight.to(wide) + self.bias
        last = (traj.mask * torch.arange(1, size + 1, device=traj.mask.device)).amax(1)
        return torch.where(traj.mask, values[:, :-1], 0), values.gather(1, last[:, None])[:, 0]

    def parameters(self) -> Iterator[Parameter]:
        """Return all weights."""
        return chain(self.model.parameters(), (self.weight, self.bias))

    def state_dict(self) -> dict[str, Any]:
        """Return all weights by name."""
        return {**self.model.state_dict(), "value.weight": self.weight.detach(), "value.bias": self.bias.detach()}
