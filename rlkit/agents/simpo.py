"""SimPO: -log σ(β (mean log π(y_w) - mean log π(y_l)) - γ), without a reference; Meng et al., arXiv:2405.14734 eq. 6."""

from dataclasses import dataclass

from rlkit.agent import Agent
from rlkit.pg.preferences import simpo
from rlkit.sample.config import Studies
from rlkit.sample.corpus import Corpus, opened, pairs
from rlkit.sample.language import Language
from rlkit.sample.lesson import Found, Lesson, Said
from rlkit.sample.student import speaking
from rlkit.sample.studies import Pair


@dataclass(frozen=True)
class Config(Studies):
    """SimPO."""

    beta: float = 2.5
    gamma: float = 1.375  # the margin that is asked for


def make(env: Corpus | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a corpus of Pairs; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration, or an item, that makes no sense.
    """
    if not config.beta > 0.0:
        raise ValueError(f"beta is {config.beta}; it must be above 0")
    corpus, items = opened(env, config, Pair, "simpo")

    def loss(said: Said) -> Found:
        chosen, rejected = said.means.unbind(1)
        gap = config.beta * (chosen - rejected).detach()
        measures = {"accuracy": (gap > 0.0).sum(), "margin": gap.sum()}
        return Found(simpo(chosen, rejected, beta=config.beta, gamma=config.gamma).sum(), measures)

    lesson = Lesson(pairs(corpus, items), loss)
    return speaking(corpus, lesson, config, seed)
