"""Updates on a device that holds no numbers: there is none to read back, and what goes there from the host is counted."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import rlkit
from rlkit.agents import grpo
from rlkit.data import Trajectories
from rlkit.policies.adam import Adam
from rlkit.policies.soft import Temperature
from rlkit.policies.target import Target
from tests.agents.updates import before_learning

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


def unpacked(drawn):
    """What was drawn from a replay, where there are no numbers."""
    rows = {name: field.to(META) for name, field in drawn.rows._asdict().items() if field is not None}
    return drawn._replace(rows=drawn.rows._replace(**rows))


@pytest.mark.parametrize(
    ("name", "env", "options", "copies"),
    [
        ("ddpg", "Pendulum-v1", {}, 1),
        ("td3", "Pendulum-v1", {"delay": 1}, 1),
        ("sac", "Pendulum-v1", {}, 2),
        ("sac", "Pendulum-v1", {"temperature": 0.2, "normalise_obs": True}, 2),
        ("sac", "CartPole-v1", {}, 2),
    ],
)
def test_a_learning_step_from_a_replay_needs_the_host_for_its_noise_only(name, env, options, copies):
    agent, drawn = before_learning(name, env, **options)
    nets = [net for net in (getattr(agent, word, None) for word in ("policy", "critics")) if net is not None]
    for net in nets:
        net.to(META)
    agent.actor, agent.critic = (Adam(net.parameters()) for net in nets)
    if name == "sac":
        agent.target = Target(agent.critics)
        agent.temperature = Temperature(1.0, META)
        agent.warmth = Adam([agent.temperature.log])
    else:
        agent.policy_target, agent.critics_target = (Target(net) for net in nets)
    there = unpacked(drawn)
    with Crossings() as crossings:
        agent._learn(there)
    assert crossings.count == copies
    assert agent.actor.count == agent.critic.count == 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dqn", {"double": True, "dueling": True}),
        ("dqn", {"double": False, "n_step": 3, "normalise_obs": True}),
        ("c51", {}),
        ("quantile_dqn", {}),
    ],
)
def test_a_learning_step_of_deep_q_learning_needs_nothing_of_the_host(name, options):
    engine = {"engine": "torch"} if name == "dqn" else {}
    agent = rlkit.make(name, "CartPole-v1", warmup=64, batch=16, hidden=(8,), envs=4, **options, **engine)
    for _ in agent.updates(60):
        pass
    (drawn,) = agent.experience.batches(agent.rng, 1)
    agent.net.to(META)
    agent.target, agent.optimizer = Target(agent.net), Adam(agent.net.parameters())
    there = unpacked(drawn)
    if name == "c51":  # its values stand where the agent was made for
        agent.rule = agent.rule._replace(support=agent.rule.support.to(META))
    with Crossings() as crossings:
        agent._fit(there)
    assert crossings.count == 0
    assert agent.optimizer.count == 1
