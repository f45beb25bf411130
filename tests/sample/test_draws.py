"""Random numbers: those of the tabular agents' stream, dealt out to processes without a difference."""

import numpy as np
import torch

from rlkit.policies.heads import Categorical, Gaussian
from rlkit.sample import draws
from rlkit.sample.draws import agent_generator, draw, minibatches, weight_generator
from rlkit.tabular.random import agent_stream, to_generator

CPU = torch.device("cpu")


def test_an_agents_generator_is_its_stream():
    assert np.array_equal(agent_generator(3).random(5), to_generator(agent_stream(3)[0]).random(5))
    first, second = (weight_generator(seed).random(3) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_draws_are_of_the_heads_kind():
    uniform, normal = draw(agent_generator(0), Categorical(3), 5), draw(agent_generator(0), Gaussian(2), 5)
    assert np.array_equal(uniform, agent_generator(0).random((5, 1)))
    assert np.array_equal(normal, agent_generator(0).standard_normal((5, 2)))


def test_minibatches_hold_every_row_once():
    found = list(minibatches(agent_generator(0), 10, 4, CPU))
    assert [len(part) for part in found] == [4, 4, 2]
    assert torch.cat(found).tolist() == np.argsort(agent_generator(0).random(10), kind="stable").tolist()
    assert list(minibatches(agent_generator(0), 10, 10, CPU)) == [slice(None)]


def test_ranks_share_what_one_process_draws(monkeypatch):
    whole = draw(agent_generator(0), Categorical(3), 6)
    order = list(minibatches(agent_generator(0), 10, 4, CPU))
    parts, shares = [], []
    for rank in (0, 1):
        monkeypatch.setattr(draws.dist, "world_size", lambda: 2)
        monkeypatch.setattr(draws.dist, "rank", lambda rank=rank: rank)
        parts.append(draw(agent_generator(0), Categorical(3), 3))
        shares.append([part + 5 * rank for part in minibatches(agent_generator(0), 5, 4, CPU)])
    assert torch.equal(torch.cat(parts), whole)
    for mine, theirs, joint in zip(*shares, order, strict=True):
        assert sorted([*mine.tolist(), *theirs.tolist()]) == sorted(joint.tolist())
