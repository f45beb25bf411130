"""Step sizes and other rates that change with time: what they are, and which of Robbins and Monro's conditions they meet."""

import math
import re
from typing import NamedTuple

import numpy as np

from rlkit.arrays import Floats
from rlkit.tabular.jit import kernel

Rate = float | str  # as a user writes it; see `schedule`

POWER, LINEAR, COSINE = range(3)
_FORM = re.compile(r"(?P<start>[^/]+)/(?:(?P<bare>[kn])|\((?P<count>[kn])(?P<offset>[+-][^)]+)?\))(?:\^(?P<power>.+))?")
_RAMP = re.compile(r"(?P<name>linear|cosine)\((?P<start>[^,]+),(?P<end>[^,]+),(?P<horizon>[^,]+)\)")


class Schedule(NamedTuple):
    """a_k for k = 1, 2, ...: start / (k + offset)^power, or a ramp from start to end over `horizon` counts.

    A constant has power 0. k counts updates of everything, or of one state(-action pair) where `per_visit` is set.
    """

    kind: int
    start: float
    end: float = 0.0
    offset: float = 0.0
    power: float = 0.0
    horizon: float = 1.0
    per_visit: bool = False

    @property
    def last(self) -> float:
        """The limit of a_k."""
        if self.kind != POWER:
            return self.end
        return self.start if self.power == 0.0 else 0.0

    @property
    def sum_diverges(self) -> bool:
        """Whether Σ a_k = ∞: every point can be reached."""
        return self.last > 0.0 or (self.kind == POWER and self.start > 0.0 and self.power <= 1.0)

    @property
    def squares_converge(self) -> bool:
        """Whether Σ a_k² < ∞: the noise is averaged out."""
        return self.last == 0.0 and (self.kind != POWER or self.start == 0.0 or self.power > 0.5)

    @property
    def robbins_monro(self) -> bool:
        """Whether both hold, Zhao theorem 6.1, condition 2; S&B (2.7)."""
        return self.sum_diverges and self.squares_converge

    def __call__(self, k: int) -> float:
        """Return a_k."""
        return rate(self.packed(), k)

    def packed(self) -> Floats:
        """Return the schedule as kernels take it, [7]: handing an array over takes a fifth of the time."""
        return np.array(self, np.float64)

    def __str__(self) -> str:
        if self.kind != POWER:
            name = ("linear", "cosine")[self.kind - 1]
            return f"{name}({_short(self.start)}, {_short(self.end)}, {_short(self.horizon)})"
        if self.power == 0.0:
            return _short(self.start)
        count = "n" if self.per_visit else "k"
        if self.offset:
            count = f"({count}{'+' if self.offset > 0 else '-'}{_short(abs(self.offset))})"
        return f"{_short(self.start)}/{count}" + ("" if self.power == 1.0 else f"^{_short(self.power)}")


def schedule(text: Rate | Schedule, name: str = "rate") -> Schedule:
    """Read a schedule: a number, "1/k", "1/(k+10)", "0.5/k^0.7", "linear(0.5, 0.01, 10000)" or "cosine(...)" the same.

    Written with n instead of k, it counts the visits of each state-action pair: "1/n" is the mean of all targets.

    Args:
        text: the schedule; one that was read before is written out and read again.
        name: what an error calls it.

    Raises:
        ValueError: the text is none of these, or a number in it is negative, not finite, or divides by zero.
    """
    words = str(text).replace(" ", "")
    form, ramp = _FORM.fullmatch(words), _RAMP.fullmatch(words)
    try:
        if ramp:
            start, end, horizon = (float(ramp[key]) for key in ("start", "end", "horizon"))
            found = Schedule((LINEAR, COSINE)[ramp["name"] == "cosine"], start, end, horizon=horizon)
        elif form:
            offset, power = float(form["offset"] or 0.0), float(form["power"] or 1.0)
            visits = "n" in (form["bare"], form["count"])
            found = Schedule(POWER, float(form["start"]), 0.0, offset, power, per_visit=visits)
        else:
            found = Schedule(POWER, float(words))
    except ValueError:
        raise ValueError(
            f"{name} is {text!r}; write a number, '1/k', '1/(k+10)', '0.5/k^0.7' (n instead of k counts each pair's "
            "visits), 'linear(0.5, 0.01, 10000)' or 'cosine(0.5, 0.01, 10000)'"
        ) from None
    numbers = (found.start, found.end, found.offset, found.power, found.horizon)
    if not all(math.isfinite(number) for number in numbers) or min(found.start, found.end, found.power) < 0.0:
        raise ValueError(f"{name} is {text!r}; its numbers must be finite, and none may be negative")
    if found.offset <= -1.0 or found.horizon <= 0.0:
        raise ValueError(f"{name} is {text!r}; it divides by zero: k begins at 1, and a horizon is above 0")
    return found


def bounded(text: Rate, name: str, low: float, high: float, *, open_below: bool = False) -> Schedule:
    """Read a schedule whose values all lie between low and high.

    Raises:
        ValueError: naming the value that does not.
    """
    found = schedule(text, name)
    values = (found(1), found.last) if found.kind == POWER else (found.start, found.end)
    closed = not open_below or max(values) > low  # what falls towards an open bound may reach it in the limit
    for value in values:
        if not low <= value <= high or not closed:
            bracket = "(" if open_below else "["
            raise ValueError(
                f"{name} is {text!r}, which takes the value {value:g}; it must lie in {bracket}{low:g}, {high:g}]"
            )
    return found


def _short(number: float) -> str:
    """Write a number so that reading it gives the same one."""
    return f"{number:g}" if float(f"{number:g}") == number else repr(float(number))


@kernel
def rate(packed: Floats, k: int) -> float:
    """Return a_k, k = 1, 2, ..., of a packed schedule."""
    kind, start, end, offset, power, horizon = packed[0], packed[1], packed[2], packed[3], packed[4], packed[5]
    if kind == POWER:
        if power == 0.0:
            return float(start)
        if power == 1.0:
            return float(start / (k + offset))
        return float(start / (k + offset) ** power)
    share = min(1.0, (k - 1) / horizon)
    if kind == LINEAR:
        return float(start + (end - start) * share)
    return float(end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * share)))


@kernel
def per_visit(packed: Floats) -> bool:
    """Whether a packed schedule counts the visits of each state(-action pair)."""
    return bool(packed[6] != 0.0)
