"""ActorCritic: one step at a time and whole rows agree, for every kind of observation, action, body and memory."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlkit.data import Trajectories
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.encoders import encoder
from rlkit.policies.networks import mlp
from rlkit.policies.senses import Senses
from rlkit.policies.state import load_module, load_optimizer, module_state, optimizer_state

N, T = 3, 6
VECTOR = spaces.Box(-1, 1, (4,))
OBSERVATIONS = [
    VECTOR,
    spaces.Discrete(5),
    spaces.Box(0, 255, (40, 36, 3), np.uint8),
    spaces.Box(0, 255, (1, 7, 7), np.uint8),
    spaces.Dict({"image": spaces.Box(0, 255, (8, 8, 3), np.uint8), "speed": VECTOR}),
]
ACTIONS = [spaces.Discrete(3), spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2), spaces.Box(-1, 1, (2,))]


def build(obs=VECTOR, actions=ACTIONS[0], **options):
    return ActorCritic(Senses(obs), actions, (16, 16), generator=np.random.default_rng(0), **options).double()


def play(policy, space, allowed=None):
    """A segment as a sampler plays it, with ends of episodes in it."""
    senses = Senses(space)
    space.seed(1)
    rng = np.random.default_rng(0)
    obs = np.stack([senses.pack([space.sample() for _ in range(N)]) for _ in range(T + 1)], 1)
    ends = rng.random((N, T)) < 0.3
    memory, taken, logs = policy.start(N), [], []
    for t in range(T):
        draws = torch.from_numpy(rng.random((N, policy.head.draws)))
        acted = policy.act(torch.from_numpy(obs[:, t]), draws, None if allowed is None else allowed[:, t], memory)
        taken.append(acted.actions)
        logs.append(acted.logprobs)
        memory = acted.memory if acted.memory is None else acted.memory * torch.from_numpy(~ends[:, t])[:, None]
    return Trajectories(
        obs=torch.from_numpy(obs[:, :-1]),
        next_obs=torch.from_numpy(obs[:, 1:]),
        actions=torch.stack(taken, 1),
        logprobs=torch.stack(logs, 1).detach(),
        rewards=torch.zeros(N, T),
        terminated=torch.from_numpy(ends),
        truncated=torch.zeros(N, T, dtype=torch.bool),
        mask=torch.ones(N, T, dtype=torch.bool),
        group=torch.arange(N),
        allowed=allowed,
        memory=policy.start(N),
    )


@pytest.mark.parametrize("options", [{}, {"shared": True}, {"recurrent": 8}, {"normalise": True}], ids=str)
@pytest.mark.parametrize("obs", OBSERVATIONS, ids=lambda space: str(space)[:24])
def test_rows_say_what_single_steps_said(obs, options):
    policy = build(obs, **options)
    traj = play(policy, obs)
    evaluation, values = policy.both(traj)
    torch.testing.assert_close(evaluation.logprobs, traj.logprobs)
    torch.testing.assert_close(policy.values(traj), values)
    torch.testing.assert_close(policy.evaluate(traj).entropy, evaluation.entropy)
    assert policy.next_values(traj).shape == values.shape == (N, T)
    if not policy.recurrent:
        torch.testing.assert_close(policy.evaluate(traj.flat()).logprobs.view(N, T), traj.logprobs)


@pytest.mark.parametrize("actions", ACTIONS, ids=str)
def test_every_action_space(actions):
    policy = build(actions=actions)
    traj = play(policy, VECTOR)
    torch.testing.assert_close(policy.evaluate(traj).logprobs, traj.logprobs)
    policy.evaluate(traj).logprobs.sum().backward()
    assert all(torch.isfinite(p.grad).all() for name, p in policy.named_parameters() if not name.startswith("critic"))


def test_the_value_of_what_follows_is_that_of_the_next_step():
    policy = build(recurrent=8)
    traj = play(policy, VECTOR)
    going_on = ~traj.terminated[:, :-1]
    here, ahead = policy.values(traj)[:, 1:], policy.next_values(traj)[:, :-1]
    torch.testing.assert_close(ahead[going_on], here[going_on])
    assert not torch.isclose(ahead[~going_on], here[~going_on]).any()  # the end of an episode empties the memory


def test_forbidden_actions_have_no_probability_and_no_gradient():
    policy = build()
    allowed = torch.ones(N, T, 3, dtype=torch.bool)
    allowed[..., 1] = False
    traj = play(policy, VECTOR, allowed)
    assert not (traj.actions == 1).any()
    evaluation = policy.evaluate(traj)
    torch.testing.assert_close(evaluation.logprobs, traj.logprobs)
    (evaluation.logprobs.sum() + evaluation.entropy.sum()).backward()
    assert policy.actor[-1].weight.grad[1].abs().max() == 0.0
    whole = policy.evaluate(replace(traj, allowed=None))
    assert (whole.logprobs < evaluation.logprobs).all()


def test_names_are_plain():
    assert list(build().state_dict()) == [
        f"{net}.{i}.{kind}" for net in ("actor", "critic") for i in (0, 2, 4) for kind in ("weight", "bias")
    ]
    assert "log_std" in build(actions=ACTIONS[3]).state_dict()
    assert {"eyes.mean", "eyes.scale"} <= set(build(normalise=True).state_dict())


def test_the_same_seed_makes_the_same_weights():
    first, second = build().state_dict(), build().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weights_are_orthogonal_with_their_gain():
    net = mlp((8, 8, 2), "tanh", np.random.default_rng(0), 0.01)
    weight = net[0].weight.double()
    torch.testing.assert_close(weight @ weight.T, 2.0 * torch.eye(8, dtype=torch.float64), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(net[2].weight.norm(dim=1), torch.full((2,), 0.01), atol=1e-6, rtol=0.0)
    assert net[0].bias.abs().max() == 0.0
    with pytest.raises(ValueError, match="activation is 'step'"):
        mlp((1, 1), "step", np.random.default_rng())


def test_observations_are_standardised_within_bounds():
    policy = build(normalise=True)
    policy.eyes.standardise(torch.full((4,), 2.0), torch.full((4,), 0.5))
    seen = policy.eyes(torch.tensor([[2.0, 3.0, -100.0, 100.0]], dtype=torch.float64))
    assert seen.tolist() == [[0.0, 2.0, -10.0, 10.0]]


def test_an_encoder_knows_its_width():
    for space in OBSERVATIONS:
        for hidden in ((), (12,)):
            net = encoder(Senses(space), hidden, "relu", np.random.default_rng(0))
            assert net(torch.from_numpy(Senses(space).pack([space.sample()] * 2))).shape == (2, net.width)


def test_networks_and_optimizers_become_arrays_and_come_back():
    policy, other = build(), build(shared=True)
    optimizer = torch.optim.Adam(policy.parameters())
    policy.values(play(policy, VECTOR)).sum().backward()
    policy.evaluate(play(policy, VECTOR)).logprobs.sum().backward()
    optimizer.step()
    twin = build()
    twin_optimizer = torch.optim.Adam(twin.parameters())
    load_module(twin, module_state(policy))
    load_optimizer(twin_optimizer, optimizer_state(optimizer))
    for p, q in zip(policy.parameters(), twin.parameters(), strict=True):
        q.grad = p.grad
    optimizer.step()
    twin_optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(policy.parameters(), twin.parameters(), strict=True))
    with pytest.raises(ValueError, match="lacks"):
        load_module(other, module_state(policy))
    with pytest.raises(ValueError, match=r"actor.0.weight has shape \[16, 4\] in the state"):
        load_module(build(spaces.Box(-1, 1, (5,))), module_state(policy))
    with pytest.raises(ValueError, match="remembers 12 parameters"):
        load_optimizer(torch.optim.Adam(other.parameters()), optimizer_state(optimizer))
