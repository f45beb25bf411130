"""A tokenizer of transformers as rlkit's: ids and text, a chat template, and its files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Tokens:
    """A tokenizer of transformers; see `rlkit.sample.tokenizers.Tokenizer`.

    Args:
        tokenizer: transformers' own.

    Raises:
        ValueError: it has no token that ends a text.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self.tokenizer = tokenizer
        if tokenizer.eos_token_id is None:
            raise ValueError(
                f"the tokenizer {tokenizer.name_or_path} has no EOS token, so that no answer could end; set its eos_token"
            )
        self.eos = int(tokenizer.eos_token_id)
        self.size = len(tokenizer)

    @property
    def special(self) -> dict[str, int]:
        """The tokens that config.json names: what begins and ends a text, and padding."""
        known = {f"{name}_token_id": getattr(self.tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
        return {name: int(token) for name, token in known.items() if token is not None}

    def save(self, folder: Path) -> None:
        """Write what transformers loads again."""
        self.tokenizer.save_pretrained(folder)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text; names of special tokens in it become those, and none are added."""
        found: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, without the special ones."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def chat(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return the text in which the tokenizer's template puts messages {"role", "content"}, up to where the assistant speaks.

        Raises:
            ValueError: the tokenizer has no template.
        """
        if not self.tokenizer.chat_template:
            raise ValueError(f"the tokenizer {self.tokenizer.name_or_path} has no chat template; give it plain text")
        told = [dict(message) for message in messages]
        return str(self.tokenizer.apply_chat_template(told, tokenize=False, add_generation_prompt=True))
