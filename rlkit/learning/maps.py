"""Feature maps: what an observation's numbers, or what a function says of it, become in a row of two tables."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.inputs import Inputs
from rlkit.tabular import features as kernels
from rlkit.tabular.jit import direct

MOST = 1 << 22  # features; a vector of more is a mistake, or wants hashing

Encode = Callable[[Any, Ints, Floats, int], bool]  # (observation, index, value, row) -> whether it was finite


class Map(NamedTuple):
    """A feature map: what writes the features of an observation into a row of two tables."""

    size: int  # d
    column: Ints  # [m] what a row of indices holds at first
    phi: Floats  # [m] the same of values
    encode: Encode
    one: Floats  # [d] weights with which every value is 1; [0] where there are none
    binary: bool  # whether features are 0 or 1, few of them 1


class MapError(ValueError):
    """What is wrong with the arguments of a feature map."""


def one_hot(seen: Inputs) -> Map:
    """Return a feature for each state."""
    if not len(seen.states):
        raise MapError("one-hot needs finitely many states; write 'tiles(8, 8)', say")

    def encode(obs: Any, index: Ints, value: Floats, row: int) -> bool:  # noqa: ARG001
        index[row, 0] = row
        return True

    return Map(len(seen.states), np.zeros(1, np.int64), np.ones(1), encode, np.ones(len(seen.states)), True)


def tilings(m: int, sides: list[int], size: int, seen: Inputs) -> Map:
    """Return m displaced tilings of as many tiles along each input as `sides` says, hashed into `size` places if not 0."""
    extra = int(m > 1)  # a displaced tiling shows a part of one tile more
    counts = np.array([sides, [side + extra for side in sides]], np.float64)
    # Displacements 1, 3, 5, ... of the inputs leave no stripes along the diagonals, S&B section 9.5.4.
    offsets = np.outer(np.arange(m), 2 * np.arange(len(sides)) + 1) % m / m
    every = m * float(np.prod(counts[1]))
    if not size and every > MOST:
        raise MapError(f"these are {every:.3g} tiles; hash them into fewer places: hash={1 << 16}")
    d = _checked(size or int(every))
    encode = _encoder(kernels.tiles, seen, counts, offsets, size, like=np.zeros((1, m), np.int64), dense=False)
    return Map(d, np.zeros(m, np.int64), np.ones(m), encode, np.full(d, 1.0 / m), True)


def polynomial(degree: int, seen: Inputs) -> Map:
    """Return all products of the inputs up to a degree, the constant first."""
    k = seen.spans.shape[1]
    _checked(float(np.prod([(degree + 1 + j) / (1 + j) for j in range(k)])))
    powers = sorted(_exponents(degree, k), key=lambda row: (sum(row), [-power for power in row]))
    table = np.array(powers, np.float64)
    encode = _encoder(kernels.polynomial, seen, table, like=table, dense=True)
    return _dense(len(table), encode, np.eye(1, len(table))[0])


def fourier(order: int, seen: Inputs) -> Map:
    """Return the cosines of all frequencies 0 .. order, the constant first."""
    d = _checked(float(order + 1) ** seen.spans.shape[1])
    sines = np.zeros(d)
    encode = _encoder(kernels.fourier, seen, order, sines, like=sines[None], dense=True)
    return _dense(d, encode, np.eye(1, d)[0])


def radial(n: int, width: float, seen: Inputs) -> Map:
    """Return Gaussian bumps at n places along each input."""
    k = seen.spans.shape[1]
    _checked(float(n) ** k)
    centres = np.array(list(product(np.linspace(0.0, 1.0, n), repeat=k)))
    encode = _encoder(kernels.radial, seen, centres, width, like=centres, dense=True)
    return _dense(len(centres), encode, np.zeros(0))


def function_map(phi: Callable[[Any], Any], example: Any) -> Map:
    """Return the map of a user's function, which is called once for each observation.

    Raises:
        ValueError: it gives no numbers for the example.
    """
    name = function_name(phi)
    first = np.asarray(phi(example), np.float64).ravel()
    if not first.size:
        raise ValueError(f"{name} gave no features for the observation {example!r}")

    def encode(obs: Any, index: Ints, value: Floats, row: int) -> bool:  # noqa: ARG001
        found = np.asarray(phi(obs), np.float64).ravel()
        if found.size != first.size:
            raise ValueError(
                f"{name} gave {found.size} features for the observation {obs!r}, and {first.size} for {example!r}"
            )
        value[row] = found
        return bool(np.isfinite(found).all())

    return _dense(first.size, encode, np.zeros(0))


def function_name(phi: Callable[[Any], Any]) -> str:
    """Return the name under which a configuration holds a function."""
    return f"{getattr(phi, '__module__', '')}:{getattr(phi, '__qualname__', type(phi).__qualname__)}"


def _dense(d: int, encode: Encode, one: Floats) -> Map:
    return Map(d, np.arange(d), np.zeros(d), encode, one, False)


def _encoder(kernel: Any, seen: Inputs, *constants: Any, like: Any, dense: bool) -> Encode:
    """Return what writes an observation into a row of values (dense) or of indices, tables like `like`, by a kernel."""
    numbers = np.zeros(seen.spans.shape[1])  # a copy, for the kernel to scale
    shape = numbers.shape
    call = direct(kernel, numbers, seen.spans, *constants, like, 0)
    write: Callable[[Any, int], bool] = partial(call, numbers, seen.spans, *constants)

    def encode(obs: Any, index: Ints, value: Floats, row: int) -> bool:
        if type(obs) is not np.ndarray or obs.shape != shape:
            obs = _numbers(obs, len(numbers))
        numbers[...] = obs
        return write(value if dense else index, row)

    return encode


def _numbers(obs: Any, k: int) -> Floats:
    found = np.array(obs, np.float64).ravel()
    if len(found) != k:
        raise ValueError(f"the observation {obs!r} has {len(found)} numbers, and its observation_space {k}")
    return found


def _exponents(degree: int, k: int) -> list[tuple[int, ...]]:
    if k == 0:
        return [()]
    return [(first, *rest) for first in range(degree + 1) for rest in _exponents(degree - first, k - 1)]


def _checked(d: float) -> int:
    if d > MOST:
        raise MapError(f"these are {d:.3g} features, more than {MOST}")
    return round(d)
