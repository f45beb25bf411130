"""What a language model must offer to be a policy: hidden states of tokens, logits of hidden states, and a cache to write with."""

from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor, device, dtype
from torch.nn import Parameter

from rlkit.policies.prefix import Layout


class Cache(Protocol):
    """What B rows that are being written remember of their tokens."""

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only, in this order; rows: long [K]."""
        ...


class LanguageModel(Protocol):
    """A causal language model with V tokens and hidden states of width H, without dropout."""

    @property
    def context(self) -> int:
        """The most tokens that a row may have."""
        ...

    @property
    def vocabulary(self) -> int:
        """V."""
        ...

    @property
    def place(self) -> tuple[device, dtype]:
        """Where its weights are, and their type."""
        ...

    def hidden(self, ids: Tensor, positions: Tensor | None = None, allowed: Tensor | None = None) -> Tensor:
        """Return what it makes of ids [B, T], [B, T, H].

        Args:
            ids: tokens.
            positions: [B, T]; None: 0, 1, 2, ...
            allowed: bool [B, T, T], which tokens (last axis) each token attends to; None: itself and those before it.
        """
        ...

    def packed(self, layout: Layout) -> Tensor:
        """Return what it makes of the tokens of rows that share prefixes, [N, H]."""
        ...

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits of the next token, [..., V], of hidden states [..., H]."""
        ...

    @property
    def unembedding(self) -> Tensor | None:
        """The matrix [V, H] that is all that `logits` multiplies with; None where it does more, or other things."""
        ...

    def read(self, ids: Tensor, lengths: Tensor, samples: int, room: int) -> tuple[Tensor, Cache]:
        """Read P prompts, and prepare to write `samples` rows of each, in order.

        Args:
            ids: long [P, T], padded on the right.
            lengths: long [P], of the prompts.
            samples: rows of each prompt.
            room: tokens that a row may get.

        Returns:
            The hidden state of each prompt's last token [P, H], and the cache of P * samples rows.
        """
        ...

    def step(self, tokens: Tensor, positions: Tensor, cache: Any) -> Tensor:
        """Write one more token [B] at its position [B] in each row of its own cache; return the hidden states [B, H]."""
        ...

    def parameters(self) -> Iterator[Parameter]:
        """Return its weights."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return its weights by name."""
        ...
