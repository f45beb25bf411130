"""A student: a net that learns from what was written, batch after batch, by whatever loss an algorithm gives it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report
from rlkit.pg.reduce import masked_sum
from rlkit.policies.adam import Adam
from rlkit.policies.likelihood import Likelihood
from rlkit.policies.machine import use_threads
from rlkit.sample.config import Studies, rate
from rlkit.sample.corpus import Corpus, Example, fingerprint, trajectories
from rlkit.sample.lesson import Lesson, Net, Numbers, Said
from rlkit.sample.model_part import ModelPart
from rlkit.sample.report import checked, every
from rlkit.sample.speaking import Speaking
from rlkit.sample.streams import agent_generator
from rlkit.sample.training import Part, viewed

_SPARE = 256  # tokens of padding that cost as much as one more pass through the model


class Acting(Protocol):
    """What a student does outside its training."""

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Answer a text, or a list of texts; or judge."""
        ...


class Student:
    """One run.

    An update takes the next `config.batch` items of an order that is drawn anew for each pass through the data, and of several processes
    each takes its stretch of them. What the net says at the start is asked once, of all items, before the first update: no second
    model is kept.

    Args:
        net: learns, in place.
        acting: with what has been learned.
        lesson: the loss, and the examples that it is of.
        config: the configuration.
        seed: of the order.
        parts: of the net, by which it is kept.

    Raises:
        ValueError: naming a field of the configuration that makes no sense.
    """

    def __init__(
        self, net: Net, acting: Acting, lesson: Lesson, config: Studies, seed: int, parts: Mapping[str, Part]
    ) -> None:
        for name, low in (("batch", 1), ("micro", 0), ("max_steps", 1), ("threads", 0), ("report", 0), ("horizon", 0)):
            if getattr(config, name) < low:
                raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {low}")
        if not config.max_grad_norm > 0.0:
            raise ValueError(f"max_grad_norm is {config.max_grad_norm}; it must be above 0")
        self.config, self.net, self.acting, self.lesson = config, net, acting, lesson
        self.rng, self.step = agent_generator(seed), 0
        self._lr = rate(config.lr, "lr", config)
        self._place = dist.setup(net.place)
        if self._place != net.place:
            raise ValueError(f"the model is on {net.place}, and this process has {self._place}: move it there before")
        self.optimizer = Adam(net.parameters())
        self._gradient = torch.empty_like(self.optimizer.flat)
        self._parts = {**parts, "optimizer": self.optimizer}
        self._order = np.empty(0, np.int64)  # items that this pass has not seen yet
        self._data = fingerprint(lesson.table)
        self._reference = np.zeros((len(lesson.table), len(lesson.table[0]) + bool(lesson.contrast)))
        self._asked = not (lesson.reference or lesson.contrast)
        use_threads(config.threads, self.optimizer.flat.numel(), int(config.batch * _widths(lesson.table).mean()))

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the answer to a text, or those to a list of texts; a reward model's, what pairs (prompt, answer) are worth."""
        return self.acting.act(obs, explore=explore)

    def updates(self, steps: int) -> Iterator[Report]:
        """Make `steps` more updates."""
        end, chunk = self.step + steps, every(self.config, steps)
        due = self.step + chunk
        self._ask()
        while self.step < end:
            gradient, found = self.gradient(self._next(), self._gradient)
            self.step += 1
            lr = self._lr(self.step)
            self.optimizer.step(gradient, lr, self.config.max_grad_norm)
            if self.step >= min(due, end):
                due = self.step + chunk
                numbers = torch.stack(list(found.values())).tolist()
                yield Report(self.step, checked(dict(zip(found, numbers, strict=True)), self.step) | {"lr": lr})

    def gradient(self, items: Numbers, out: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the gradient of the loss of these items of all processes, [P], and what it came to; every process must call it.

        Args:
            items: their numbers.
            out: where the gradient is to stand; None: in a new tensor.
        """
        lesson, ranks = self.lesson, dist.world_size()
        places = np.array_split(np.arange(len(items)), ranks)[dist.rank()]
        own, taught = items[places], [lesson.table[i] for i in items[places]]
        if lesson.renew is not None:
            taught = lesson.renew(items, places, self.rng)
        denominator = torch.tensor(len(items) / ranks, dtype=torch.float64)
        if lesson.per == "token":
            count = sum(len(one.answer) for examples in taught for one in examples)
            denominator = dist.mean(torch.tensor(float(count), dtype=torch.float64, device=self._place))
        point = self._point(own, len(items) / ranks)
        total, sums = torch.zeros_like(self.optimizer.flat) if out is None else out.zero_(), dict[str, Tensor]()
        for part in _cut(taught, self.config.micro):
            traj = trajectories([one for k in part for one in taught[k]], self._place)
            reference = torch.from_numpy(self._reference[own[part], : len(taught[0])]).to(self._place)
            numbers = torch.from_numpy(own[part]).to(self._place)
            found = lesson.loss(Said(self.net.say(traj), traj.mask, numbers, reference, point))
            self.optimizer.add_gradient(total, found.loss / denominator)
            for name, value in {"loss": found.loss.detach(), **found.measures}.items():
                sums[name] = sums.get(name, 0.0) + value.double() / denominator
        return dist.mean_(total), self._everyones(sums)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return self._state({name: part.state_dict() for name, part in self._parts.items()})

    def views(self) -> dict[str, Any]:
        """Return the same without copying it, the model as files; true until the run goes on."""
        return self._state(viewed(self._parts))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another model, or of other data.
        """
        if int(state["data"]) != self._data:
            raise ValueError("the state is of other data; go on with those that it was begun with")
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self.rng.bit_generator.state = state["generator"]
        self._reference, self._asked = np.array(state["reference"]), bool(state["asked"])
        self._order = np.array(state["order"], np.int64)
        self.step = int(state["step"])

    def _state(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "step": self.step,
            "generator": self.rng.bit_generator.state,
            "order": self._order.copy(),
            "data": self._data,
            "asked": int(self._asked),
            "reference": self._reference.copy(),
            **parts,
        }

    def _next(self) -> Numbers:
        while len(self._order) < self.config.batch:
            self._order = np.concatenate([self._order, self.rng.permutation(len(self.lesson.table))])
        items, self._order = np.split(self._order, [self.config.batch])
        return items

    def _everyones(self, sums: dict[str, Tensor]) -> dict[str, Tensor]:
        """Average what each process has found, also one that had no item."""
        if dist.world_size() == 1:
            return sums
        names = next(names for names in dist.everyone(list(sums)) if names)
        mine = torch.stack([sums.get(name, torch.zeros((), dtype=torch.float64, device=self._place)) for name in names])
        return dict(zip(names, dist.mean(mine), strict=True))

    @torch.no_grad()
    def _ask(self) -> None:
        """Ask the net, before it has learned, what it says of every example; each process asks of its stretch of them."""
        if self._asked:
            return
        lesson, ranks = self.lesson, dist.world_size()
        own = np.array_split(np.arange(len(lesson.table)), ranks)[dist.rank()]
        for start in range(0, len(own), self.config.batch):
            some = own[start : start + self.config.batch]
            for part in _cut([lesson.table[i] for i in some], self.config.micro):
                items = some[part]
                said = [self._sums([one for i in items for one in lesson.table[i]]).reshape(len(items), -1)]
                said += [self._sums([lesson.contrast[i] for i in items])[:, None]] if lesson.contrast else []
                self._reference[items] = torch.cat(said, 1).double().cpu().numpy()
        self._reference = dist.joined(self._reference[own])
        self._asked = True

    @torch.no_grad()
    def _point(self, own: Numbers, count: float) -> Tensor:
        contrast, total = self.lesson.contrast, torch.zeros((), dtype=torch.float64, device=self._place)
        if not contrast:
            return total
        for part in _cut([(contrast[i],) for i in own], self.config.micro):
            before = torch.from_numpy(self._reference[own[part], -1]).to(self._place)
            total += (self._sums([contrast[i] for i in own[part]]) - before).sum()
        return dist.mean(total / count)

    def _sums(self, examples: Sequence[Example]) -> Tensor:
        traj = trajectories(examples, self._place)
        return masked_sum(self.net.say(traj), traj.mask, (1,))


def speaking(corpus: Corpus, lesson: Lesson, config: Studies, seed: int) -> Student:
    """Return the student who is the corpus's language model, and is taught by how likely it finds the examples."""
    net, acting = Likelihood(corpus.policy.model), Speaking(corpus, config.max_steps, seed)
    return Student(net, acting, lesson, config, seed, {"net": ModelPart(corpus)})


def _widths(table: Sequence[tuple[Example, ...]]) -> Numbers:
    """Tokens of each item, its prompt once."""
    return np.array([len(item[0].prompt) + sum(len(one.answer) for one in item) for item in table], np.int64)


def _cut(table: Sequence[tuple[Example, ...]], most: int) -> Iterator[Numbers]:
    """Deal items into micro-batches of at most `most`, those together that are alike in length: padding must not cost more than a pass."""
    width = _widths(table)
    order, start = np.argsort(width, kind="stable"), 0
    width, most = width[order], most or len(table)
    for i in range(1, len(order) + 1):
        if i == len(order) or i - start == most or (width[i] - width[i - 1]) * (i - start) > _SPARE:
            yield order[start:i]
            start = i
