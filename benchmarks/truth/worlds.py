"""Token worlds whose answers can all be listed: a few prompts, a few tokens, and a policy that is a table of logits by prefix."""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rlkit.data import Trajectories
from rlkit.mdp import MDP, from_P
from rlkit.policies.protocol import Evaluation

EOS = 0
Answer = tuple[int, ...]  # tokens, EOS included where it ended by itself
Verdict = Callable[[Answer], float]


class World(NamedTuple):
    """Prompts with one verifier each; tokens 0, the end, to vocabulary - 1; an answer that is `length` long without an end is cut."""

    name: str
    vocabulary: int
    length: int
    group: int  # answers to a prompt in the tables
    prompts: Sequence[Verdict]

    @property
    def prefixes(self) -> list[Answer]:
        """Where a token is chosen."""
        letters = range(1, self.vocabulary)
        return [text for n in range(self.length) for text in itertools.product(letters, repeat=n)]

    @property
    def answers(self) -> list[Answer]:
        """All that can be said."""
        ended = [(*text, EOS) for text in self.prefixes]
        return [*ended, *itertools.product(range(1, self.vocabulary), repeat=self.length)]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the policy's table: prompts, prefixes, tokens."""
        return len(self.prompts), len(self.prefixes), self.vocabulary


def worth(rewards: dict[Answer, float]) -> Verdict:
    """Make a verifier that pays what is said for these answers, and nothing for others."""
    return lambda answer: rewards.get(answer, 0.0)


ONE = World(  # nearly any answer that ends; one that is right, and one that is half right; one that is long
    "one letter",
    2,
    3,
    3,
    (worth({(0,): 1, (1, 0): 1, (1, 1, 0): 1}), worth({(1, 0): 1, (0,): 0.5}), worth({(1, 1, 0): 1})),
)
TWO = World("two letters", 3, 2, 3, (worth({(1, 0): 1, (2, 0): 1, (0,): 0.5}), worth({(2, 0): 1})))
THREE = World(
    "three letters", 4, 2, 2, (worth({(1, 0): 1, (2, 0): 1, (3, 0): 1, (0,): 0.5}), worth({(3, 0): 1, (3, 3): 0.2}))
)
WORLDS = (ONE, TWO, THREE)


class Table(nn.Module):
    """A softmax policy with logits of its own for every prompt and prefix; obs is the number of both together."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits.clone())  # [P, S, V]

    def evaluate(self, traj: Trajectories) -> Evaluation:
        """Say how likely it finds the tokens of all steps."""
        logs = torch.log_softmax(self.logits.flatten(0, 1), -1)[traj.obs]
        return Evaluation(logs.gather(-1, traj.actions[..., None])[..., 0], -(logs.exp() * logs).sum(-1))


def logits_of(world: World, seed: int, spread: float = 1.0) -> Tensor:
    """Draw a policy's table, float64."""
    return spread * torch.randn(world.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rows_of(world: World, sampler: Tensor) -> Trajectories:
    """Return every answer to every prompt as a row, prompt by prompt, with the log-probabilities of a sampler's table."""
    prompts, answers, places = len(world.prompts), world.answers, {text: i for i, text in enumerate(world.prefixes)}
    shape = prompts * len(answers), world.length
    states, tokens = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=torch.int64)
    rewards, mask = torch.zeros(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.bool)
    terminated, truncated = torch.zeros_like(mask), torch.zeros_like(mask)
    for row, (prompt, answer) in enumerate(itertools.product(range(prompts), answers)):
        n = len(answer)
        states[row, :n] = torch.tensor([len(places) * prompt + places[answer[:t]] for t in range(n)])
        tokens[row, :n], mask[row, :n] = torch.tensor(answer), True
        rewards[row, n - 1] = world.prompts[prompt](answer)
        (terminated if answer[-1] == EOS else truncated)[row, n - 1] = True
    group = torch.arange(prompts).repeat_interleave(len(answers))
    bare = Trajectories(states, states, tokens, torch.zeros_like(rewards), rewards, terminated, truncated, mask, group)
    with torch.no_grad():
        return Trajectories(**{**vars(bare), "logprobs": Table(sampler).evaluate(bare).logprobs})


def log_chances(rows: Trajectories, logits: Tensor, prompts: int) -> Tensor:
    """Return log π(answer | prompt) of all rows, [P, N], with gradient to the table."""
    logs = torch.log_softmax(logits.flatten(0, 1), -1)[rows.obs].gather(-1, rows.actions[..., None])[..., 0]
    return torch.where(rows.mask, logs, 0).sum(1).view(prompts, -1)


def as_mdp(world: World) -> MDP:
    """Return the same world as a finite MDP: a state for every prompt and prefix, for `rlkit.exact`."""
    prompts, places = len(world.prompts), {text: i for i, text in enumerate(world.prefixes)}
    size = len(places)
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for prompt, (text, place) in itertools.product(range(prompts), places.items()):
        here = P.setdefault(size * prompt + place, {})
        for token in range(world.vocabulary):
            answer = (*text, token)
            over = token == EOS or len(answer) == world.length
            reward = world.prompts[prompt](answer) if over else 0.0
            here[token] = [(1.0, size * prompt + (place if over else places[answer]), reward, over)]
    start = torch.zeros(prompts * size, dtype=torch.float64)
    start[::size] = 1.0 / prompts
    return from_P(P, start=start.numpy())
