"""Two processes train a deep agent as one process does with all environments, also where a minibatch is all on one side."""

import pytest
import torch

import rlkit
from rlkit.sample import draws
from tests.deep_worker import train
from tests.together import two


def test_two_processes_learn_what_one_would(tmp_path):
    two("tests.deep_worker", str(tmp_path / "{rank}"), limit=120)
    alone = train()
    for rank in "01":
        for (weights, episodes), (theirs, counted) in zip(alone, torch.load(tmp_path / rank), strict=True):
            torch.testing.assert_close(theirs, weights, atol=1e-6, rtol=0.0)
            assert counted == episodes


def test_environments_that_cannot_be_dealt_out_are_refused(monkeypatch):
    monkeypatch.setattr(draws.dist, "world_size", lambda: 2)
    with pytest.raises(ValueError, match="envs is 3; 2 processes must have as many each"):
        rlkit.make("ppo", "CartPole-v1", envs=3, engine="torch")
