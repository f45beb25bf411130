"""Feature maps as a user writes them: "one-hot", "aggregate(10)", "polynomial(2)", "fourier(3)", "rbf(5)", "tiles(8, 8x8)", a function."""

import re

import numpy as np

from rlkit.learning import maps
from rlkit.learning.inputs import Inputs
from rlkit.learning.maps import Map, MapError

FORMS = (
    '"one-hot", "aggregate(10)", "polynomial(2)", "fourier(3)", "rbf(5)", "tiles(8, 8x8)", "tiles(8, 8x8, hash=4096)"'
)
_FORM = re.compile(r"(?P<name>[a-z-]+)(?:\((?P<arguments>[^()]*)\))?")


def read_map(text: str, seen: Inputs) -> Map:
    """Read a feature map.

    one-hot: a feature for each of finitely many states. aggregate(n), aggregate(4x3): the inputs cut into n (4 by 3)
    groups. polynomial(n): all products of the inputs, in [-1, 1], up to degree n. fourier(n): cosines of all frequencies
    0 .. n of the inputs in [0, 1]. rbf(n), rbf(n, width): Gaussian bumps at n places along each input, as wide as they
    are apart. tiles(m, n), tiles(m, 8x4), tiles(m, n, hash=size): m displaced tilings of n (8 by 4) tiles, hashed into
    `size` places where there are too many.

    Args:
        text: the map; "auto" is one-hot for finitely many states, and tiles(8, 8) for others.
        seen: the inputs.

    Raises:
        ValueError: there is no such map, it has not such arguments, or it has too many features.
    """
    if text == "auto":
        text = "one-hot" if len(seen.states) else "tiles(8, 8)"
    form = _FORM.fullmatch(text.replace(" ", ""))
    makers = {
        "one-hot": _one_hot,
        "aggregate": _aggregate,
        "polynomial": _polynomial,
        "fourier": _fourier,
        "rbf": _rbf,
        "tiles": _tiles,
    }
    if form is None or form["name"] not in makers:
        hint = "; this is the name of a function, which only the function itself can stand for" if ":" in text else ""
        raise ValueError(f"features is {text!r}; write {FORMS}, or in Python give a function{hint}")
    arguments = form["arguments"].split(",") if form["arguments"] else []
    try:
        return makers[form["name"]](arguments, seen)
    except MapError as wrong:
        raise ValueError(f"features is {text!r}; {wrong}") from None


def _one_hot(arguments: list[str], seen: Inputs) -> Map:
    if arguments:
        raise MapError("one-hot takes no arguments")
    return maps.one_hot(seen)


def _aggregate(arguments: list[str], seen: Inputs) -> Map:
    if len(arguments) != 1:
        raise MapError("aggregate takes one argument: 'aggregate(10)', 'aggregate(4x3)'")
    return maps.tilings(1, _sides(arguments[0], seen), 0, seen)


def _tiles(arguments: list[str], seen: Inputs) -> Map:
    hashed = [part for part in arguments if part.startswith("hash=")]
    plain = [part for part in arguments if not part.startswith("hash=")]
    if len(plain) != 2 or len(hashed) > 1:
        raise MapError("tiles takes the tilings and the tiles of each: 'tiles(8, 8x8)', 'tiles(8, 8, hash=4096)'")
    size = _whole(hashed[0].removeprefix("hash="), "hash") if hashed else 0
    return maps.tilings(_whole(plain[0], "the number of tilings"), _sides(plain[1], seen), size, seen)


def _polynomial(arguments: list[str], seen: Inputs) -> Map:
    return maps.polynomial(_only(arguments, "polynomial(2)"), seen)


def _fourier(arguments: list[str], seen: Inputs) -> Map:
    return maps.fourier(_only(arguments, "fourier(3)"), seen)


def _rbf(arguments: list[str], seen: Inputs) -> Map:
    n = _whole(arguments[0] if arguments else "", "the number of centres")
    if n < 2 or len(arguments) > 2:
        raise MapError("rbf takes the centres along each input, 2 or more, and their width: 'rbf(5)', 'rbf(5, 0.25)'")
    return maps.radial(n, _positive(arguments[1]) if len(arguments) == 2 else 1.0 / (n - 1), seen)


def _sides(text: str, seen: Inputs) -> list[int]:
    sides, k = [_whole(side, "a number of tiles") for side in text.split("x")], seen.spans.shape[1]
    if len(sides) == 1:
        sides *= k
    if len(sides) != k:
        raise MapError(f"it cuts {len(sides)} inputs, but the observation has {k}")
    return sides


def _only(arguments: list[str], example: str) -> int:
    if len(arguments) != 1:
        raise MapError(f"it takes one whole number: {example!r}")
    return _whole(arguments[0], "its argument")


def _whole(text: str, what: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise MapError(f"{what} must be a whole number from 1")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < np.inf:
        raise MapError("a width must be above 0")
    return number
