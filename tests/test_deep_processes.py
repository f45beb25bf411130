"""Two processes train a deep agent as one process does with all environments, also where a minibatch is all on one side."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import rlkit
from rlkit.sample import draws
from tests.deep_worker import train

ROOT = Path(__file__).parents[1]


def test_two_processes_learn_what_one_would(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    ranks = []
    for rank in "01":
        environment = os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.deep_worker", str(tmp_path / rank)]
        ranks.append(subprocess.Popen(command, env=environment, cwd=ROOT))  # noqa: S603 - our own interpreter
    try:
        alone = train()
        assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    finally:
        for rank in ranks:
            rank.kill()
    for rank in "01":
        for (weights, episodes), (theirs, counted) in zip(alone, torch.load(tmp_path / rank), strict=True):
            torch.testing.assert_close(theirs, weights, atol=1e-6, rtol=0.0)
            assert counted == episodes


def test_environments_that_cannot_be_dealt_out_are_refused(monkeypatch):
    monkeypatch.setattr(draws.dist, "world_size", lambda: 2)
    with pytest.raises(ValueError, match="envs is 3; 2 processes must have as many each"):
        rlkit.make("ppo", "CartPole-v1", envs=3, engine="torch")
