"""The machine: devices by name, threads by rule."""

import pytest
import torch

from rlkit.policies.machine import device, use_threads


def test_a_device_has_a_name():
    assert device("cpu") == torch.device("cpu")
    assert device("auto").type in {"cpu", "cuda"}
    for name in ("cuda:99", "abacus"):
        with pytest.raises(ValueError, match="device is"):
            device(name)


def test_small_nets_have_one_thread():
    before = torch.get_num_threads()
    try:
        assert use_threads(0, 9_000, 256) == torch.get_num_threads() == 1
        assert use_threads(2, 9_000, 256) == torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
