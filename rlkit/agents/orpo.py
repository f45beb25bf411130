"""ORPO: -log P_w - λ log σ(log odds_w - log odds_l), P the mean probability of a token, without a reference; Hong et al., arXiv:2403.07691."""

from dataclasses import dataclass

from rlkit.agent import Agent
from rlkit.pg.preferences import odds_ratio, orpo
from rlkit.sample.config import Studies
from rlkit.sample.corpus import Corpus, opened, pairs
from rlkit.sample.language import Language
from rlkit.sample.lesson import Found, Lesson, Said
from rlkit.sample.student import speaking
from rlkit.sample.studies import Pair


@dataclass(frozen=True)
class Config(Studies):
    """ORPO."""

    weight: float = 0.1  # λ of the odds ratio


def make(env: Corpus | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a corpus of Pairs; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration, or an item, that makes no sense.
    """
    if not config.weight >= 0.0:
        raise ValueError(f"weight is {config.weight}; it must be at least 0")
    corpus, items = opened(env, config, Pair, "orpo")

    def loss(said: Said) -> Found:
        chosen, rejected = said.means.unbind(1)
        known = chosen.detach(), rejected.detach()
        measures = {"accuracy": (known[0] > known[1]).sum(), "odds_ratio": odds_ratio(*known).sum()}
        return Found(orpo(chosen, rejected, weight=config.weight).sum(), measures)

    lesson = Lesson(pairs(corpus, items), loss)
    return speaking(corpus, lesson, config, seed)
