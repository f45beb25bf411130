"""How kernels are compiled: inlined into whoever calls them, cached on disk until any of them changes, without Python's lock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit, typeof

from envs import pcg64
from envs.jit import stamp_of, watched

F = TypeVar("F", bound=Callable[..., Any])


_HERE = Path(__file__).parent
_STAMP = stamp_of([Path(pcg64.__file__), _HERE.parent / "team.py", *sorted(_HERE.glob("*.py"))])
_OPTIONS: dict[str, Any] = {"nogil": True, "forceinline": True, "_nrt": False, "error_model": "numpy"}


def kernel(function: F) -> F:
    """Compile a function, to be called from Python or to become part of another kernel.

    Inlining is not a nicety: a call that passes the arrays of an agent costs more than what the agent computes, and so
    does counting the references to them; hence a kernel cannot make arrays, only write into those that it is given.
    What is inlined comes from other files, so that the cache looks at the files of all kernels.
    """
    return cast("F", watched(njit(cache=True, **_OPTIONS)(function), _STAMP))


def brief(function: F) -> F:
    """Compile a kernel that Python calls in every step: it keeps Python's lock, which takes 0.1 µs to give back and take again."""
    return cast("F", watched(njit(cache=True, **_OPTIONS | {"nogil": False})(function), _STAMP))


def template(function: F) -> F:
    """Compile a function that takes kernels; it is cached only as a part of the kernel that calls it.

    On its own its cache would list the kernels of whoever used it, which another process does not have.
    """
    return cast("F", njit(**_OPTIONS)(function))


def direct(function: Callable[..., Any], *example: Any) -> Callable[..., Any]:
    """Return what calls a kernel with arguments of the types of `example`, for loops of Python.

    A call of the kernel itself finds out the types of its arguments, each array of a memory among them, which takes ten
    times as long as the arithmetic. What is returned looks at no types: arrays must be as those of the example are in
    dtype, dimensions and layout. Numbers are converted.
    """
    found: Callable[..., Any] = cast("Any", function).compile(tuple(typeof(argument) for argument in example))
    return found
