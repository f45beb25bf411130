"""Kernels are compiled anew when any kernel's file changes, not only their own."""

from rlkit.tabular import explore, jit


def test_the_cache_of_a_kernel_knows_the_files_of_all_kernels():
    stamp = explore.greedy._cache._cache_file._source_stamp
    assert stamp[1] == jit._STAMP
    assert explore.greedy._cache.cache_path
