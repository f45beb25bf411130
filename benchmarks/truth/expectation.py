"""The gradient that `rlkit.agents.grpo` takes on average: the weighted mean over all batches that a policy can draw, none left out.

A batch is `group` answers to every prompt. Their order within a prompt does not matter, so that each combination is computed once
and weighted by how many orders it has; what the class computes from a batch is not touched.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.truth.worlds import Table, World, log_chances, rows_of
from rlkit.agents.grpo import GRPO, Config
from rlkit.data import Trajectories


class Moments(NamedTuple):
    """What is known of a random gradient."""

    mean: Tensor  # [D]  upwards
    variance: float  # the trace of its covariance

    def cosine(self, truth: Tensor) -> float:
        """Return the cosine of the mean with the true gradient."""
        return float(torch.cosine_similarity(self.mean, truth, 0))

    def length(self, truth: Tensor) -> float:
        """Return ‖E g‖ / ‖∇J‖."""
        return float(self.mean.norm() / truth.norm())

    def noise(self) -> float:
        """Return √tr Cov g / ‖E g‖, which no scale of the loss changes."""
        return math.sqrt(self.variance) / float(self.mean.norm())


class Played:
    """A sampler that gives what it was told to."""

    def __init__(self) -> None:
        self.traj: Trajectories | None = None

    def collect(self, rng: Any) -> Trajectories:  # noqa: ARG002 - nothing is random
        """Return it."""
        assert self.traj is not None
        return self.traj

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Take nothing."""


def batches(prompts: int, answers: int, group: int) -> Iterator[tuple[Tensor, int]]:
    """Yield the rows [P * G] of every batch, and how many orders it has within the prompts."""
    one = list(itertools.combinations_with_replacement(range(answers), group))
    orders = [math.factorial(group) // math.prod(map(math.factorial, Counter(c).values())) for c in one]
    for chosen in itertools.product(range(len(one)), repeat=prompts):
        rows = [answers * p + answer for p, c in enumerate(chosen) for answer in one[c]]
        yield torch.tensor(rows), math.prod(orders[c] for c in chosen)


def coupled(config: Config) -> bool:
    """Whether what an answer teaches depends on answers to other prompts: through a divisor, or a deviation, of the batch."""
    return config.whiten or config.how == "token" or config.mask_truncated


def moments(world: World, config: Config, logits: Tensor, **others: Tensor) -> Moments:
    """Return the mean and the variance of the gradient over all batches; see `joint` for the arguments.

    Where prompts do not touch each other, the gradient of a batch is the mean of independent gradients of each prompt alone: a batch
    of one prompt's answers, of all its groups, is enough. It is the same to rounding (tested), in a fraction of the time.
    """
    if coupled(config):
        return joint(world, config, logits, **others)
    number = len(world.prompts)
    mean, variance = torch.zeros(logits.shape, dtype=torch.float64), 0.0
    for i, prompt in enumerate(world.prompts):
        alone = {name: table[i : i + 1] for name, table in others.items()}
        found = joint(world._replace(prompts=(prompt,)), config, logits[i : i + 1], **alone)
        mean[i] = found.mean.view(logits.shape[1:]) / number
        variance += found.variance / number**2
    return Moments(mean.flatten(), variance)


def joint(
    world: World,
    config: Config,
    logits: Tensor,
    *,
    sampler: Tensor | None = None,
    now: Tensor | None = None,
    reference: Tensor | None = None,
) -> Moments:
    """Return the mean and the variance of the gradient over all batches of answers to all prompts.

    Args:
        world: the prompts.
        config: of `grpo`; its `group`, and everything that makes an algorithm.
        logits: the policy that says the old log-probabilities, [P, S, V].
        sampler: what draws the answers, if that is another one.
        now: what is differentiated, if the policy has moved since.
        reference: what the divergence is taken to, if `config.kl`.
    """
    sampler, now = logits if sampler is None else sampler, logits if now is None else now
    rows = rows_of(world, sampler)
    logs = log_chances(rows, sampler, len(world.prompts)).flatten()
    table = Table(logits)
    agent = GRPO(Played(), table, None, config, seed=0)  # type: ignore[arg-type]  # nothing acts here
    if agent.reference is not None and reference is not None:
        agent.reference.load_state_dict({"logits": reference})  # type: ignore[attr-defined]  # it is a Table, copied
    clip = {"low": float(config.clip), "high": float(config.clip if config.clip_high is None else config.clip_high)}
    mean, square, total = torch.zeros(logits.numel(), dtype=torch.float64), 0.0, 0.0
    for index, orders in batches(len(world.prompts), len(world.answers), config.group):
        weight = orders * math.exp(float(logs[index].sum()))
        agent.optimizer.flat.copy_(logits.flatten())
        lesson = agent.prepare(rows.select(index))
        agent.optimizer.flat.copy_(now.flatten())
        up = -agent.gradient(lesson.traj, lesson.advantages, lesson.reference, **clip)
        mean += weight * up
        square += weight * float(up.square().sum())
        total += weight
    assert abs(total - 1.0) < 1e-12, f"the chances of all batches sum to {total}"
    return Moments(mean, max(0.0, square - float(mean.square().sum())))


def objective(world: World, logits: Tensor, *, reference: Tensor | None = None, beta: float = 0.0) -> Tensor:
    """Return J = mean over prompts of E[R] - β KL(π ‖ π_ref) of whole answers, with gradient to the logits."""
    rows, prompts = rows_of(world, logits.detach()), len(world.prompts)
    logs = log_chances(rows, logits, prompts)
    worth = rows.rewards.sum(1).view(prompts, -1)
    if reference is not None:
        worth = worth - beta * (logs - log_chances(rows, reference, prompts))
    return (logs.exp() * worth).sum(1).mean()


def exact_gradient(world: World, logits: Tensor, *, reference: Tensor | None = None, beta: float = 0.0) -> Tensor:
    """Return ∇J of `objective`, [D], by differentiating the sum over all answers."""
    leaf = logits.clone().requires_grad_()
    (found,) = torch.autograd.grad(objective(world, leaf, reference=reference, beta=beta), leaf)
    return found.flatten()
