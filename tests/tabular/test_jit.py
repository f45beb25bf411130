"""Kernels are compiled anew when any kernel's file changes, not only their own; and called without a look at types."""

import numpy as np

from rlkit.tabular import explore, features, jit


def test_the_cache_of_a_kernel_knows_the_files_of_all_kernels():
    stamp = explore.greedy._cache._cache_file._source_stamp
    assert stamp[1] == jit._STAMP
    assert explore.greedy._cache.cache_path


def test_a_direct_call_does_what_the_kernel_does_and_converts_numbers():
    spans, counts, offsets = np.array([[0.0, -1.0], [2.0, 2.0]]), np.full((2, 2), 4.0), np.zeros((1, 2))
    tables = np.zeros((2, 1), np.int64), np.zeros((2, 1), np.int64)
    call = jit.direct(features.tiles, spans[0], spans, counts, offsets, 0, tables[0], 0)
    for kernel, table, row in ((features.tiles, tables[0], 1), (call, tables[1], np.int32(1))):
        assert kernel(np.array([1.9, 0.3]), spans, counts, offsets, 0, table, row) is True
    assert np.array_equal(*tables)
    assert tables[0].tolist() == [[0], [14]]
    assert call(np.array([np.nan, 0.3]), spans, counts, offsets, 0, tables[1], 0) is False
