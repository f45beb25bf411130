"""How the kernels of the classic control tasks are compiled, and a power that the compiler does not rewrite."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from envs import modes, pcg64
from envs.jit import stamp_of, watched

F = TypeVar("F", bound=Callable[..., Any])
FILES: Final = [Path(pcg64.__file__), Path(modes.__file__), *sorted(Path(__file__).parent.glob("*.py"))]
_STAMP = stamp_of(FILES)


def kernel(function: F) -> F:
    """Compile a function of scalars and arrays; FILES are those that its cached code may come from.

    `fastmath` is said to be off, or else numba hands down that of whoever calls the function first, and caches that.
    """
    return cast("F", watched(njit(cache=True, nogil=True, error_model="numpy", fastmath=False)(function), _STAMP))


@intrinsic
def _two(typingctx: Any) -> Any:  # noqa: ARG001  (the signature that numba asks of an intrinsic)
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        word = ir.IntType(64)
        hidden = builder.asm(ir.FunctionType(word, [word]), "", "=r,0", [ir.Constant(word, 2)], side_effect=False)
        return builder.sitofp(hidden, ir.DoubleType())

    return types.float64(), codegen


@kernel
def square(x: Any) -> Any:
    """pow(x, 2), as Python and NumPy compute x ** 2 of a scalar.

    A compiler that sees the exponent multiplies instead, which rounds otherwise for one number in a thousand.
    """
    return x ** type(x)(_two())
