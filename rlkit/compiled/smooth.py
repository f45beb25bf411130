"""exp and tanh of float32 in a form that compilers turn into vectors; float64 goes to the system's library.

    exp(x) = 2ⁿ Σ_{i ≤ 7} rⁱ / i!,  n = round(x / log 2), r = x - n log 2;   tanh(x) = sign(x) (1 - t) / (1 + t), t = exp(-2|x|)

The sum is cut off where a further term would be below 1e-8. Errors: exp 2e-7 relative, tanh 1.2e-7 absolute.
"""

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from rlkit.compiled.jit import kernel

_PER_LOG2 = np.float32(1.0 / math.log(2.0))
_LOG2_HIGH = np.float32(0.693145751953125)  # its last bits are 0: n times it is exact
_LOG2_LOW = np.float32(math.log(2.0) - 0.693145751953125)
_ROUND = np.float32(1.5 * 2**23)  # a float32 so large has no digits behind the point
_LEAST, _MOST = np.float32(-87.0), np.float32(88.0)
_ONE, _HALF, _TWO = np.float32(1.0), np.float32(0.5), np.float32(2.0)
_C3, _C4, _C5, _C6, _C7 = (np.float32(1.0 / math.factorial(i)) for i in range(3, 8))
_BIAS, _SHIFT = np.int32(127), np.int32(23)  # of the exponent in a float32


@kernel
def exp32(x: Any) -> Any:
    """Return exp(x) of a float32 in [-87, 88], and of the nearer bound for others."""
    x = min(max(x, _LEAST), _MOST)
    shifted = x * _PER_LOG2 + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LOG2_HIGH) - n * _LOG2_LOW
    total = ((((_C7 * r + _C6) * r + _C5) * r + _C4) * r + _C3) * r + _HALF
    total = (total * r + _ONE) * r + _ONE
    power = np.int32(np.int32(np.int32(n) + _BIAS) << _SHIFT)
    return total * power.view(np.float32)


@kernel
def tanh32(x: Any) -> Any:
    """Return tanh(x) of a float32."""
    t = exp32(-_TWO * abs(x))
    y = (_ONE - t) / (_ONE + t)
    return math.copysign(y, x)


def exp(x: Any) -> Any:
    """Return e to the power of x."""
    return math.exp(x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of x."""
    return math.tanh(x)


@overload(exp)
def _exp(x: Any) -> Any:
    single = x == types.float32

    def of_type(x: Any) -> Any:
        return exp32(x) if single else math.exp(x)

    return of_type


@overload(tanh)
def _tanh(x: Any) -> Any:
    single = x == types.float32

    def of_type(x: Any) -> Any:
        return tanh32(x) if single else math.tanh(x)

    return of_type
