"""Small language models for tests and token worlds: a Llama of some ten thousand weights, in one call."""

import numpy as np

from rlkit.policies.llama import Llama, LlamaConfig


def tiny(
    vocabulary: int,
    rng: np.random.Generator,
    *,
    width: int = 32,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    context: int = 128,
    scale: float = 1.0,
) -> Llama:
    """Return a small Llama, its weights drawn by rng.

    Args:
        vocabulary: V.
        rng: draws.
        width: of hidden states.
        layers: how many.
        heads: of queries.
        kv_heads: of keys and values.
        context: the most tokens of a row.
        scale: multiplies the weights' deviation of 0.02; a larger one makes a model that is less near to uniform.
    """
    model = Llama(LlamaConfig(vocabulary, width, layers, heads, kv_heads, 3 * width, context), rng)
    if scale != 1.0:
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.data *= scale
    return model
