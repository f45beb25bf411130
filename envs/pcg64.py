"""NumPy's PCG64 in compiled code: one generator per row, the same numbers as `Generator(PCG64(seed)).random()`, bit for bit.

    state ← state · M + inc  (mod 2¹²⁸);   word = rotr₆₄(hi ⊕ lo, hi >> 58);   u = (word >> 11) / 2⁵³

Source: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation"
(2014), member XSL RR 128/64. A row holds (state high, state low, increment high, increment low) as uint64.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

MULTIPLIER_HIGH = np.uint64(2549297995355413924)
MULTIPLIER_LOW = np.uint64(4865540595714422341)
ONES = (1 << 64) - 1


@intrinsic
def multiply_high(typingctx: Any, a: Any, b: Any) -> Any:  # noqa: ARG001  (the signature that numba asks of an intrinsic)
    """The upper 64 bits of the 128-bit product of two uint64; NumPy and numba have no 128-bit integer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@njit(cache=True, nogil=True)
def advanced(high: Any, low: Any, inc_high: Any, inc_low: Any) -> tuple[Any, Any]:
    """The next state (high, low) of a generator."""
    next_low = low * MULTIPLIER_LOW + inc_low
    carry = np.uint64(next_low < inc_low)
    upper: np.uint64 = multiply_high(low, MULTIPLIER_LOW)
    next_high = upper + high * MULTIPLIER_LOW + low * MULTIPLIER_HIGH + inc_high + carry
    return next_high, next_low


@njit(cache=True, nogil=True)
def word_53(high: Any, low: Any) -> Any:
    """The 53 random bits, as uint64, that `random()` divides by 2⁵³ in the state (high, low)."""
    word = high ^ low
    turn = high >> np.uint64(58)
    word = (word >> turn) | (word << ((np.uint64(64) - turn) & np.uint64(63)))
    return word >> np.uint64(11)


@njit(cache=True, nogil=True)
def random_53(rng: NDArray[np.uint64], i: int) -> Any:
    """Advance row i of rng (uint64[N, 4]) and return its 53 random bits."""
    rng[i, 0], rng[i, 1] = advanced(rng[i, 0], rng[i, 1], rng[i, 2], rng[i, 3])
    return word_53(rng[i, 0], rng[i, 1])


@njit(cache=True, nogil=True)
def random(rng: NDArray[np.uint64], i: int) -> Any:
    """Advance row i of rng (uint64[N, 4]) and return its next number in [0, 1)."""
    return random_53(rng, i) * 2.0**-53


def thresholds(cdf: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The least 53-bit words that leave each step of a cdf behind: cdf <= u if and only if threshold <= random_53."""
    return np.ceil(np.asarray(cdf, np.float64) * 2.0**53).astype(np.uint64)


def seeded(seeds: Sequence[int]) -> NDArray[np.uint64]:
    """Rows [N, 4] in the state of `np.random.Generator(np.random.PCG64(seed))`, one for each seed."""
    rows = np.empty((len(seeds), 4), np.uint64)
    for i, seed in enumerate(seeds):
        rows[i] = from_generator(np.random.PCG64(seed))
    return rows


def unseeded(n: int) -> NDArray[np.uint64]:
    """Rows [n, 4] filled from the operating system's entropy; increments are odd, as PCG asks."""
    rows = np.random.SeedSequence().generate_state(4 * n, np.uint64).astype(np.uint64).reshape(n, 4)
    rows[:, 3] |= np.uint64(1)
    return rows


def from_generator(bits: np.random.PCG64) -> tuple[int, int, int, int]:
    """The row of a NumPy bit generator, as it stands."""
    words = bits.state["state"]
    return words["state"] >> 64, words["state"] & ONES, words["inc"] >> 64, words["inc"] & ONES


def to_generator(row: NDArray[np.uint64]) -> np.random.Generator:
    """A NumPy generator that goes on where the row stands (a copy: drawing from it leaves the row alone)."""
    high, low, inc_high, inc_low = (int(word) for word in row)
    bits = np.random.PCG64(0)
    words: Any = {"state": high << 64 | low, "inc": inc_high << 64 | inc_low}
    bits.state = {"bit_generator": "PCG64", "state": words, "has_uint32": 0, "uinteger": 0}
    return np.random.Generator(bits)
