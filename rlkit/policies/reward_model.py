"""A reward model: a language model whose head is one number, read after an answer's last token; arXiv:2203.02155 section 3.5."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear, Parameter
from torch.nn.functional import pad

from rlkit.data import Trajectories
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.prefix import layout, share


class RewardModel:
    """r(x, y) = w · h + b, h what the model makes of the prompt x and the answer y at the token that ends it.

    Args:
        model: gives hidden states; it learns too.
        rng: draws w, of deviation 1 / √(width + 1).
    """

    def __init__(self, model: LanguageModel, rng: np.random.Generator) -> None:
        self.model = model
        device, dtype = model.place
        with torch.no_grad():
            width = model.hidden(torch.zeros(1, 1, dtype=torch.long, device=device)).shape[-1]
        self.head = Linear(width, 1, dtype=dtype, device=device)
        self.head.weight.data.copy_(torch.from_numpy(rng.standard_normal((1, width)) / np.sqrt(width + 1)))
        self.head.bias.data.zero_()

    @property
    def place(self) -> torch.device:
        """Where its weights are."""
        return self.model.place[0]

    def say(self, traj: Trajectories) -> Tensor:
        """Return r of each row at its last chosen token, found by its place, 0 elsewhere, [B, T]; rows of a group share their prompt."""
        ids = torch.cat([traj.obs[:, :1], traj.actions], 1)
        read = pad(traj.mask, (0, 1)) | pad(traj.mask, (1, 0))  # the last token of an answer is read too
        steps = torch.arange(read.shape[1], device=read.device)
        blank = torch.zeros(read.shape, device=read.device)
        never = torch.zeros_like(read)
        whole = Trajectories(ids, ids, ids, blank, blank, never, never, read, traj.group)
        part = layout(whole, share(whole))
        last = (read * steps).amax(1)
        ends = part.time == last[part.row]
        hidden = self.model.packed(part)[part.wanted[ends]]
        rewards: Tensor = self.head(hidden)[:, 0]
        rewards = rewards.to(torch.promote_types(rewards.dtype, torch.float32))
        return rewards.new_zeros(traj.mask.shape).index_put((part.row[ends], last[part.row[ends]] - 1), rewards)

    def parameters(self) -> Iterator[Parameter]:
        """Return all weights."""
        return chain(self.model.parameters(), self.head.parameters())
