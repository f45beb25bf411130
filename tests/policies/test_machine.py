"""The machine: devices by name, threads by rule."""

import pytest
import torch

import rlkit
from rlkit.policies.machine import device, use_threads


def test_a_device_has_a_name():
    assert device("cpu") == torch.device("cpu")
    assert device("auto").type in {"cpu", "cuda"}
    for name in ("cuda:99", "abacus"):
        with pytest.raises(ValueError, match="device is"):
            device(name)


def test_the_rule_goes_by_the_work_of_a_minibatch(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    before = torch.get_num_threads()
    try:
        for hidden, batch, threads in (((64, 64), 256, 1), ((1024, 1024), 256, 2), ((1024, 1024), 8, 1)):
            rlkit.make("ppo", "CartPole-v1", hidden=hidden, batch=batch, engine="torch", envs=2, segment=2)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_small_nets_have_one_thread():
    before = torch.get_num_threads()
    try:
        assert use_threads(0, 9_000, 256) == torch.get_num_threads() == 1
        assert use_threads(2, 9_000, 256) == torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
