"""A Llama on disk: config.json and model.safetensors, as transformers' LlamaForCausalLM reads and writes them."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rlkit.policies.llama import Llama, LlamaConfig

_FIELDS = {
    "vocabulary": "vocab_size",
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "inner": "intermediate_size",
    "context": "max_position_embeddings",
    "epsilon": "rms_norm_eps",
    "tied": "tie_word_embeddings",
}
_DEFAULTS = {"tie_word_embeddings": False, "rms_norm_eps": 1e-6, "max_position_embeddings": 2048}
_PLAIN = {
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
}  # what this Llama does, and cannot do otherwise


def save(model: Llama, folder: Path, tokens: Mapping[str, int] | None = None) -> None:
    """Write config.json and model.safetensors.

    Args:
        model: what to write.
        folder: made where there is none.
        tokens: what config.json shall say of tokens, such as {"eos_token_id": 2}.
    """
    from safetensors.torch import save_file  # noqa: PLC0415 - of the extra `llm`

    config = model.config
    named = {theirs: getattr(config, own) for own, theirs in _FIELDS.items()}
    rope = {"rope_theta": config.theta, "rope_parameters": {"rope_theta": config.theta, "rope_type": "default"}}
    kind = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": str(model.place[1]).removeprefix("torch."),
    }
    written = kind | named | {"head_dim": config.each} | rope | _PLAIN | dict(tokens or {})
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: part.contiguous().cpu() for name, part in _parts(model)}
    _put(folder / "model.safetensors", lambda draft: save_file(weights, draft, {"format": "pt"}))
    words = json.dumps(written, indent=2, sort_keys=True).encode()
    _put(folder / "config.json", lambda draft: draft.write_bytes(words))


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Llama:
    """Read a Llama that `save` or transformers has written.

    Args:
        folder: holds config.json and one or more files *.safetensors.
        dtype: of the weights here.

    Raises:
        ValueError: it holds no model, another kind of model, or weights that do not fit it.
    """
    model = Llama(read_config(folder)).to(dtype)
    model.rotate()
    fill(model, folder)
    return model


def fill(model: Llama, folder: Path) -> None:
    """Read the weights that `save` or transformers has written into a model, in its own type of numbers, one after the other.

    Raises:
        ValueError: the folder holds no weights, or weights that do not fit the model.
    """
    from safetensors import safe_open  # noqa: PLC0415 - of the extra `llm`

    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ValueError(f"{folder} holds no *.safetensors: it is no model that can be read")
    with ExitStack() as stack, torch.no_grad():
        opened = [stack.enter_context(safe_open(str(file), "pt")) for file in files]
        found = {name: file for file in opened for name in file.keys()}  # noqa: SIM118 - not a dict
        for name, part in _parts(model):
            if name not in found:
                raise ValueError(f"{folder} lacks the weight {name}")
            read = found[name].get_tensor(name)
            if read.shape != part.shape:
                raise ValueError(
                    f"{name} has shape {list(read.shape)} in {folder}; config.json asks for {list(part.shape)}"
                )
            part.copy_(read)


def read_config(folder: Path) -> LlamaConfig:
    """Return the shape that a folder's config.json states.

    Raises:
        ValueError: there is none, or it is of a model that `Llama` is not.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder} is no model: it holds no config.json")
    stated: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if stated.get("model_type") != "llama":
        raise ValueError(f"{path} is of a {stated.get('model_type')!r} model, not of a 'llama'")
    for name, value in _PLAIN.items():
        if stated.get(name, value) != value:
            raise ValueError(f"{path} says {name} {stated[name]!r}; rlkit's Llama knows {value!r} only")
    rope = stated.get("rope_parameters") or stated.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise ValueError(f"{path} scales its positions by {kind!r}; rlkit's Llama knows 'default' only")
    stated = _DEFAULTS | {"num_key_value_heads": stated["num_attention_heads"]} | stated
    theta = float(rope.get("rope_theta") or stated.get("rope_theta") or 10_000.0)
    fields = {own: stated[theirs] for own, theirs in _FIELDS.items()}
    return LlamaConfig(**fields, head_width=stated.get("head_dim") or 0, theta=theta)


def _parts(model: Llama) -> Iterator[tuple[str, Tensor]]:
    """Weights under transformers' names, as views."""
    config = model.config
    keys = config.kv_heads * config.each
    yield "model.embed_tokens.weight", model.embedding.detach()
    for i, layer in enumerate(model.stack):
        place = f"model.layers.{i}"
        q, k, v = torch.split(layer.qkv.detach(), [config.heads * config.each, keys, keys])
        gate, up = layer.gate_up.detach().chunk(2)
        yield f"{place}.input_layernorm.weight", layer.before.detach()
        yield f"{place}.self_attn.q_proj.weight", q
        yield f"{place}.self_attn.k_proj.weight", k
        yield f"{place}.self_attn.v_proj.weight", v
        yield f"{place}.self_attn.o_proj.weight", layer.out.detach()
        yield f"{place}.post_attention_layernorm.weight", layer.between.detach()
        yield f"{place}.mlp.gate_proj.weight", gate
        yield f"{place}.mlp.up_proj.weight", up
        yield f"{place}.mlp.down_proj.weight", layer.down.detach()
    yield "model.norm.weight", model.norm.detach()
    if model.head is not None:
        yield "lm_head.weight", model.head.detach()


def _put(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that whoever looks finds the old one or the new one, whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    write(draft)
    draft.replace(path)
