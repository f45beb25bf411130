"""exp and tanh of float32 against NumPy's of float64."""

import numpy as np

from rlkit.compiled.smooth import exp32, tanh32


def test_exp_and_tanh_are_close():
    x = np.concatenate([np.linspace(-20, 20, 2001), [-80.0, -87.0, 80.0, 0.0, 1e-6]]).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    np.testing.assert_allclose([exp32(one) for one in x], exact, rtol=2e-7)
    np.testing.assert_allclose([tanh32(one) for one in x], np.tanh(x.astype(np.float64)), atol=1.2e-7)


def test_beyond_the_range_of_exp_is_its_bound_and_tanh_is_one():
    assert exp32(np.float32(-1000.0)) == exp32(np.float32(-87.0))
    assert tanh32(np.float32(1e30)) == 1.0
    assert tanh32(np.float32(-1e30)) == -1.0
