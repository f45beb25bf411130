"""A judge: a reward model that reads text, and the tasks whose answers it rewards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rlkit.policies.reward_model import RewardModel
from rlkit.sample.corpus import Corpus, trajectories
from rlkit.sample.text.problem import Question, TextTask
from rlkit.sample.text.templates import fill


class Judge:
    """Says what answers are worth.

    Args:
        net: the reward model.
        corpus: has its tokenizer.
        template: makes prompts of what is asked, as in the data that the model has learned from.
    """

    def __init__(self, net: RewardModel, corpus: Corpus, template: str = "plain") -> None:
        self.net, self._template = net, template
        self._corpus = Corpus(
            corpus.policy, corpus.tokenizer
        )  # without the data, whose places are not those of what is judged

    @torch.no_grad()
    def score(self, prompts: Sequence[str], answers: Sequence[str], batch: int = 64) -> NDArray[np.float64]:
        """Return r of each answer to its prompt, [B]; a prompt that several have is read once where they stand side by side.

        Args:
            prompts: what was asked, before the template.
            answers: what was answered, one to each; EOS is put behind it.
            batch: answers that go through the model at a time.

        Raises:
            ValueError: there are more of the ones than of the others, or a text does not fit the context.
        """
        if len(prompts) != len(answers):
            raise ValueError(f"there are {len(prompts)} prompts and {len(answers)} answers; give one answer to each")
        asked = [fill(self._template, prompt) for prompt in prompts]
        numbers = {prompt: number for number, prompt in enumerate(dict.fromkeys(asked))}
        examples = [
            self._corpus.example(i, prompt, answer)._replace(group=numbers[prompt])
            for i, (prompt, answer) in enumerate(zip(asked, answers, strict=True))
        ]
        found = np.zeros(len(examples))
        for start in range(0, len(examples), batch):
            part = trajectories(examples[start : start + batch], self.net.place)
            found[start : start + batch] = self.net.say(part).sum(1).double().cpu().numpy()
        return found

    def act(self, obs: Any, *, explore: bool = False) -> Any:  # noqa: ARG002 - every agent has it
        """Return what (prompt, answer) is worth, or what each pair of a list is."""
        if isinstance(obs, tuple):
            return float(self.score([obs[0]], [obs[1]])[0])
        return self.score([prompt for prompt, _ in obs], [answer for _, answer in obs])


@dataclass(frozen=True)
class Judged:
    """A task whose answers are worth what a judge says, plus `weight` times what the task itself says.

    A prompt goes to the judge as the task poses it, so that the judge should have learned with the template "plain".
    """

    task: TextTask
    judge: Judge
    weight: float = 0.0

    def start(self, rng: np.random.Generator) -> Question:
        """Return a question of the task.

        Raises:
            ValueError: its problem is of more than one turn.
        """
        problem = self.task.start(rng)
        if not isinstance(problem, Question):
            raise ValueError(f"the problem is a {type(problem).__name__} of several turns; a judge reads one answer")

        def score(completion: str) -> float | None:
            own = problem.score(completion) if self.weight else 0.0
            said = float(self.judge.score([problem.prompt], [completion])[0])
            return None if own is None else said + self.weight * own

        return Question(problem.prompt, problem.gold, score)
