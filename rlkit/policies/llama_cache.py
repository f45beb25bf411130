"""Keys and values of rows that a Llama writes: memory for all that may come is taken at once, and rows leave when they are finished."""

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


class KeyValues:
    """A static cache.

    Args:
        layers: of the model.
        rows: B.
        heads: of keys and values.
        length: tokens that a row may have.
        width: D, of a head.
        device: of the model.
        dtype: of the model.
    """

    def __init__(
        self, layers: int, rows: int, heads: int, length: int, width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        shape = (layers, rows, heads, length, width)
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)
        self._rows = torch.arange(rows, device=device)
        self._positions = torch.zeros(rows, dtype=torch.long, device=device)
        self._seen = torch.zeros(rows, 1, 1, length, dtype=torch.bool, device=device)

    def fill(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Remember the keys and values [B, T, heads, D] of all rows' first tokens."""
        self.keys[layer, :, :, : keys.shape[1]] = keys.transpose(1, 2)
        self.values[layer, :, :, : keys.shape[1]] = values.transpose(1, 2)

    def spread(self, samples: int, room: int) -> "KeyValues":
        """Return a cache in which each row stands `samples` times, with room for more tokens."""
        layers, rows, heads, length, width = self.keys.shape
        found = KeyValues(layers, rows * samples, heads, length + room, width, self.keys.device, self.keys.dtype)
        for own, new in ((self.keys, found.keys), (self.values, found.values)):
            new.view(layers, rows, samples, heads, length + room, width)[..., :length, :] = own[:, :, None]
        return found

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only."""
        self.keys, self.values = self.keys[:, rows], self.values[:, rows]
        self._rows = torch.arange(len(rows), device=rows.device)

    def move(self, positions: Tensor) -> None:
        """Say where the next tokens stand, [B]."""
        self._positions = positions
        columns = torch.arange(self.keys.shape[3], device=positions.device)
        self._seen = (columns <= positions[:, None])[:, None, None]

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Remember k and v [B, heads, D] of the next tokens; return what q [B, queries, D] finds, [B, queries * D]."""
        keys, values = self.keys[layer], self.values[layer]
        keys[self._rows, :, self._positions] = k
        values[self._rows, :, self._positions] = v
        groups = q.view(len(q), k.shape[1], -1, q.shape[2])  # the queries that share a head of keys are as rows of one
        return scaled_dot_product_attention(groups, keys, values, self._seen).flatten(1)
