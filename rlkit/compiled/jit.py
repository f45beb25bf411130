"""How the kernels of this room are compiled: cached on disk until any file changes that they are made of, without Python's lock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from numba import njit

import envs
from envs.jit import stamp_of, watched

F = TypeVar("F", bound=Callable[..., Any])
_HERE, _ENVS = Path(__file__).parent, Path(envs.__file__).parent
_FILES: Final = [*sorted(_HERE.glob("*.py")), *sorted(_ENVS.glob("*.py")), *sorted(_ENVS.glob("classic/*.py"))]
_TABULAR: Final = [_HERE.parent / "tabular" / f"{name}.py" for name in ("jit", "random", "schedule")]
_STAMP = stamp_of([*_FILES, *_TABULAR, _HERE.parent / "team.py"])
_REGROUP: Final = {"contract", "reassoc", "nsz"}  # sums may be taken in another order; NaN stays NaN


def kernel(function: F) -> F:
    """Compile a function of arrays and scalars, in whose loops the compiler may fuse, but regroup nothing."""
    return _compiled(function, {"contract"})


def sums(function: F) -> F:
    """Compile a function in whose loops sums may be taken in any order, the same one in every call."""
    return _compiled(function, _REGROUP)


def _compiled(function: F, freedom: set[str]) -> F:
    made = njit(cache=True, nogil=True, error_model="numpy", fastmath=freedom)(function)
    return cast("F", watched(made, _STAMP))
