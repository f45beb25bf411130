"""Feature maps as kernels, S&B section 9.5: an observation x [k] becomes m pairs of an index and a value, φ(s) = Σ value e_index.

Every kernel first scales x to [0, 1] in place, and returns whether x was finite; where it was not, it writes nothing.
Dense maps write the values alone, their indices being 0 .. d-1 for ever; tile coding writes the indices, its values being 1.
"""

import math

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.jit import brief, kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits in no pattern: keeps (tiling, tile) and (tile, tiling) apart


@kernel
def scale(x: Floats, spans: Floats) -> bool:
    """Move each x_j of [low, low + width] to [0, 1], clipped; without bounds, u = 1/2 + x / (2 + 2|x|).

    Args:
        x: [k], changed in place.
        spans: [2, k] low and width; an infinite width means that there are no bounds.
    """
    for j in range(x.size):
        if not np.isfinite(x[j]):
            return False
    for j in range(x.size):
        if np.isinf(spans[1, j]):
            x[j] = 0.5 + 0.5 * x[j] / (1.0 + abs(x[j]))
        else:
            x[j] = min(1.0, max(0.0, (x[j] - spans[0, j]) / spans[1, j]))
    return True


@brief
def polynomial(x: Floats, spans: Floats, powers: Floats, value: Floats, row: int) -> bool:
    """φ_i = Π_j (2 u_j - 1)^powers_ij, Zhao section 8.2.3; S&B (9.17) has all powers up to n of each.

    Args:
        x: [k], changed in place.
        spans: [2, k]; see `scale`.
        powers: [d, k], whole numbers.
        value: [R, d].
        row: of value, to be written.
    """
    if not scale(x, spans):
        return False
    for i in range(powers.shape[0]):
        product = 1.0
        for j in range(x.size):
            for _ in range(int(powers[i, j])):
                product *= 2.0 * x[j] - 1.0
        value[row, i] = product
    return True


@brief
def fourier(x: Floats, spans: Floats, order: int, sines: Floats, value: Floats, row: int) -> bool:
    """φ_i = cos(π Σ_j c_ij u_j), S&B (9.18), Zhao section 8.2.3, c_i the i-th row of numbers 0 .. order, the last fastest.

    By e^{iπ(a + u)} = e^{iπa} e^{iπu} each feature is one product of complex numbers, from a sine and a cosine of each
    input: it differs from the formula by the rounding of some `order` products for each input.

    Args:
        x: [k], changed in place.
        spans: [2, k]; see `scale`.
        order: n.
        sines: [d], d = (n + 1)^k, room for the imaginary parts.
        value: [R, d].
        row: of value, to be written.
    """
    if not scale(x, spans):
        return False
    value[row, 0], sines[0] = 1.0, 0.0
    size = 1
    for j in range(spans.shape[1]):
        c, s = math.cos(math.pi * x[j]), math.sin(math.pi * x[j])
        for i in range(size - 1, -1, -1):  # backwards, for the places of i are not before i
            re, im = value[row, i], sines[i]
            for at in range(i * (order + 1), (i + 1) * (order + 1)):
                value[row, at], sines[at] = re, im
                re, im = re * c - im * s, im * c + re * s
        size *= order + 1
    return True


@brief
def radial(x: Floats, spans: Floats, centres: Floats, width: float, value: Floats, row: int) -> bool:
    """φ_i = exp(-‖u - centre_i‖² / (2 width²)), S&B section 9.5.5; arguments as of `polynomial`."""
    if not scale(x, spans):
        return False
    for i in range(centres.shape[0]):
        square = 0.0
        for j in range(x.size):
            square += (x[j] - centres[i, j]) ** 2
        value[row, i] = math.exp(-square / (2.0 * width * width))
    return True


@brief
def tiles(x: Floats, spans: Floats, counts: Floats, offsets: Floats, size: int, index: Ints, row: int) -> bool:
    """One active tile in each tiling, S&B section 9.5.4.

    Args:
        x: [k], changed in place.
        spans: [2, k]; see `scale`.
        counts: [2, k] tile widths that fit into [0, 1], and tiles of a tiling, one more where it is displaced.
        offsets: [m, k] displacement of each tiling, in tile widths below 1.
        size: of the memory that tiles are hashed into, or 0: each has its own place.
        index: [R, m].
        row: of index, to be written.
    """
    if not scale(x, spans):
        return False
    for t in range(offsets.shape[0]):
        place = np.uint64(t)
        for j in range(x.size):
            tile = np.uint64(min(math.floor(x[j] * counts[0, j] + offsets[t, j]), counts[1, j] - 1.0))
            place = scrambled(place * GOLDEN + tile + np.uint64(1)) if size else place * np.uint64(counts[1, j]) + tile
        index[row, t] = np.int64(place % np.uint64(size)) if size else np.int64(place)
    return True


@kernel
def scrambled(word: np.uint64) -> np.uint64:
    """Return another 64-bit word, every bit of which depends on every bit of the given one; SplitMix64's finaliser."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
