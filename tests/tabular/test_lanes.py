"""The vector register against exact fused arithmetic, for every shape it can have."""

import numpy as np
import pytest

from rlkit.tabular.bellman import jacobi
from rlkit.tabular.model import Stencil
from tests.reference import fused_q


def random_stencil(rng, n_slots, n_actions, n_lanes, n_states=9):
    """A rule for each state, every slot leading to any state."""
    states = np.arange(n_states)
    table = rng.normal(size=(n_states, n_slots + 1, n_lanes))
    table[:, 0, n_actions:] = -np.inf
    table[:, 1:, n_actions:] = 0.0
    return Stencil(
        rule=states.astype(np.int32),
        offset=(rng.integers(n_states, size=(n_states, n_slots)) - states[:, None]).astype(np.int32).ravel(),
        table=table.ravel(),
        slots=(0,) * n_slots,
        lanes=(0,) * n_lanes,
        n_states=n_states,
        n_actions=n_actions,
        terms=n_slots,
        gross=float(np.abs(table[:, 0, :n_actions]).max()),
    )


@pytest.mark.parametrize(("n_actions", "n_lanes"), [(1, 4), (3, 4), (4, 4), (5, 8), (8, 8), (9, 16), (16, 16)])
@pytest.mark.parametrize("n_slots", [1, 2, 5, 16])
def test_the_largest_lane_is_the_largest_fused_action_value(n_actions, n_lanes, n_slots):
    rng = np.random.default_rng([n_actions, n_slots])
    for _ in range(5):
        model = random_stencil(rng, n_slots, n_actions, n_lanes)
        v = rng.normal(size=model.n_states) * 10.0 ** rng.integers(-8, 8, size=model.n_states)
        out = np.empty_like(v)
        jacobi(model, v, out)
        twin = [max(fused_q(model, v, s, a) for a in range(n_actions)) for s in range(model.n_states)]
        np.testing.assert_array_equal(out, twin)
