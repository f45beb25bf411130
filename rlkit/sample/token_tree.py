"""A small token world as a finite MDP: its states are the prefixes of all answers to all problems.

State p K + k is problem p after the k-th of the K sequences of fewer than `limit` tokens, the shorter ones first; one state more is where
every episode ends. An action is a token: the end of the answer, or the limit, pays and ends; any other leads to the longer prefix.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlkit.mdp import MDP, from_arrays
from rlkit.sample.hearing import hear, progress
from rlkit.sample.text.problem import Finite, Problem, TextTask
from rlkit.sample.tokenizers import Tokenizer

MOST = 3_000_000  # state-action pairs
Arrays = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]


class TokenTree:
    """All prefixes of a task's problems.

    Args:
        task: with a list of its problems.
        tokenizer: of the tokens.
        limit: the most tokens of an answer.
        overlong: tokens before the limit in which DAPO's punishment of long answers grows; 0: none.

    Attributes:
        problems: P of them.
        prompts: their tokens.
        nodes: K, the prefixes of a problem's answers.
        n_states: P K + 1; the last is the end.

    Raises:
        ValueError: the task has no such list, or the tree is too large.
    """

    def __init__(self, task: TextTask, tokenizer: Tokenizer, limit: int, overlong: int = 0) -> None:
        if not isinstance(task, Finite):
            raise ValueError(
                f"{type(task).__name__} has no list of its problems; only a task that has one can be enumerated"
            )
        if limit < 1:
            raise ValueError(f"limit is {limit}; an answer has at least 1 token")
        self.problems: Sequence[Problem] = task.problems()
        self.prompts = [tokenizer.encode(problem.prompt) for problem in self.problems]
        self.limit, self._tokenizer, self._overlong = limit, tokenizer, overlong
        self._letters = [token for token in range(tokenizer.size) if token != tokenizer.eos]
        self._digit = {token: i for i, token in enumerate(self._letters)}
        widths = [len(self._letters) ** depth for depth in range(limit)]
        self._first = np.concatenate([[0], np.cumsum(widths)]).tolist()
        self.nodes = int(self._first[-1])
        self.n_states, self.n_actions = len(self.problems) * self.nodes + 1, tokenizer.size
        if self.n_states * self.n_actions > MOST:
            raise ValueError(
                f"{len(self.problems):,} problems with answers of up to {limit} of {tokenizer.size} tokens make up"
                f" {self.n_states:,} states; at most {MOST // self.n_actions:,} can be enumerated: take fewer letters"
            )

    def state(self, problem: int, ids: Sequence[int]) -> int:
        """Return the state of a problem, by its number, after the tokens of an unfinished answer."""
        if len(ids) >= self.limit or self._tokenizer.eos in ids:
            return self.n_states - 1
        place = 0
        for token in ids:
            place = place * len(self._letters) + self._digit[token]
        return problem * self.nodes + int(self._first[len(ids)]) + place

    def answer(self, state: int) -> list[int]:
        """Return the tokens of the answer so far in a state other than the last."""
        place = state % self.nodes
        depth = int(np.searchsorted(self._first, place, side="right")) - 1
        place -= int(self._first[depth])
        found = list[int]()
        for _ in range(depth):
            place, digit = divmod(place, len(self._letters))
            found.append(self._letters[digit])
        return found[::-1]

    def prefix(self, state: int) -> list[int]:
        """Return the tokens that a model sees in a state other than the last: prompt and answer so far."""
        return self.prompts[state // self.nodes] + self.answer(state)

    @cached_property
    def start(self) -> NDArray[np.float64]:
        """The start distribution [S]: each problem alike likely."""
        found = np.zeros(self.n_states)
        found[: -1 : self.nodes] = 1.0 / len(self.problems)
        return found

    @cached_property
    def transitions(self) -> Arrays:
        """The dynamics as compressed rows, one outcome each.

        Raises:
            ValueError: a problem has a second turn, or no reward.
        """
        rows = self.n_states * self.n_actions
        successor = np.full(rows, self.n_states - 1, np.int32)
        reward, ends = np.zeros(rows), np.ones(rows, np.bool_)
        for row in range(rows - self.n_actions):
            state, token = divmod(row, self.n_actions)
            number, ids = state // self.nodes, [*self.answer(state), token]
            if token == self._tokenizer.eos or len(ids) == self.limit:
                reward[row] = self._paid(self.problems[number], ids)
            else:
                successor[row], ends[row] = self.state(number, ids), False
                reward[row] = progress(self.problems[number], self._tokenizer, ids)
        return np.arange(rows + 1, dtype=np.int64), successor, np.ones(rows), reward, ends

    def mdp(self) -> MDP:
        """Return the MDP."""
        return from_arrays(*self.transitions, n_actions=self.n_actions, start=self.start)

    def _paid(self, problem: Problem, ids: list[int]) -> float:
        heard = hear(problem, self._tokenizer, ids, self.limit, self._overlong)
        if heard.reply is not None or not heard.scored:
            raise ValueError(f"{problem.prompt!r} has no single turn with a reward; it cannot be enumerated")
        return heard.rewards[-1]


def enumerate_tokens(task: TextTask, tokenizer: Tokenizer, limit: int) -> MDP:
    """Return a small token world as an MDP, for `rlkit.exact`, planners and tabular agents; see `TokenTree`.

    Raises:
        ValueError: the task has no list of problems, or there are too many prefixes.
    """
    return TokenTree(task, tokenizer, limit).mdp()
