"""Training: what every deep agent's training has, whatever it learns: a count of steps, reports when they are due, and a state."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report, Viewed
from rlkit.sample.config import Deep, rate
from rlkit.sample.draws import agent_generator
from rlkit.sample.report import checked, episodes, every

Ended = Sequence[tuple[float, int]]  # (return, length) of each episode


class Part(Protocol):
    """Anything of an agent that has a state: weights, an optimizer, a sampler."""

    def state_dict(self) -> Any:
        """Return arrays and numbers, by name or alone."""
        ...

    def load_state_dict(self, state: Any) -> None:
        """Take them over."""
        ...


def viewed(parts: Mapping[str, Part | None]) -> dict[str, Any]:
    """Return the state of each part, without copying it where the part can show it."""
    return {
        name: part.views() if isinstance(part, Viewed) else None if part is None else part.state_dict()
        for name, part in parts.items()
    }


class Training:
    """Counts the steps of one run, and says when to report.

    Args:
        config: the agent's.
        seed: of the agent's own draws.
        parts: what makes up its state, by name; None for what this configuration leaves out.
        whole: only whole episodes are played, and what one `ask` takes too many, the next takes less.

    Attributes:
        rng: of the agent's own draws.
        step: steps so far, over all processes.
        lr: the step size, a schedule over steps.
    """

    def __init__(self, config: Deep, seed: int, parts: Mapping[str, Part | None], *, whole: bool = False) -> None:
        self.config, self.parts, self.whole = config, dict(parts), whole
        self.rng = agent_generator(seed)
        self.lr = rate(config.lr, "lr", config)
        self.step = 0
        self._beyond = 0  # steps that the last episodes took beyond what was asked for
        self._end = self._chunk = self._due = 0
        self._ended: list[tuple[float, int]] = []

    def ask(self, steps: int) -> int:
        """Begin to take `steps` more steps; return where they end."""
        self._end, self._chunk = self.step - self._beyond + steps, every(self.config, steps)
        self._due, self._beyond = self.step + self._chunk, 0
        return self._end

    def counted(self, steps: int, ended: Ended = ()) -> bool:
        """Count steps, and episodes that have ended where nobody else remembers them; return whether a report is due."""
        self.step += steps
        self._ended += ended
        due = self.step >= min(self._due, self._end)
        if due:
            self._due = self.step + self._chunk
            self._beyond = max(0, self.step - self._end) if self.whole else 0
        return due

    def report(self, found: Mapping[str, Tensor], ended: Ended = (), **known: float) -> Report:
        """Report on the episodes that have ended, and on what an update came to; here the host waits for the device.

        Args:
            found: scalars of one type on the device; over several processes their means are reported. Empty: nothing was learned yet.
            ended: episodes, beside those that were counted.
            known: more numbers, the same on all processes.

        Raises:
            ValueError: it came to what is no number.
        """
        numbers = dist.mean(torch.stack(list(found.values()))).tolist() if found else []
        scalars = checked(dict(zip(found, numbers, strict=True)) | known, self.step)
        ended, self._ended = [*self._ended, *ended], []
        return Report(self.step, episodes(ended) | scalars)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return self._state({name: None if part is None else part.state_dict() for name, part in self.parts.items()})

    def views(self) -> dict[str, Any]:
        """Return the same without copying it, from parts that can; true until the training goes on."""
        return self._state(viewed(self.parts))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of other nets, or of other worlds.
        """
        for name, part in self.parts.items():
            if part is not None:
                part.load_state_dict(state[name])
        self.rng.bit_generator.state = state["generator"]
        self.step = int(state["step"])
        self._beyond = int(state["beyond"]) if self.whole else 0

    def _state(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        beyond = {"beyond": self._beyond} if self.whole else {}
        return {"step": self.step, **beyond, "generator": self.rng.bit_generator.state, **parts}
