"""Language models by name: what `rlkit get-model` has fetched, a folder, a run's folder, or "tiny", a small new one that reads letters."""

import contextlib
import json
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rlkit.policies import llama_files
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.llama import Llama
from rlkit.policies.precision import Precision, precision
from rlkit.policies.tiny_lm import tiny
from rlkit.run.directory import CHECKPOINT
from rlkit.sample.corpus import Corpus
from rlkit.sample.text.templates import TEMPLATES
from rlkit.sample.tokenizers import Letters, Tokenizer, read_letters

TINY = "tiny"
PRINTABLE = string.printable[:95] + "\n"


class Speech(NamedTuple):
    """A model and its tokenizer."""

    model: LanguageModel
    tokenizer: Tokenizer


def open_model(
    name: str,
    letters: str = PRINTABLE,
    seed: int = 0,
    context: int = 256,
    *,
    dtype: Precision = "float32",
    lora: int = 0,
    own: bool = True,
    checkpointing: bool = False,
) -> Speech:
    """Load a model.

    Args:
        name: of the model; of a run's folder, what it has learned.
        letters: that "tiny" reads, one by one.
        seed: of the weights of a new model.
        context: the most tokens of a row of a new model.
        dtype: of the weights; "auto": what is faster here.
        lora: rank of the adapters of peft that learn in place of the weights; 0: none.
        own: a Llama becomes rlkit's own, where it gets no adapters.
        checkpointing: the gradient's pass computes each layer again, which saves memory for a third more arithmetic; for rlkit's own.

    Raises:
        ValueError: naming what cannot be loaded, and the remedy.
    """
    found = _opened(name, letters, seed, context, dtype, lora, own)
    if checkpointing:
        if not isinstance(found.model, Llama):
            raise ValueError(
                "checkpointing is for rlkit's own Llama without adapters; budget=N bounds the memory of any model"
            )
        found.model.checkpointing = True
    return found


def _opened(name: str, letters: str, seed: int, context: int, dtype: Precision, lora: int, own: bool) -> Speech:
    if lora < 0:
        raise ValueError(f"lora is {lora}; it is the rank of the adapters, or 0 for none")
    if (Path(name) / CHECKPOINT).is_file():
        name = str(Path(name) / "model")
    spelled = read_letters(Path(name))
    if (name == TINY or spelled) and (lora or not own):
        raise ValueError(
            f"the model {name} reads letters, as rlkit's own do; adapters, and transformers' generators, need one with a tokenizer of transformers"
        )
    if spelled:
        return Speech(llama_files.load(Path(name), precision(dtype)), spelled)
    if name == TINY:
        known = Letters(letters)
        small = tiny(known.size, np.random.default_rng(seed), width=64, context=context)
        return Speech(small.to(precision(dtype)), known)
    hf = _transformers(name)
    net = hf.load(name, dtype, own=own and not lora)
    return Speech(hf.lora(net, lora, seed=seed) if lora else net, hf.load_tokens(name))


def open_net(name: str) -> LanguageModel:
    """Load a model without its tokenizer; arguments and errors as of `open_model`."""
    found: LanguageModel = _transformers(name).load(name)
    return found


def _transformers(name: str) -> Any:
    try:
        from rlkit.policies import hf  # noqa: PLC0415 - transformers is an extra, and slow to load
    except ImportError as error:
        raise ValueError(
            f"the model {name} needs {error.name}, not installed here: pip install 'rlkit[llm]'"
        ) from error
    return hf


def letters_in(texts: Iterable[str]) -> str:
    """Return the letters for a tokenizer of texts: all that can be printed, and what else stands in them."""
    return PRINTABLE + "".join(sorted(set().union(*texts) - set(PRINTABLE)))


def open_corpus(model: str, data: str, seed: int = 0) -> Corpus:
    """Load a model that is to learn from a JSONL file, or from what its agent is given later; the file is the agent's to read.

    Args:
        model: as of `open_model`; "tiny" reads the letters of the file, and its context holds the longest line.
        data: the file's path; "": none.
        seed: of the weights of a new model.

    Raises:
        ValueError: naming what cannot be loaded, and the remedy.
    """
    texts = _texts(Path(data)) if data and Path(data).is_file() else []
    longest = max(map(len, texts), default=0) + max(map(len, TEMPLATES.values()))
    speech = open_model(model, letters_in(texts), seed, 64 * (longest // 64 + 4))
    return Corpus(LanguagePolicy(speech.model), speech.tokenizer)


def _texts(path: Path) -> list[str]:
    """All text that stands in each line; what is wrong in one is for its reader to say."""
    found = []
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            row = json.loads(line)
            found.append(
                "".join(value for value in row.values() if isinstance(value, str)) if isinstance(row, dict) else ""
            )
    return found
