"""What a language model does outside its training: it answers a text, or chooses the next token of a prefix."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch

from rlkit.policies.language import LanguagePolicy
from rlkit.sample.hearing import spoken
from rlkit.sample.tokenizers import Tokenizer


class Speaker(Protocol):
    """Whoever has a model and a tokenizer: a Language, a Corpus."""

    @property
    def policy(self) -> LanguagePolicy:
        """The model as a policy."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""
        ...


class Speaking:
    """Acts with a language model; the most probable tokens, or with `explore` drawn ones.

    Args:
        language: policy and tokenizer.
        limit: the most tokens of an answer.
        seed: of its own random numbers.
    """

    def __init__(self, language: Speaker, limit: int, seed: int) -> None:
        self._language, self._limit = language, limit
        self._generator = torch.Generator().manual_seed(
            int(np.random.SeedSequence(seed).spawn(4)[3].generate_state(1)[0])
        )

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of nothing."""

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the answer to a text, those to a list of texts; or the next token of a prefix as `TokenEnv` shows it, or of several."""
        tokenizer = self._language.tokenizer
        if isinstance(obs, str):
            return self._written([tokenizer.encode(obs)], self._limit, explore)[0]
        if isinstance(obs, list) and obs and isinstance(obs[0], str):
            return self._written([tokenizer.encode(text) for text in obs], self._limit, explore)
        prefixes = np.atleast_2d(np.asarray(obs))
        tokens = self._tokens([row[row < tokenizer.size].tolist() for row in prefixes], 1, explore)
        return np.array([ids[0] for ids in tokens]) if np.ndim(obs) > 1 else np.int64(tokens[0][0])

    def _written(self, prompts: list[list[int]], limit: int, explore: bool) -> list[str]:
        return [spoken(self._language.tokenizer, ids) for ids in self._tokens(prompts, limit, explore)]

    def _tokens(self, prompts: list[list[int]], limit: int, explore: bool) -> list[list[int]]:
        policy = self._language.policy
        acting = policy if explore else LanguagePolicy(policy.model, top_k=1)
        return [ids for ids, _ in acting.generate(prompts, 1, limit, self._language.tokenizer.eos, self._generator)]
