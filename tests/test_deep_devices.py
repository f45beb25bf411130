"""Nothing in an update reads a number back from the device, which would wait for it: seen on the CPU, where it shows as an operation."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import rlkit
from tests.ladder import Awkward

WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "unique_consecutive", "_unique2"}
OPTIONS = {
    "plain": ("CartPole-v1", {}),
    "numbers": ("Pendulum-v1", {"entropy": 0.01, "shared": True}),
    "memory": (Awkward(), {"recurrent": 4, "normalise_rewards": True}),
}


class Watch(TorchDispatchMode):
    """Notes every operation after which the host must wait."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        by_mask = name == "index" and any(
            x is not None and x.dtype == torch.bool for x in args[1]
        )  # how many are there?
        if by_mask or name in WAITING:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


def test_the_watch_sees_what_waits():
    with Watch() as watch:
        bool(torch.ones(1) > 0.0)
        torch.ones(3)[torch.tensor([True, False, True])]
        torch.ones(1).item()
    assert watch.seen == ["_local_scalar_dense", "index", "_local_scalar_dense"]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["ppo", "a2c"])
def test_an_update_does_not_wait(name, options, monkeypatch):
    env, config = OPTIONS[options]
    more = {"batch": 16, "epochs": 2, "value_clip": 0.2} if name == "ppo" else {}
    agent = rlkit.make(name, env, envs=2, segment=16, hidden=(8,), engine="torch", **config, **more)
    learn, seen = agent._learn, []

    def watched(*args):
        with Watch() as watch:
            found = learn(*args)
        seen.append(watch.seen)
        return found

    monkeypatch.setattr(agent, "_learn", watched)
    list(agent.updates(64))
    assert seen == [[], []]
