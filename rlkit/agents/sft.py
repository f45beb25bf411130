"""SFT: supervised fine-tuning, -1/N Σ log π(token) over the N answer tokens of a batch, EOS among them; arXiv:2203.02155 section 3.5.

On the answers of a larger model it is sequence-level distillation, arXiv:1606.07947, as DeepSeek-R1's small models had it.
"""

from dataclasses import dataclass

from rlkit.agent import Agent
from rlkit.pg.preferences import negative_log_likelihood
from rlkit.pg.reduce import masked_sum
from rlkit.sample.config import Studies
from rlkit.sample.corpus import Corpus, answers, opened
from rlkit.sample.language import Language
from rlkit.sample.lesson import Found, Lesson, Said
from rlkit.sample.student import speaking
from rlkit.sample.studies import Answer


@dataclass(frozen=True)
class Config(Studies):
    """SFT."""


def loss(said: Said) -> Found:
    """Return Σ -log π(token); the student divides by all answer tokens of the batch."""
    return Found(masked_sum(negative_log_likelihood(said.steps, said.mask), said.mask), {})


def make(env: Corpus | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a corpus of Answers; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration, or an item, that makes no sense.
    """
    corpus, items = opened(env, config, Answer, "sft")
    lesson = Lesson(answers(corpus, items), loss, per="token")
    return speaking(corpus, lesson, config, seed)
