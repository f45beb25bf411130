"""Models and tokenizers of transformers behind rlkit's seams; the only file that imports transformers.

A model is anything that AutoModelForCausalLM loads, by a name or from a folder. Llamas become rlkit's own, which is faster. Other
models must let one say which tokens attend to which; that is tried when they are wrapped.
"""

import contextlib
import inspect
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from rlkit.policies import hf_files
from rlkit.policies.hf_tokens import Tokens
from rlkit.policies.known import find
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.llama_files import load as load_llama
from rlkit.policies.llama_files import read_config
from rlkit.policies.precision import Precision, precision
from rlkit.policies.prefix import Layout, dense

__all__ = ["Cache", "Tokens", "Transformer", "batching", "convert", "load", "load_tokens", "lora"]


class Cache:
    """The keys and values that transformers keeps of B rows.

    Args:
        kept: transformers' own.
        seen: bool [B, L], the tokens that are not padding.
    """

    def __init__(self, kept: transformers.DynamicCache, seen: Tensor) -> None:
        self.kept, self.seen = kept, seen

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only."""
        self.kept.batch_select_indices(rows)
        self.seen = self.seen[rows]


class Transformer(nn.Module):
    """A causal language model of transformers; see `rlkit.policies.language_model.LanguageModel` for its methods.

    Dropout is off, always: log-probabilities are to be those of the sampler.

    Args:
        net: the model, or a model with peft's adapters.

    Raises:
        ValueError: it does more with hidden states than its head says, or does not heed masks and positions.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net.eval()
        config: Any = self._causal.config
        sizes = (getattr(config, name, None) for name in ("max_position_embeddings", "n_positions"))
        self._context = next((size for size in sizes if size), 2**31)
        known = inspect.signature(self._causal.base_model.forward).parameters
        self._kept = "cache" if "cache" in known else "past_key_values"  # its name has changed within transformers 5
        self._try()

    def train(self, mode: bool = True) -> "Transformer":
        """Stay in evaluation mode: there is no dropout."""
        self.training = mode
        return self

    @property
    def context(self) -> int:
        """The most tokens that a row may have."""
        return self._context

    @property
    def vocabulary(self) -> int:
        """V."""
        return int(self._head.weight.shape[0])

    @property
    def place(self) -> tuple[torch.device, torch.dtype]:
        """Where its weights are, and their type."""
        return self._head.weight.device, self._head.weight.dtype

    def hidden(self, ids: Tensor, positions: Tensor | None = None, allowed: Tensor | None = None) -> Tensor:
        """Return hidden states [B, T, H] of ids [B, T]; see `LanguageModel.hidden`."""
        places = torch.arange(ids.shape[1], device=ids.device).expand_as(ids) if positions is None else positions
        if allowed is None:
            allowed = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).tril()[None]
        return self._run(ids, places, allowed.expand(len(ids), -1, -1))

    def packed(self, layout: Layout) -> Tensor:
        """Return hidden states [N, H] of rows that share prefixes."""
        return dense(self, layout)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return logits [..., V] of hidden states [..., H]."""
        found: Tensor = self._head(hidden)
        return found

    @property
    def unembedding(self) -> Tensor | None:
        """The matrix [V, H] of a plain linear head, None for any other."""
        plain = type(self._head) is nn.Linear and self._head.bias is None
        return self._head.weight if plain else None

    def read(self, ids: Tensor, lengths: Tensor, samples: int, room: int) -> tuple[Tensor, Cache]:  # noqa: ARG002 - its cache grows
        """Read prompts [P, T]; see `LanguageModel.read`."""
        kept = transformers.DynamicCache(config=self._causal.config)
        size = ids.shape[1]
        places = torch.arange(size, device=ids.device)
        causal = torch.ones(size, size, dtype=torch.bool, device=ids.device).tril().expand(len(ids), -1, -1)
        hidden = self._run(ids, places.expand_as(ids), causal, kept)
        kept.batch_repeat_interleave(samples)
        seen = (places < lengths[:, None]).repeat_interleave(samples, 0)
        return hidden[torch.arange(len(ids), device=ids.device), lengths - 1], Cache(kept, seen)

    def step(self, tokens: Tensor, positions: Tensor, cache: Cache) -> Tensor:
        """Write tokens [B] at positions [B]; return hidden states [B, H]."""
        cache.seen = torch.cat([cache.seen, torch.ones_like(cache.seen[:, :1])], 1)
        return self._run(tokens[:, None], positions[:, None], cache.seen[:, None], cache.kept)[:, 0]

    def save(self, folder: Path) -> None:
        """Write what transformers loads again; of a model with adapters only these."""
        with _quiet():
            hf_files.save(self.net, folder)

    def restore(self, folder: Path) -> None:
        """Take over the weights that `save` wrote.

        Raises:
            ValueError: they are another model's.
        """
        with _quiet():
            hf_files.restore(self.net, folder, self.place[1])

    @property
    def _causal(self) -> Any:
        """The model under adapters, if there are any."""
        return hf_files.base(self.net)

    @property
    def _head(self) -> Any:
        return self._causal.get_output_embeddings()

    def _run(
        self, ids: Tensor, positions: Tensor, allowed: Tensor, kept: transformers.DynamicCache | None = None
    ) -> Tensor:
        _, dtype = self.place
        mask = torch.zeros(allowed.shape, dtype=dtype, device=ids.device)
        mask.masked_fill_(~allowed, torch.finfo(dtype).min)  # added to the products: every kind of attention knows that
        given = {"attention_mask": mask[:, None], "position_ids": positions, "use_cache": kept is not None}
        if kept is not None:
            given[self._kept] = kept
        found: Tensor = self._causal.base_model(input_ids=ids, **given).last_hidden_state
        return found

    @torch.no_grad()
    def _try(self) -> None:
        """Compare a forward of two rows that share a token with a forward of each."""
        device, _ = self.place
        row, other = (torch.tensor([ids], device=device) % self.vocabulary for ids in ([5, 7, 11], [5, 13, 17]))
        expected = [self._causal(input_ids=ids, use_cache=False).logits[0].float() for ids in (row, other)]
        allowed = torch.ones(5, 5, dtype=torch.bool, device=device).tril()
        allowed[3:, 1:3] = False
        ids, positions = torch.cat([row, other[:, 1:]], 1), torch.tensor([[0, 1, 2, 1, 2]], device=device)
        found = self.logits(self.hidden(ids, positions, allowed[None]))[0].float()
        wrong = (found - torch.cat([expected[0], expected[1][1:]])).abs().max() / expected[0].abs().max().clamp(
            min=1e-6
        )
        if not wrong < 0.05:
            raise ValueError(
                f"{type(self._causal).__name__} does not heed masks and positions, or changes logits after its head"
                f" (off by {float(wrong):.0%}): it cannot be trained here"
            )


def load(model: str | Path, dtype: Precision = "float32", *, own: bool = True) -> LanguageModel:
    """Return a language model.

    Args:
        model: what `rlkit get-model` fetched ("smollm2"), a folder, or a name that transformers knows.
        dtype: of the weights; "auto": what is faster here.
        own: a Llama becomes rlkit's own.

    Raises:
        ValueError: there is no such model, or it cannot be trained here.
    """
    found, kind = find(model), precision(dtype)
    if own and Path(found).is_dir():
        with contextlib.suppress(ValueError):
            read_config(Path(found))
            return load_llama(Path(found), kind)
    with _quiet():
        try:
            net = transformers.AutoModelForCausalLM.from_pretrained(found, dtype=kind)
        except OSError as error:
            raise ValueError(f"{model} is no model that transformers finds: {str(error).splitlines()[0]}") from None
    return Transformer(net)


def load_tokens(model: str | Path) -> Tokens:
    """Return the tokenizer that stands beside a model.

    Raises:
        ValueError: there is none, or it has no EOS token.
    """
    found = find(model)
    with _quiet():
        try:
            read = transformers.AutoTokenizer.from_pretrained(found)
        except (OSError, ValueError) as error:
            raise ValueError(f"{model} has no tokenizer: {str(error).splitlines()[0]}") from None
    return Tokens(read)


def lora(
    model: LanguageModel,
    rank: int = 8,
    alpha: int = 16,
    targets: Sequence[str] | str = "all-linear",
    *,
    seed: int = 0,
) -> Transformer:
    """Return a model of which only low-rank additions W + (alpha / rank) B A learn, by peft; Hu et al., arXiv:2106.09685.

    Args:
        model: of `load(..., own=False)`.
        rank: of A and B.
        alpha: weight of the addition.
        targets: names of the layers that get one.
        seed: of A's first numbers; B's are 0.

    Raises:
        ValueError: it is rlkit's own Llama, which peft does not know.
    """
    import peft  # noqa: PLC0415 - takes a second, and few need it

    if not isinstance(model, Transformer):
        raise ValueError(f"peft does not know {type(model).__name__}; load the model with own=False")
    named = targets if isinstance(targets, str) else list(targets)
    config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=named, lora_dropout=0.0, task_type="CAUSAL_LM")
    with warnings.catch_warnings(), torch.random.fork_rng():
        torch.manual_seed(seed)
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by names that are going out of use
        return Transformer(peft.get_peft_model(model.net, config))


def batching(**settings: Any) -> Any:
    """Return a configuration of continuous batching.

    Raises:
        ValueError: this transformers has none.
    """
    made: Any = getattr(transformers.generation, "ContinuousBatchingConfig", None)
    if made is None:
        raise ValueError(
            f"transformers {transformers.__version__} has no continuous batching; take the generator 'own' or 'hf'"
        )
    return made(**settings)


def convert(folder: Path, file: str, target: Path) -> None:
    """Write the model and the tokenizer of a GGUF file as safetensors, config.json and tokenizer.json.

    Args:
        folder: holds the file.
        file: its name.
        target: the folder to write.
    """
    with _quiet():
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=file)
        read = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
        config = read.config.to_dict()
        config.pop("quantization_config", None)  # the weights are whole again, which this model must not deny
        with torch.device("meta"):
            clean = type(read)(type(read.config).from_dict(config))
        clean.load_state_dict(read.state_dict(), assign=True)
        clean.tie_weights()
        clean.generation_config = read.generation_config
        clean.save_pretrained(target)
        tokenizer.save_pretrained(target)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Show no progress bars of transformers: what takes long here says so itself."""
    told: Any = transformers.utils.logging
    shown = told.is_progress_bar_enabled()
    told.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            told.enable_progress_bar()
