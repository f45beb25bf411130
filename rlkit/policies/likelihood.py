"""How likely a language model finds answers that somebody has written: log π(token | tokens before it), at temperature 1."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import cross_entropy

from rlkit.data import Trajectories
from rlkit.policies.chosen import chosen, serves
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.prefix import layout, share


class Likelihood:
    """A language model that says of each token of answers how likely it is; `LanguagePolicy.evaluate` without entropy and transforms.

    Args:
        model: the language model.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model

    @property
    def place(self) -> torch.device:
        """Where its weights are."""
        return self.model.place[0]

    def say(self, traj: Trajectories) -> Tensor:
        """Return log π of each chosen token, [B, T]; 0 elsewhere.

        Rows of a group with the same prompt share it in one forward, and the head sees only what precedes a chosen token.
        """
        part = layout(traj, share(traj))
        hidden, actions = self.model.packed(part)[part.wanted], traj.actions[part.row, part.time]
        matrix = self.model.unembedding
        if matrix is not None and serves(matrix):
            logprobs, _ = chosen(hidden, matrix, actions)
        else:
            logits = self.model.logits(hidden)
            wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
            logprobs = -cross_entropy(wide, actions, reduction="none")
        return logprobs.new_zeros(traj.mask.shape).index_put((part.row, part.time), logprobs)

    def parameters(self) -> Iterator[Parameter]:
        """Return the model's weights."""
        return self.model.parameters()
