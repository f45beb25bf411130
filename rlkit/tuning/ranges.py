"""What a search may try: a range of numbers or a list of values for each field of a configuration."""

import ast
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from optuna.trial import Trial

_WIDE = 10.0  # a range of numbers above 0 whose ends differ by this factor is searched on a logarithmic scale

# Of these, a search tries those that the agent has and its user does not set. Deliberately without what changes the
# question (gamma), what only changes the cost (envs, threads), and what rarely matters.
USUAL: Mapping[str, str] = {
    "alpha": "0.01..1.0",
    "epsilon": "0.01..0.5",
    "lam": "0.8,0.9,0.95,0.98,1.0",
    "lr": "1e-5..1e-2",
    "steps": "8,16,32,64,128,256",
    "batch": "32,64,128,256",
    "epochs": "1..20",
    "clip": "0.1,0.2,0.3",
    "entropy": "1e-8..0.1",
    "tau": "0.001..0.1",
    "train_every": "1,4,16,64",
}


class Range(NamedTuple):
    """What to try for one field: numbers from low to high, or, where there are any, the values listed."""

    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    values: tuple[Any, ...] = ()

    def suggest(self, name: str, trial: Trial) -> Any:
        """Let a trial choose."""
        if self.values:
            index = trial.suggest_categorical(name, [repr(value) for value in self.values])
            return next(value for value in self.values if repr(value) == index)
        log = self.low > 0 and self.high / self.low >= _WIDE
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=log)
        return trial.suggest_float(name, self.low, self.high, log=log)


def parse(text: str) -> Range:
    """Read "LOW..HIGH" or "A,B,C": `1e-5..1e-2`, `1..8` (whole numbers), `64,128`, `tanh,relu`, `(64,64);(256,256)`.

    Values that contain commas themselves are separated by semicolons.

    Raises:
        ValueError: it is neither.
    """
    low, dots, high = text.partition("..")
    if dots:
        ends = _value(low), _value(high)
        if not all(isinstance(end, int | float) and math.isfinite(end) for end in ends) or not ends[0] < ends[1]:
            raise ValueError(f"{text!r} is no range; write LOW..HIGH with LOW below HIGH, such as 1e-5..1e-2")
        return Range(float(ends[0]), float(ends[1]), whole=all(isinstance(end, int) for end in ends))
    values = tuple(_value(word) for word in text.split(";" if ";" in text or "(" in text else ","))
    if len(values) < 2:
        raise ValueError(f"{text!r} leaves no choice; write LOW..HIGH, or values with commas between them: 64,128")
    return Range(values=values)


def ranges(asked: Iterable[str], fields: Mapping[str, Any], settled: Iterable[str]) -> dict[str, Range]:
    """Return what to search: what was asked for, as KEY=RANGE, or, where nothing was, the usual ranges of the fields.

    Args:
        asked: "lr=1e-4..1e-2", and so on.
        fields: of the configuration, with their values.
        settled: fields that are not searched.

    Raises:
        ValueError: a field that there is not, or nothing to search.
    """
    found: dict[str, Range] = {}
    for word in asked:
        key, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"--search {word!r} is not of the form KEY=LOW..HIGH or KEY=A,B,C")
        if key not in fields:
            raise ValueError(f"--search {word}: there is no option {key!r}; there are {', '.join(fields)}")
        found[key] = parse(text)
    if not found:
        off = set(settled)
        found = {key: parse(text) for key, text in USUAL.items() if key in fields and key not in off}
    if not found:
        raise ValueError("nothing to search; say what, such as --search alpha=0.01..1")
    return found


def _value(word: str) -> Any:
    try:
        return ast.literal_eval(word.strip())
    except (ValueError, SyntaxError):
        return word.strip()
