"""Attention of tokens laid out by `rlkit.policies.prefix`: prefixes among themselves, and each rest to the prefix of its row and to itself.

Σ R (P + R) products in place of the (P + Σ R)² of one mask over a prefix and all of its rests; `rlkit.policies.prefix.dense` is the slow twin.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from rlkit.policies.prefix import Layout


class PrefixAttention:
    """What tokens of one layout attend to, the same in all layers.

    Args:
        layout: U prefixes of at most P tokens and B rests of at most R, N tokens in a flat list.
        dtype: of the model.
    """

    def __init__(self, layout: Layout, dtype: torch.dtype) -> None:
        self._prefixes, self._rests, self._owner = layout.prefixes, layout.rests, layout.owner
        slots = torch.cat([layout.prefixes.flatten(), layout.rests.flatten()])
        self._ragged = len(slots) > len(layout.ids)
        self._slots = slots.clamp(min=0)
        self._inverse = torch.empty_like(layout.ids)
        self._inverse[slots[slots >= 0]] = (slots >= 0).nonzero()[:, 0]
        size = layout.rests.shape[1]
        later = torch.ones(size, size, dtype=torch.bool, device=slots.device).triu(1)
        absent = (layout.prefixes < 0)[layout.owner] if self._ragged else (layout.prefixes < 0)[:1]
        parts = absent[:, None].expand(-1, size, -1), later.expand(len(absent), -1, -1)
        hidden = torch.cat(parts, 2)[:, None]  # [B, 1, R, P + R], or [1, ...] where all are alike
        self._mask = torch.zeros(hidden.shape, dtype=dtype, device=slots.device).masked_fill_(hidden, -torch.inf)

    def __call__(self, _: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return what q [N, heads, D] finds in k and v [N, kv_heads, D], [N, heads * D]."""
        (units, longest), (rows, size) = self._prefixes.shape, self._rests.shape
        both = [self._spread(x) for x in (q, k, v)]
        asked, known, worth = (x[: units * longest].view(units, longest, *x.shape[1:]).transpose(1, 2) for x in both)
        within = scaled_dot_product_attention(asked, known, worth, is_causal=True, enable_gqa=True)
        found = [within.transpose(1, 2).flatten(2)]
        if size:
            query, *rest = (x[units * longest :].view(rows, size, *x.shape[1:]).transpose(1, 2) for x in both)
            keys, values = (
                torch.cat([x.index_select(0, self._owner), y], 2) for x, y in zip((known, worth), rest, strict=True)
            )
            spoken = scaled_dot_product_attention(query, keys, values, self._mask, enable_gqa=True)
            found.append(spoken.transpose(1, 2).flatten(2))
        flat = torch.cat([x.flatten(0, 1) for x in found])
        return flat.index_select(0, self._inverse) if self._ragged else flat

    def _spread(self, x: Tensor) -> Tensor:
        """Tokens in their slots; padding repeats a token, which nobody attends to and whose finds are dropped."""
        return _Rearranged.apply(x, self._slots, self._inverse) if self._ragged else x  # type: ignore[no-untyped-call]  # torch's


class _Rearranged(torch.autograd.Function):
    """x[index], where back[i] is the one place of x[i] in it that has a gradient: a gather both ways, and no scatter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (back,) = ctx.saved_tensors
        return gradient.index_select(0, back), None, None
