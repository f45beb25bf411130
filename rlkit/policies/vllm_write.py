"""Writing by vLLM, where it is installed: an engine of its own, with kernels and rounding of its own, and so a policy of its own.

Its log-probabilities are therefore the sampler's and not the trainer's; who learns computes the trainer's beside them and corrects for
the difference (`rlkit.pg.correction`). It was written by vLLM's documentation (0.16) and tested with a stand-in, not with vLLM.
"""

import atexit
import importlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from rlkit.policies import llama_files
from rlkit.policies.generate import Completion
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.llama import Llama
from rlkit.policies.sampling import Transform


class VLLM:
    """One engine; it is started at the first call, with the weights of then, and reads them again when they have changed.

    Args:
        model: the folder whose tokenizer and configuration it takes; unused where the model is rlkit's own.

    Raises:
        ValueError: vLLM is not installed.
    """

    exact = False

    def __init__(self, model: str | Path = "") -> None:
        try:
            self._vllm: Any = importlib.import_module("vllm")
        except ImportError as error:
            raise ValueError(
                "the generator 'vllm' needs vLLM, not installed here: pip install vllm (on a machine with a GPU), or take"
                " the generator 'own'"
            ) from error
        self.model = str(model)
        self._engine: Any = None
        self._folder: Path | None = None
        self._known = 0.0

    def __deepcopy__(self, _memo: dict[int, Any]) -> "VLLM":
        """A copy of a policy shares the engine."""
        return self

    @torch.no_grad()
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
        """Return `samples` completions of each prompt, in order, with the log-probabilities that vLLM gives its own draws."""
        self._sync(model, eos)
        asked = self._vllm.SamplingParams(
            n=samples,
            temperature=transform.temperature,
            top_k=transform.top_k or -1,
            top_p=transform.top_p,
            max_tokens=limit,
            stop_token_ids=[eos],
            logprobs=0,  # of the token that was drawn
            seed=int(torch.randint(2**31, (1,), generator=generator, device=generator.device)),
            detokenize=False,
        )
        out = self._engine.generate([{"prompt_token_ids": list(prompt)} for prompt in prompts], asked, use_tqdm=False)
        return [
            Completion(
                list(one.token_ids),
                [float(known[token].logprob) for token, known in zip(one.token_ids, one.logprobs, strict=True)],
                None,
            )
            for answers in out
            for one in answers.outputs
        ]

    def _sync(self, model: LanguageModel, eos: int) -> None:
        weights = sum(float(weight.double().abs().sum()) for weight in model.parameters())
        if self._engine is not None and weights == self._known:
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="rlkit-vllm-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        place = self._folder
        if isinstance(model, Llama):
            llama_files.save(model, place, {"eos_token_id": eos})
        else:
            save: Callable[[Path], None] = model.save  # type: ignore[attr-defined]  # transformers' have it
            save(place)
        if self._engine is None:
            dtype = str(model.place[1]).removeprefix("torch.")
            self._engine = self._vllm.LLM(
                model=str(place),
                dtype=dtype,
                skip_tokenizer_init=True,
                max_model_len=model.context,
                logprobs_mode="processed_logprobs",  # of the distribution drawn from, after temperature and sets
            )
        else:
            self._engine.collective_rpc("reload_weights")
            self._engine.reset_prefix_cache()
        self._known = weights
