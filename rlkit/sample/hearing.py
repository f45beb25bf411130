"""What a turn of a language model is worth, token by token: the one place where tokens become text and text becomes rewards."""

from collections.abc import Sequence
from typing import NamedTuple

from rlkit.sample.text.problem import Dense, Problem, Turn
from rlkit.sample.text.shaping import is_number, overlong
from rlkit.sample.tokenizers import Tokenizer


class Heard(NamedTuple):
    """What became of a turn of R tokens."""

    rewards: list[float]  # [R]
    scored: bool  # False where the task could not say what the turn is worth; then it counts as 0
    reply: list[int] | None  # the tokens that the other side answers with; None: the episode is over


def hear(problem: Problem, tokenizer: Tokenizer, ids: Sequence[int], limit: int, cache: int = 0) -> Heard:
    """Return the rewards of a turn that is over, and what follows.

    Args:
        problem: takes the answer.
        tokenizer: of the tokens.
        ids: the tokens of the turn, at least one; an end of the answer stands last if anywhere.
        limit: the most tokens that a turn may have.
        cache: tokens before the limit in which DAPO's punishment of long answers grows; 0: none.

    The reward of the text comes with the last token; where the problem is `Dense`, its progress with each. None and NaN are no rewards.

    Raises:
        ValueError: the task failed, or its reward is infinite, with the prompt and the completion.
    """
    turn = _answered(problem, spoken(tokenizer, ids))
    rewards = [0.0] * len(ids)
    if isinstance(problem, Dense):
        rewards = [progress(problem, tokenizer, ids[: t + 1]) for t in range(len(ids))]
    scored = is_number(turn.reward)
    if scored:
        rewards[-1] += float(turn.reward or 0.0)
    if cache:
        rewards[-1] += overlong(len(ids), limit, cache)
    return Heard(rewards, scored, None if turn.reply is None else tokenizer.encode(turn.reply))


def spoken(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """Return the text of a turn, without the token that ends it."""
    return tokenizer.decode(ids[:-1] if ids and ids[-1] == tokenizer.eos else ids)


def progress(problem: Problem, tokenizer: Tokenizer, ids: Sequence[int]) -> float:
    """Return what the last of these tokens earned by being written: Φ with it less Φ without it; 0 where nothing is."""
    if not isinstance(problem, Dense):
        return 0.0
    return problem.progress(spoken(tokenizer, ids)) - problem.progress(spoken(tokenizer, ids[:-1]))


def _answered(problem: Problem, text: str) -> Turn:
    try:
        turn = problem.answer(text)
    except Exception as error:  # a task is anybody's code: say on what it failed
        raise ValueError(f"the task raised {type(error).__name__}: {error}; {_on(problem, text)}") from error
    if turn.reward is not None and turn.reward in {float("inf"), float("-inf")}:
        raise ValueError(f"the task's reward is {turn.reward}; it must be finite; {_on(problem, text)}")
    return turn


def _on(problem: Problem, text: str) -> str:
    return f"on the answer {text[-300:]!r} to {problem.prompt[-300:]!r}"
