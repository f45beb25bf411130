"""Language: a model, its tokenizer and a task, which stand where an environment would: `rlkit.make("grpo", Language(...))`."""

from dataclasses import dataclass

from rlkit.policies.language import LanguagePolicy
from rlkit.sample.text.problem import TextTask
from rlkit.sample.tokenizers import Tokenizer


@dataclass(frozen=True)
class Language:
    """What a language model needs to learn from a task.

    Raises:
        ValueError: they do not fit each other, or a number makes no sense.
    """

    policy: LanguagePolicy
    tokenizer: Tokenizer
    task: TextTask
    dynamic: int = 0  # DAPO's dynamic sampling: rounds in which groups of equal rewards are replaced, at most; 0: none
    overlong: int = 0  # DAPO's punishment of long answers: tokens before the limit in which it grows; 0: none
    length_reward: float = 0.0  # weight of Kimi's reward for short answers within a group

    def __post_init__(self) -> None:
        for name in ("dynamic", "overlong", "length_reward"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 0")
        check_end(self.policy, self.tokenizer)


def check_end(policy: LanguagePolicy, tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer whose answers could not end.

    Raises:
        ValueError: it has no EOS, or one that the model does not know.
    """
    vocabulary, eos = policy.model.vocabulary, tokenizer.eos
    if eos is None:
        raise ValueError("the tokenizer has no token that ends an answer; give it one: its `eos` is None")
    if not 0 <= eos < vocabulary:
        raise ValueError(f"the tokenizer's eos is {eos}; the model has the tokens 0 .. {vocabulary - 1}")
