"""Numba's cache on disk, made to look at more files than the one that a function stands in."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

Stamp = tuple[tuple[float, int], ...]


def stamp_of(files: Iterable[Path]) -> Stamp:
    """The times and sizes of files."""
    return tuple((found.st_mtime, found.st_size) for found in (file.stat() for file in files))


def watched(compiled: Any, stamp: Stamp) -> Any:
    """Return a compiled function, to be taken from its cache only while the stamp is the same.

    Numba takes a function from its cache while the function's own file is the same. What was inlined from other files may
    have changed all the same.
    """
    file = getattr(compiled._cache, "_cache_file", None)  # noqa: SLF001 - tests/tabular/test_jit.py tells when numba moves it
    if file is not None:
        file._source_stamp = file._source_stamp, stamp  # noqa: SLF001
    return compiled
