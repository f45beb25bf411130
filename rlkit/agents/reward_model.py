"""Reward model: -log σ(r_w - r_l - m) + λ (r_w + r_l)² of pairs, Bradley and Terry 1952; Ouyang et al., arXiv:2203.02155 eq. 1."""

from dataclasses import dataclass

import torch

from rlkit.agent import Agent
from rlkit.pg.preferences import bradley_terry
from rlkit.policies.reward_model import RewardModel
from rlkit.policies.state import Weights
from rlkit.sample.config import Studies
from rlkit.sample.corpus import Corpus, opened, pairs
from rlkit.sample.judge import Judge
from rlkit.sample.language import Language
from rlkit.sample.lesson import Found, Lesson, Said
from rlkit.sample.model_part import ModelPart
from rlkit.sample.streams import weight_generator
from rlkit.sample.student import Student
from rlkit.sample.studies import Pair
from rlkit.sample.training import Part


@dataclass(frozen=True)
class Config(Studies):
    """Reward model."""

    centre: float = 0.0  # λ of a pull of rewards to a mean of 0, which the loss leaves open; arXiv:2312.09244


def make(env: Corpus | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a corpus of Pairs; a new head is put on the model, and both learn, the model in place.

    Its `acting` is a `Judge`: `agent.acting.score(prompts, answers)`, or `agent.act((prompt, answer))`.

    Raises:
        ValueError: naming a field of the configuration, or an item, that makes no sense.
    """
    if not config.centre >= 0.0:
        raise ValueError(f"centre is {config.centre}; it must be at least 0")
    corpus, items = opened(env, config, Pair, "reward_model")
    net = RewardModel(corpus.policy.model, weight_generator(seed))
    margins = torch.tensor([item.margin for item in items], device=net.place)

    def loss(said: Said) -> Found:
        chosen, rejected = said.sums.unbind(1)
        gap = (chosen - rejected).detach()
        measures = {"accuracy": (gap > 0.0).sum(), "margin": gap.sum(), "reward": said.sums.detach().mean(1).sum()}
        margin = margins[said.items]
        return Found(bradley_terry(chosen, rejected, margin=margin, centre=config.centre).sum(), measures)

    judge = Judge(net, corpus, config.template)
    parts: dict[str, Part] = {"net": ModelPart(corpus), "head": Weights(net.head)}
    return Student(net, judge, Lesson(pairs(corpus, items), loss), config, seed, parts)
