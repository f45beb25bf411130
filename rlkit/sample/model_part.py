"""The language model of an agent as a part of its state: in a checkpoint it is a folder that transformers loads, tokenizer and all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from rlkit.policies import llama_files
from rlkit.policies.llama import Llama
from rlkit.policies.state import Arrays, load_module, module_state
from rlkit.run.beside import Beside, Folder
from rlkit.sample.speaking import Speaker


@runtime_checkable
class Filed(Protocol):
    """A model that writes its own files, and reads them again."""

    def save(self, folder: Path) -> None:
        """Write them."""
        ...

    def restore(self, folder: Path) -> None:
        """Take the weights from them."""
        ...


@runtime_checkable
class Spelled(Protocol):
    """A tokenizer that writes its own files."""

    @property
    def special(self) -> dict[str, int]:
        """What config.json shall say of tokens."""
        ...

    def save(self, folder: Path) -> None:
        """Write them."""
        ...


class ModelPart:
    """The weights of a language model.

    Args:
        language: the model and its tokenizer.
    """

    def __init__(self, language: Speaker) -> None:
        self._model, self._tokenizer = language.policy.model, language.tokenizer

    def state_dict(self) -> Arrays:
        """Return copies of the weights, under the names that they have here."""
        return module_state(self._model)

    def views(self) -> Beside:
        """Return the folder to be, `model`, with the weights as they are when it is written."""
        return Beside("model", self.write)

    def write(self, folder: Path) -> None:
        """Write config.json, *.safetensors and the tokenizer's files; of a model with adapters, the adapters."""
        spelled = self._tokenizer if isinstance(self._tokenizer, Spelled) else None
        if isinstance(self._model, Llama):
            named = {"eos_token_id": self._tokenizer.eos} if spelled is None else spelled.special
            llama_files.save(self._model, folder, named)
        elif isinstance(self._model, Filed):
            self._model.save(folder)
        else:
            raise ValueError(f"{type(self._model).__name__} has no files; give it the methods save and restore")
        if spelled is not None:
            spelled.save(folder)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take weights over, one after the other, from arrays or from a folder.

        Raises:
            ValueError: they are another model's.
        """
        if not isinstance(state, Folder):
            load_module(self._model, state)
        elif isinstance(self._model, Llama):
            llama_files.fill(self._model, state.path)
        elif isinstance(self._model, Filed):
            self._model.restore(state.path)
        else:
            raise ValueError(f"{type(self._model).__name__} has no files; give it the methods save and restore")
