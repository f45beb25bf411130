"""Trajectories: rows are chosen and moved as one, and what does not fit together is refused by name."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest
import torch

from rlkit.data import Trajectories

B, T = 4, 3


def trajectories():
    steps = torch.arange(B * T).view(B, T)
    mask = torch.tensor([[1, 1, 1], [0, 1, 1], [1, 0, 0], [0, 0, 0]], dtype=torch.bool)
    return Trajectories(
        obs=steps[..., None].float().expand(B, T, 2),
        next_obs=steps[..., None].float().expand(B, T, 2) + 1,
        actions=steps,
        logprobs=-steps.float(),
        rewards=steps.float(),
        terminated=steps % 3 == 2,
        truncated=steps == 4,
        mask=mask,
        group=torch.tensor([7, 7, 1, 1]),
        allowed=torch.ones(B, T, 3, dtype=torch.bool),
        memory=torch.arange(B * 2.0).view(B, 2),
    )


def test_lengths_count_the_actions_that_the_policy_chose():
    assert trajectories().lengths.tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("rows", [torch.tensor([2, 0, 0]), torch.tensor([True, False, True, False])])
def test_rows_are_selected_in_every_field(rows):
    whole = trajectories()
    chosen = whole.select(rows)
    for field in fields(Trajectories):
        assert torch.equal(getattr(chosen, field.name), getattr(whole, field.name)[rows])


def test_what_is_not_there_stays_away():
    bare = replace(trajectories(), allowed=None, memory=None)
    assert bare.select(torch.tensor([1])).allowed is None
    assert bare.to(torch.device("cpu")).memory is None


def test_every_step_becomes_a_row():
    whole = trajectories()
    flat = whole.flat()
    assert flat.memory is None
    assert torch.equal(flat.obs, whole.obs.reshape(B * T, 1, 2))
    assert torch.equal(flat.rewards[:, 0], whole.rewards.flatten())
    assert flat.group.tolist() == [7, 7, 7, 7, 7, 7, 1, 1, 1, 1, 1, 1]


def test_they_move_as_one():
    moved = trajectories().to(torch.device("meta"))
    assert {getattr(moved, field.name).device.type for field in fields(Trajectories)} == {"meta"}


def test_they_are_frozen_and_compare_by_identity():
    whole = trajectories()
    with pytest.raises(FrozenInstanceError):
        whole.rewards = whole.logprobs
    assert whole == whole  # noqa: PLR0124 - tensors would make this a question without an answer
    assert whole != trajectories()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mask": torch.ones(B, dtype=torch.bool)}, r"mask has shape \[4\]; it must be \[B, T\]"),
        ({"next_obs": torch.zeros(B, T + 1, 2)}, r"next_obs has shape \[4, 4, 2\]; it must begin with \[4, 3\]"),
        ({"rewards": torch.zeros(B, T, 1)}, r"rewards has shape \[4, 3, 1\]; it must be \[4, 3\]"),
        ({"group": torch.zeros(T)}, r"group has shape \[3\]; it must be \[4\]"),
        ({"terminated": torch.zeros(B, T)}, r"terminated is torch.float32; it must be torch.bool"),
        ({"allowed": torch.ones(B, 2)}, r"allowed has shape \[4, 2\]; it must begin with \[4, 3\]"),
        ({"memory": torch.zeros(T, 2)}, r"memory has shape \[3, 2\]; it must begin with \[4\]"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        replace(trajectories(), **changed)
