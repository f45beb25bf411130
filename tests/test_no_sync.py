"""Updates on a device that holds no numbers: there is none to read back, and what goes there from the host is counted."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import rlkit
from rlkit.agents import grpo
from rlkit.data import Trajectories
from rlkit.policies.adam import Adam

META = torch.device("meta")


class Crossings(TorchDispatchMode):
    """Counts copies of more than a number from the host, each of which may be waited for."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        if isinstance(found, torch.Tensor) and found.device == META:
            given = [x for x in args if isinstance(x, torch.Tensor)]
            self.count += any(x.device != META and x.ndim for x in given)
        return found


def away(agent):
    """Move a policy and its optimizer to where there are no numbers."""
    agent.policy.to(META)
    return Adam(agent.policy.parameters(), epsilon=1e-5)


def test_there_no_number_can_be_read_and_a_copy_is_seen():
    with pytest.raises(RuntimeError, match="meta"):
        torch.ones(1, device=META).item()
    with Crossings() as crossings:
        torch.ones(3).to(META) * 2.0
    assert crossings.count == 1


@pytest.mark.parametrize(
    ("name", "options", "copies"),
    [
        ("ppo", {"engine": "torch", "batch": 8, "epochs": 3, "entropy": 0.01, "value_clip": 0.2}, 3),
        ("ppo", {"engine": "torch", "batch": 32, "epochs": 3}, 0),
        ("ppo", {"engine": "torch", "batch": 16, "epochs": 2, "recurrent": 4}, 2),
        ("a2c", {"engine": "torch", "entropy": 0.01}, 0),
        ("a2c", {"engine": "torch", "shared": True}, 0),
    ],
)
@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
def test_an_update_needs_the_host_for_the_order_of_an_epoch_only(name, options, copies, env):
    agent = rlkit.make(name, env, envs=4, segment=8, hidden=(8,), **options)
    traj = agent.player.play().to(META)
    agent.player.optimizer, agent.player.device = away(agent), META
    with Crossings() as crossings:
        given = agent._judge(traj) if name == "ppo" else ()
        agent._learn(traj, *given)
    assert crossings.count == copies
    assert agent.player.optimizer.count > 0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kl": 0.1, "entropy": 0.01, "micro": 4},
        {"advantage": "leave-one-out", "how": "sequence", "recompute": True},
    ],
)
def test_an_iteration_of_grpo_needs_the_host_for_the_order_of_an_epoch_only(options, monkeypatch):
    agent = rlkit.make("grpo", "CartPole-v1", envs=16, group=4, batch=8, epochs=3, hidden=(8,), **options)
    traj: Trajectories = agent.sampler.collect(agent.training.rng).to(META)
    agent.optimizer = away(agent)
    if agent.reference is not None:
        agent.reference.to(META)
    monkeypatch.setattr(agent.sampler, "collect", lambda _: traj)
    monkeypatch.setattr(
        grpo, "steps_of", lambda _: 16
    )  # counted where episodes have been played, and not in the update
    monkeypatch.setattr(grpo, "outcomes", lambda _: [])
    monkeypatch.setattr(agent, "_measure", lambda *_: {})
    with Crossings() as crossings:
        list(agent.updates(16))
    assert crossings.count == 3
    assert agent.optimizer.count == 3 * 2
