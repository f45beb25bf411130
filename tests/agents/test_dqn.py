"""DQN: targets to numbers by hand, plain, double and over n steps; priorities; and with memory it recalls what it has seen."""

import pytest
import torch

import rlkit
from rlkit import dist
from tests.agents.test_ppo import Recall
from tests.bandits import FORGETFUL, Forever


def learned_towards(**options):
    """The targets of a batch where Q = (1, 3), Q' = (10, 5), all rewards are 1/2 and γ = 1/2."""
    agent = rlkit.make("dqn", Forever(), seed=0, **{**FORGETFUL, **options})
    with torch.no_grad():
        agent.net.advantage[0].bias.copy_(torch.tensor([1.0, 3.0]))
        agent.target.net.advantage[0].bias.copy_(torch.tensor([10.0, 5.0]))
    for _ in agent.updates(40):
        pass
    return agent._last[1]


def test_the_plain_target_takes_the_target_nets_best_and_the_double_one_its_value_of_the_nets_best():
    torch.testing.assert_close(learned_towards(double=False), torch.full((64, 1), 0.5 + 0.5 * 10.0))
    torch.testing.assert_close(learned_towards(double=True), torch.full((64, 1), 0.5 + 0.5 * 5.0))


def test_the_target_over_three_steps_is_shorter_only_at_the_newest_ones():
    found = set(learned_towards(n_step=3, warmup=40, batch=512)[:, 0].tolist())
    one, two, three = (sum(0.5**i * 0.5 for i in range(k)) + 0.5**k * 5.0 for k in (1, 2, 3))
    assert found == {one, two, three}


def test_with_priorities_the_weights_make_up_for_them():
    """β = 1 leaves the expected gradient that of even draws: Σ P(i) w(i) f(i) is the mean of f, up to the greatest weight."""
    agent = rlkit.make("dqn", Forever(), seed=0, **{**FORGETFUL, "prioritized": 1.0, "warmup": 30, "capacity": 20})
    for _ in agent.updates(29):
        pass
    priorities, replay = agent.priorities, agent.experience.replay
    rows = replay.row_of(torch.arange(20).numpy())
    errors = 1.0 + torch.arange(20).double().numpy()
    priorities.update(rows, 0 * rows, errors)
    drawn, _, weights = priorities.draw(agent.rng, 20_000, 1.0)
    share = {row: weights[drawn == row].sum() for row in rows}
    assert max(share.values()) / min(share.values()) < 1.2
    counts = [(drawn == row).sum() for row in rows]
    assert counts[-1] == pytest.approx(20 * counts[0], rel=0.2)


def test_a_net_with_memory_recalls_and_one_without_cannot():
    for units, least, most in ((16, 0.95, 1.0), (0, 0.2, 0.8)):
        agent = rlkit.make(
            "dqn",
            Recall(),
            seed=0,
            envs=8,
            hidden=(16,),
            recurrent=units,
            sequence=8,
            burn_in=0,
            warmup=400,
            train_every=16,
            target_every=80,
            lr="linear(0.01,0,4000)",
            epsilon="linear(1,0.1,3000)",
        )
        for _ in agent.updates(4000 if units else 1000):
            pass
        assert least <= rlkit.evaluate(agent, Recall(), 50).mean <= most


def test_priorities_are_refused_where_several_processes_learn_together(monkeypatch):
    together = []  # what joins the processes is `setup`; before it each believes that it is alone
    monkeypatch.setattr(dist, "setup", lambda device: together.append(True) or device)
    monkeypatch.setattr(dist, "world_size", lambda: 2 if together else 1)
    with pytest.raises(
        ValueError, match=r"prioritized is 0\.6; of several processes none knows all priorities: take 0"
    ):
        rlkit.make("dqn", Forever(), prioritized=0.6, envs=2)
