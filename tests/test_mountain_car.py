"""The compiled MountainCar of the figures against Gymnasium's, stepped."""

import numpy as np
import pytest

from benchmarks.figures.mountain_car import build, drive


@pytest.mark.parametrize(("name", "options"), [("sarsa_linear", {}), ("n_step_sarsa_linear", {"n": 4})])
def test_the_compiled_car_equals_the_stepped_one_to_the_last_bit(name, options):
    compiled, stepped = (build(name, 0.5, seeds=2, **options) for _ in range(2))
    lengths = drive(compiled, 4)
    ended = [np.zeros(0, int)] * 2
    for _ in stepped.updates(int(lengths.sum(axis=1).max())):
        ended = [np.concatenate(parts) for parts in zip(ended, stepped.lengths, strict=True)]
    for i in range(2):
        np.testing.assert_array_equal(ended[i][:4], lengths[i])
    longest = int(lengths.sum(axis=1).argmax())
    np.testing.assert_array_equal(compiled.memories[longest].weights.w, stepped.memories[longest].weights.w)
