"""How kernels are compiled: inlined into whoever calls them, cached on disk until any of them changes, without Python's lock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

from envs import pcg64

F = TypeVar("F", bound=Callable[..., Any])


def _stamp() -> tuple[tuple[float, int], ...]:
    files = [Path(pcg64.__file__), *sorted(Path(__file__).parent.glob("*.py"))]
    return tuple((found.st_mtime, found.st_size) for found in (file.stat() for file in files))


_STAMP = _stamp()
_OPTIONS: dict[str, Any] = {"nogil": True, "forceinline": True, "_nrt": False, "error_model": "numpy"}


def kernel(function: F) -> F:
    """Compile a function, to be called from Python or to become part of another kernel.

    Inlining is not a nicety: a call that passes the arrays of an agent costs more than what the agent computes, and so
    does counting the references to them; hence a kernel cannot make arrays, only write into those that it is given.
    Numba takes a compiled function from its cache while the function's own file is the same. What was inlined may have
    changed all the same, so that the files of all kernels are looked at.
    """
    compiled = njit(cache=True, **_OPTIONS)(function)
    file = getattr(compiled._cache, "_cache_file", None)  # noqa: SLF001 - tests/tabular/test_jit.py tells when numba moves it
    if file is not None:
        file._source_stamp = file._source_stamp, _STAMP  # noqa: SLF001
    return cast("F", compiled)


def template(function: F) -> F:
    """Compile a function that takes kernels; it is cached only as a part of the kernel that calls it.

    On its own its cache would list the kernels of whoever used it, which another process does not have.
    """
    return cast("F", njit(**_OPTIONS)(function))
