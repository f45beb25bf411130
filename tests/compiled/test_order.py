"""The order of rows is NumPy's stable argsort of the same numbers."""

import numpy as np

from rlkit.compiled.order import argsort


def test_it_is_a_stable_argsort():
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 256, 1000):
        for u in (rng.random(n), rng.integers(4, size=n) / 4.0, np.full(n, 1.0 - 2.0**-53), rng.random(n) ** 9):
            order = np.zeros(n, np.int64)
            argsort(u, order, np.zeros(n + 1, np.int64))
            assert np.array_equal(order, np.argsort(u, kind="stable"))
