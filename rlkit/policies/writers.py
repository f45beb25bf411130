"""Who writes a language model's answers: rlkit itself, or another engine behind the same call.

own            `rlkit.policies.generate`: log-probabilities as drawn, for every model
hf             transformers' `generate`: those of its own processed scores, for models that transformers runs
hf-continuous  transformers' continuous batching: log-probabilities computed again by the trainer's forward
vllm           vLLM, where it is installed: its own log-probabilities, which differ from the trainer's by kernels and rounding
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch

from rlkit.policies.generate import Completion
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.sampling import Transform

Generator = Literal["own", "hf", "hf-continuous", "vllm"]


class Writer(Protocol):
    """Writes completions as `rlkit.policies.generate.generate` does."""

    @property
    def exact(self) -> bool:
        """Whether its log-probabilities are those that the trainer computes, but for rounding in float32."""
        ...

    def write(
        self,
        model: LanguageModel,
        prompts: Sequence[Sequence[int]],
        samples: int,
        limit: int,
        eos: int,
        generator: torch.Generator,
        transform: Transform,
    ) -> list[Completion]:
        """Return `samples` completions of each prompt, in order."""
        ...


def writer(name: str, model: str | Path = "") -> Writer | None:
    """Return the writer of a name; None for rlkit's own.

    Args:
        name: see above.
        model: the folder or name that vLLM loads.

    Raises:
        ValueError: there is none, or its engine is not installed.
    """
    if name not in get_args(Generator):
        raise ValueError(f"generator is {name!r}; choose one of {', '.join(map(repr, get_args(Generator)))}")
    if name == "own":
        return None
    if name == "vllm":
        from rlkit.policies.vllm_write import VLLM  # noqa: PLC0415 - loaded by who asks for it

        return VLLM(model)
    try:
        from rlkit.policies.hf_write import Continuous, Generate  # noqa: PLC0415 - the same
    except ImportError as error:
        raise ValueError(
            f"the generator {name!r} needs {error.name}, not installed here: pip install 'rlkit[llm]'"
        ) from error
    return Generate() if name == "hf" else Continuous()
