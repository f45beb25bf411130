"""What two vector environments return, compared bit by bit."""

import numpy as np


def equal(a, b):
    if isinstance(a, dict):
        assert isinstance(b, dict)
        assert a.keys() == b.keys()
        for key in a:
            equal(a[key], b[key])
    else:
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        if a.dtype == object:
            for left, right in zip(a.ravel(), b.ravel(), strict=True):
                assert (left is None) == (right is None)
                assert np.array_equal(left, right)
        else:
            assert a.tobytes() == b.tobytes()


def same(fast, slow):
    assert len(fast) == len(slow)
    for a, b in zip(fast, slow, strict=True):
        equal(a, b)


def masked(terminated, truncated):
    return {"reset_mask": terminated | truncated}
