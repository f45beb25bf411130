"""Language models on two processes, as torchrun starts them, learn what one process would with the joint batch."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rlkit
from rlkit.agent import name_of
from tests.ranks_language_worker import STEPS, built, trained

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder in which two processes have trained."""
    folder = tmp_path_factory.mktemp("together")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    started = []
    for rank in "01":
        environment = os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.ranks_language_worker", str(folder)]
        started.append(subprocess.Popen(command, env=environment, cwd=ROOT))  # noqa: S603 - our own interpreter
    try:
        assert [one.wait(timeout=240) for one in started] == [0, 0]
    finally:
        for one in started:
            one.kill()
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
