"""Rejection sampling: answers that a model writes and its task judges, as data to learn from; stage 3 of DeepSeek-R1, arXiv:2501.12948.

`rejection_sample` writes the right ones as the JSONL that `sft` reads. The same answers make pairs for `dpo` and verdicts for `kto`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rlkit.sample.language import Language
from rlkit.sample.studies import Answer, Pair, Verdict, write
from rlkit.sample.tokens import TokenSampler


class Scored(NamedTuple):
    """An answer, and what the task gave for it."""

    prompt: str
    answer: str
    score: float
    ended: bool  # with EOS, and not at the limit


class Yield(NamedTuple):
    """What rejection sampling came to."""

    written: int  # answers
    right: int  # of them
    kept: int  # without doubles, and at most so many to a prompt
    prompts: int  # different ones
    solved: int  # of them, with an answer that was kept


def rejection_sample(
    language: Language,
    path: str | Path,
    *,
    prompts: int,
    samples: int,
    limit: int,
    seed: int = 0,
    least: float = 1.0,
    most: int = 0,
    batch: int = 16,
    wanted: Callable[[Scored], bool] | None = None,
) -> Yield:
    """Let a model answer problems, and write the right answers as JSONL, {"prompt", "answer"}.

    Args:
        language: policy, tokenizer and task, of problems with one turn; the policy's temperature and top-p are used.
        path: of the file.
        prompts: problems that are drawn.
        samples: k, answers to each.
        limit: the most tokens of an answer; one that does not end is not kept.
        seed: of problems and answers.
        least: the least reward of a right answer.
        most: answers of one prompt that are kept; 0: all that differ.
        batch: problems that are answered at a time.
        wanted: a further condition, such as one language throughout; None: none.
    """
    scored = list(sampled(language, prompts=prompts, samples=samples, limit=limit, seed=seed, batch=batch))
    right = [one for one in scored if one.ended and one.score >= least and (wanted is None or wanted(one))]
    kept = answers(right, most)
    write(path, kept)
    return Yield(
        len(scored), len(right), len(kept), len({one.prompt for one in scored}), len({one.prompt for one in kept})
    )


def sampled(
    language: Language, *, prompts: int, samples: int, limit: int, seed: int = 0, batch: int = 16
) -> Iterator[Scored]:
    """Yield answers to problems, `samples` to each in a row; arguments as of `rejection_sample`.

    Raises:
        ValueError: a number makes no sense, or a problem is of more than one turn.
    """
    if prompts < 1 or batch < 1:
        raise ValueError(f"prompts is {prompts} and batch {batch}; both must be at least 1")
    rng = np.random.Generator(np.random.PCG64(seed))
    left = prompts
    while left:
        size = min(batch, left)
        sampler = TokenSampler(language, size, samples, limit)
        traj = sampler.collect(rng)
        left -= size
        seen = sampler.last
        if seen is None:
            raise RuntimeError("a sampler that has collected knows what")
        ends, spoke = traj.terminated.any(1).tolist(), (traj.mask[:, 1:] & ~traj.mask[:, :-1]).sum(1)
        if bool((spoke + traj.mask[:, 0].long() > 1).any()):
            raise ValueError("the task replies to answers; what was said in several turns is no answer to a prompt")
        for row in zip(seen.prompts, seen.completions, seen.rewards, ends, strict=True):
            yield Scored(*row)


def answers(scored: Iterable[Scored], most: int = 0) -> list[Answer]:
    """Return answers to learn from, each once, at most `most` to a prompt, those of the greatest score first; 0: all."""
    best = sorted(scored, key=lambda one: -one.score)
    found = dict.fromkeys(Answer(one.prompt, one.answer) for one in best)
    count: dict[str, int] = defaultdict(int)
    kept = []
    for one in found:
        count[one.prompt] += 1
        if not most or count[one.prompt] <= most:
            kept.append(one)
    return kept


def pairs(scored: Iterable[Scored], gap: float = 0.5, most: int = 1) -> list[Pair]:
    """Return pairs of a better and a worse answer to the same prompt, whose scores differ by at least `gap`; at most `most` to a prompt.

    The margin of a pair is that difference.
    """
    found = []
    for some in _by_prompt(scored):
        ordered = sorted(some, key=lambda one: -one.score)
        couples = zip(ordered, reversed(ordered), strict=True)
        good = [
            Pair(better.prompt, better.answer, worse.answer, better.score - worse.score)
            for better, worse in couples
            if better.score - worse.score >= gap
        ]
        found += list(dict.fromkeys(good))[:most]
    return found


def verdicts(scored: Iterable[Scored], least: float = 1.0) -> list[Verdict]:
    """Return each different answer as one that is wanted where its score is at least `least`, and as unwanted elsewhere."""
    return list(dict.fromkeys(Verdict(one.prompt, one.answer, one.score >= least) for one in scored))


def _by_prompt(scored: Iterable[Scored]) -> list[Sequence[Scored]]:
    found: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        found[one.prompt].append(one)
    return list(found.values())
