"""TokenSampler: a language model answers prompts, many at a time. The fast twin of `TokenEnv`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rlkit import dist
from rlkit.data import Trajectories
from rlkit.pg.baselines import alike
from rlkit.sample.draws import share
from rlkit.sample.hearing import hear, spoken
from rlkit.sample.language import Language
from rlkit.sample.text.problem import Problem, Question
from rlkit.sample.text.shaping import length_rewards
from rlkit.sample.token_env import TokenEnv
from rlkit.sample.token_tree import TokenTree, enumerate_tokens
from rlkit.sample.written import Row, pack

__all__ = ["Seen", "TokenEnv", "TokenSampler", "TokenTree", "enumerate_tokens"]

_SEEDS = 2**31


@dataclass(frozen=True)
class Seen:
    """What the last call came to, on this process; lists are by row."""

    prompts: list[str]
    golds: list[str | None]
    completions: list[str]  # all that follows the prompt, what the other side said included
    rewards: list[float]  # Σ r
    lengths: list[int]  # tokens that the policy chose
    unscored: int  # rows that the task said nothing of
    rounds: int  # in which prompts were drawn; above 1 only with dynamic sampling
    dropped: int  # groups of equal rewards that were replaced, over all processes


class TokenSampler:
    """Lets a language model answer problems, `group` times each.

    Row b, step t: obs is token t, actions is token t + 1, mask is True where the policy chose that one, the end of the answer included. The
    reward stands at the last token of a turn, terminated at the end of the answer, truncated at the limit or where the context is full.
    All random numbers are drawn for all processes, each of which answers its own stretch of the prompts.

    With dynamic sampling (DAPO, arXiv:2503.14476 section 3.2) groups whose rows have equal rewards are dropped, and more prompts drawn until
    the batch is full or `language.dynamic` rounds are over; then dropped groups fill it up.

    Args:
        language: policy, tokenizer and task.
        prompts: problems at a time, on this process.
        group: answers to each.
        limit: the most tokens of a turn.

    Raises:
        ValueError: naming a number that makes no sense.
    """

    def __init__(self, language: Language, prompts: int, group: int, limit: int) -> None:
        for name, number in (("prompts", prompts), ("group", group), ("limit", limit)):
            if number < 1:
                raise ValueError(f"{name} is {number}; it must be at least 1")
        if language.overlong > limit:
            raise ValueError(f"overlong is {language.overlong}; it must not exceed the limit, {limit}")
        if language.dynamic and group < 2:
            raise ValueError("dynamic sampling compares the answers to a prompt; group is 1, give at least 2")
        self.language, self.prompts, self.group, self.limit = language, prompts, group, limit
        self.last: Seen | None = None

    def collect(self, rng: np.random.Generator) -> Trajectories:
        """Return the next answers, [prompts * group, T], on the policy's device.

        Raises:
            ValueError: a prompt does not fit the model's context, or the task failed on an answer.
        """
        wanted, rank = self.prompts * dist.world_size(), dist.rank()
        kept, spare = list[list[Row]](), list[list[Row]]()
        rounds = 0
        while len(kept) < wanted and rounds < max(1, self.language.dynamic):
            groups, rounds = self._round(rng), rounds + 1
            if not self.language.dynamic:
                kept = [[]] * (
                    rank * self.prompts
                ) + groups  # each process keeps its own, and need not know the others'
                break
            for group in (group for theirs in dist.everyone(groups) for group in theirs):
                (kept if _differ(group) else spare).append(group)
        own = (kept + spare)[rank * self.prompts :][: self.prompts]
        self.last = self._seen([row for group in own for row in group], rounds, len(spare))
        model = self.language.policy.model
        return pack(own, rank * self.prompts, model.vocabulary, model.place[0])

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: all that is random comes with `collect`."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over nothing."""

    def _round(self, rng: np.random.Generator) -> list[list[Row]]:
        """Answers to as many new prompts as there shall be, those of this process."""
        first = dist.rank() * self.prompts
        seeds = rng.integers(_SEEDS, size=dist.world_size() * self.prompts)[first : first + self.prompts].tolist()
        problems = [self._problems(seed) for seed in seeds]
        rows = self._play([one for some in problems for one in some], int(rng.integers(_SEEDS)))
        groups = [rows[start : start + self.group] for start in range(0, len(rows), self.group)]
        if self.language.length_reward:
            for group in groups:
                gains = length_rewards([row.length for row in group], [row.score > 0.0 for row in group])
                for row, gain in zip(group, gains.tolist(), strict=True):
                    row.rewards[-1] += self.language.length_reward * gain
        return groups

    def _problems(self, seed: int) -> list[Problem]:
        """The problem of a seed, for each row of its group: one with a state is built anew for each."""
        first = self.language.task.start(_generator(seed))
        if isinstance(first, Question):
            return [first] * self.group
        return [first, *(self.language.task.start(_generator(seed)) for _ in range(self.group - 1))]

    def _play(self, problems: Sequence[Problem], seed: int) -> list[Row]:
        """One episode of each problem; the rows of a group begin alike."""
        policy, tokenizer = self.language.policy, self.language.tokenizer
        rows = [Row(problem.prompt, problem.gold, tokenizer.encode(problem.prompt)) for problem in problems]
        starts = [len(row.ids) for row in rows]
        alive, turn, samples = list(range(len(rows))), 0, self.group
        while sum(counts := dist.everyone(len(alive))):
            generator = torch.Generator().manual_seed(int(np.random.SeedSequence((seed, turn)).generate_state(1)[0]))
            torch.rand(sum(counts[: dist.rank()]), self.limit, generator=generator, dtype=torch.float64)  # the others'
            prompts = [rows[b].ids for b in alive[::samples]]
            written = policy.sample(prompts, samples, self.limit, tokenizer.eos, generator) if alive else []
            going = []
            for b, one in zip(alive, written, strict=True):
                row = rows[b]
                heard = hear(problems[b], tokenizer, one.ids, self.limit, self.language.overlong)
                row.add(one.ids, one.logprobs, heard.rewards)
                row.allowed += [] if one.allowed is None else list(one.allowed)
                row.scored &= heard.scored
                if heard.reply is not None and self._fits(row, heard.reply):
                    row.add(heard.reply, None, None)
                    going.append(b)
                else:
                    row.terminated = heard.reply is None and one.ids[-1] == tokenizer.eos
                    row.truncated = not row.terminated
            alive, turn, samples = going, turn + 1, 1
        for row, start in zip(rows, starts, strict=True):
            row.completion = spoken(tokenizer, row.ids[start:])
        return rows

    def _fits(self, row: Row, reply: Sequence[int]) -> bool:
        return len(row.ids) + len(reply) + self.limit <= self.language.policy.model.context

    def _seen(self, rows: Sequence[Row], rounds: int, dropped: int) -> Seen:
        return Seen(
            prompts=[row.prompt for row in rows],
            golds=[row.gold for row in rows],
            completions=[row.completion for row in rows],
            rewards=[row.score for row in rows],
            lengths=[row.length for row in rows],
            unscored=sum(not row.scored for row in rows),
            rounds=rounds,
            dropped=dropped,
        )


def answering(language: Language, envs: int, group: int, limit: int, *, recompute: bool = False) -> TokenSampler:
    """Return the sampler of an agent that writes `envs` answers at a time over all processes, `group` of them to each prompt.

    Raises:
        ValueError: they make no whole groups, cannot be dealt out evenly, the model is not where this process computes, or another
            program writes whose numbers are not the model's, and the agent does not `recompute` them.
    """
    policy, where = language.policy, language.policy.model.place[0]
    there = dist.setup(where)
    answers = share(envs)  # once the processes have met
    if where != there:
        raise ValueError(f"the model is on {where}, and this process has {there}: move it there before")
    if policy.writer is not None and not policy.writer.exact and not recompute:
        raise ValueError(
            "the generator's log-probabilities are not the trainer's; take grpo with recompute=True, and correction='token-tis' to make up for it"
        )
    if answers % group:
        raise ValueError(f"group is {group}, and {answers} answers are written at a time; they must make whole groups")
    return TokenSampler(language, answers // group, group, limit)


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _differ(group: Sequence[Row]) -> bool:
    """Whether the answers to a prompt were worth more and less, those that were scored."""
    scores = torch.tensor([row.score for row in group if row.scored], dtype=torch.float64)
    return len(scores) > 1 and float(alike(scores, torch.zeros(len(scores)))) < 1.0
