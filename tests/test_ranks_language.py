"""Language models on two processes, as torchrun starts them, learn what one process would with the joint batch."""

import numpy as np
import pytest

import rlkit
from rlkit.agent import name_of
from tests.ranks_language_worker import STEPS, built, trained
from tests.together import two


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder in which two processes have trained."""
    folder = tmp_path_factory.mktemp("together")
    two("tests.ranks_language_worker", str(folder), limit=240)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_two_processes_learn_what_one_would(together, name):
    alone, reports = trained(name)
    other = built(name)
    start = other.optimizer.flat.clone()
    rlkit.load(other, together / f"{name}.npz")
    assert name_of(other) == name
    moved = (alone.optimizer.flat - start).norm()
    assert float((other.optimizer.flat - alone.optimizer.flat).norm() / moved) < 1e-6
    np.testing.assert_allclose(np.load(together / f"{name}.npy"), reports, rtol=1e-6)
