"""Llama, Touvron et al., arXiv:2302.13971, with grouped queries (arXiv:2305.13245): a decoder in plain torch.

x ← x + Attention(RMSNorm x); x ← x + W_down (silu(W_gate n) ∘ W_up n), n = RMSNorm x; rotary positions (arXiv:2104.09864).
The three projections of attention are one matrix, and so are W_gate and W_up. `rlkit.policies.llama_files` reads and writes
the format that transformers knows, in which they are apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, rms_norm, scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

from rlkit.policies.fused import gated, normed, product
from rlkit.policies.llama_cache import KeyValues
from rlkit.policies.prefix import Layout
from rlkit.policies.prefix_attention import PrefixAttention

Attend = Callable[
    [int, Tensor, Tensor, Tensor], Tensor
]  # layer, q [*, heads, D], k and v [*, kv_heads, D] -> [*, heads * D]


@dataclass(frozen=True)
class LlamaConfig:
    """The shape of a Llama.

    Raises:
        ValueError: naming a number that does not go with the others.
    """

    vocabulary: int  # V
    width: int  # H, of hidden states
    layers: int
    heads: int  # of queries
    kv_heads: int  # of keys and values; each serves heads / kv_heads of the queries'
    inner: int  # width between W_up and W_down
    context: int  # the most tokens of a row
    head_width: int = 0  # D; 0: width / heads
    theta: float = 10_000.0  # base of the rotary angles
    epsilon: float = 1e-5  # of RMSNorm
    tied: bool = True  # the embedding is the head too

    def __post_init__(self) -> None:
        for name in ("vocabulary", "width", "layers", "heads", "kv_heads", "inner", "context"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.heads % self.kv_heads:
            raise ValueError(f"heads is {self.heads} and kv_heads {self.kv_heads}; the one must divide the other")
        if not self.head_width and self.width % self.heads:
            raise ValueError(f"width is {self.width} and heads {self.heads}; give head_width, or a multiple")
        if self.each % 2:
            raise ValueError(f"a head is {self.each} wide; rotary positions need an even number")

    @property
    def each(self) -> int:
        """D, the width of a head."""
        return self.head_width or self.width // self.heads


class Llama(nn.Module):
    """A Llama; see `rlkit.policies.language_model.LanguageModel` for what its methods are for.

    Args:
        config: its shape.
        rng: draws the weights, normal with deviation 0.02; None: they are left as they are, to be loaded.
    """

    cos: Tensor
    sin: Tensor
    checkpointing = False  # True: the gradient's pass computes each layer again, remembering none; arXiv:1604.06174

    def __init__(self, config: LlamaConfig, rng: np.random.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        queries, keys = config.heads * config.each, config.kv_heads * config.each
        self.embedding = _weight(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Layer(config.width, queries, keys, config.inner) for _ in range(config.layers))
        self.norm = nn.Parameter(torch.ones(config.width))
        self.head = None if config.tied else _weight(config.vocabulary, config.width)
        for name in ("cos", "sin"):
            self.register_buffer(name, torch.empty(config.context, config.each // 2), persistent=False)
        self.rotate()
        if rng is not None:
            for weight in self.parameters():
                if weight.ndim == 2:
                    drawn = rng.standard_normal(tuple(weight.shape), np.float32)
                    weight.data.copy_(torch.from_numpy(0.02 * drawn))

    @property
    def stack(self) -> "list[Layer]":
        """The layers, from the first to the last."""
        return cast("list[Layer]", list(self.layers))

    def rotate(self) -> None:
        """Compute the table of rotary angles, t θ^{-2i/D} for position t and pair i; in float32, as transformers has it."""
        config = self.config
        rates = 1.0 / config.theta ** (torch.arange(0, config.each, 2, dtype=torch.float32) / config.each)
        angles = torch.arange(config.context, dtype=torch.float32)[:, None] * rates
        for name, table in (("cos", angles.cos()), ("sin", angles.sin())):
            setattr(self, name, table.to(self.norm.device))

    @property
    def context(self) -> int:
        """The most tokens that a row may have."""
        return self.config.context

    @property
    def vocabulary(self) -> int:
        """V."""
        return self.config.vocabulary

    @property
    def place(self) -> tuple[torch.device, torch.dtype]:
        """Where its weights are, and their type."""
        return self.norm.device, self.norm.dtype

    def hidden(self, ids: Tensor, positions: Tensor | None = None, allowed: Tensor | None = None) -> Tensor:
        """Return hidden states [B, T, H] of ids [B, T]; see `LanguageModel.hidden`."""
        if positions is None:
            positions = torch.arange(ids.shape[1], device=ids.device)

        def attend(_: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            q, k, v = (x.transpose(1, 2) for x in (q, k, v))
            mask = None if allowed is None else allowed[:, None]
            found = scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None, enable_gqa=True)
            return found.transpose(1, 2).flatten(2)

        return self._run(ids, positions, attend)

    def packed(self, layout: Layout) -> Tensor:
        """Return hidden states [N, H] of rows that share prefixes."""
        return self._run(layout.ids, layout.positions, PrefixAttention(layout, self.norm.dtype))

    @property
    def unembedding(self) -> Tensor:
        """The matrix [V, H] of the head."""
        return self.embedding if self.head is None else self.head

    def logits(self, hidden: Tensor) -> Tensor:
        """Return logits [..., V] of hidden states [..., H]."""
        return product(hidden, self.unembedding)

    def read(self, ids: Tensor, lengths: Tensor, samples: int, room: int) -> tuple[Tensor, KeyValues]:
        """Read prompts [P, T]; see `LanguageModel.read`."""
        device, dtype = self.place
        config = self.config
        cache = KeyValues(config.layers, len(ids), config.kv_heads, ids.shape[1], config.each, device, dtype)

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            cache.fill(layer, k, v)
            q, k, v = (x.transpose(1, 2) for x in (q, k, v))
            return scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).transpose(1, 2).flatten(2)

        hidden = self._run(ids, torch.arange(ids.shape[1], device=device), attend)
        last = hidden[torch.arange(len(ids), device=device), lengths - 1]
        return last, cache.spread(samples, room)

    def step(self, tokens: Tensor, positions: Tensor, cache: KeyValues) -> Tensor:
        """Write tokens [B] at positions [B]; return hidden states [B, H]."""
        cache.move(positions)
        return self._run(tokens, positions, cache.attend)

    def _run(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Hidden states [*, H] of ids [*]; how tokens attend to each other is `attend`'s."""
        config = self.config
        each, dtype = config.each, self.norm.dtype
        cos, sin = (table[positions].to(dtype)[..., None, :] for table in (self.cos, self.sin))
        parts = [config.heads, config.kv_heads, config.kv_heads]

        def through(i: int, layer: Layer, x: Tensor) -> Tensor:
            mixed = normed(x, layer.before, config.epsilon, layer.qkv)
            q, k, v = torch.split(mixed.view(*mixed.shape[:-1], -1, each), parts, -2)
            x = x + product(attend(i, _rotated(q, cos, sin), _rotated(k, cos, sin), v), layer.out)
            return x + gated(normed(x, layer.between, config.epsilon, layer.gate_up), layer.down)

        again = self.checkpointing and torch.is_grad_enabled()
        x = embedding(ids, self.embedding)
        for i, layer in enumerate(self.stack):
            x = checkpoint(through, i, layer, x, use_reentrant=False) if again else through(i, layer, x)
        return rms_norm(x, [config.width], self.norm, config.epsilon)


class Layer(nn.Module):
    """The weights of a layer."""

    def __init__(self, width: int, queries: int, keys: int, inner: int) -> None:
        super().__init__()
        self.before = nn.Parameter(torch.ones(width))
        self.qkv = _weight(queries + 2 * keys, width)
        self.out = _weight(width, queries)
        self.between = nn.Parameter(torch.ones(width))
        self.gate_up = _weight(2 * inner, width)
        self.down = _weight(width, inner)


def _weight(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(rows, columns))


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (x_i, x_{i + D/2}) of x [*, heads, D] by its angle, [*, 1, D/2]."""
    left, right = x.chunk(2, -1)
    return torch.cat([left * cos - right * sin, right * cos + left * sin], -1)
