"""Two processes learn what one would with the joint batch; without a group every helper does nothing."""

import pytest
import torch

from rlkit import dist
from tests.dist_worker import step
from tests.together import two


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What the two ranks saved."""
    folder = tmp_path_factory.mktemp("ranks")
    two("tests.dist_worker", str(folder / "{rank}"), limit=60)
    return [torch.load(folder / rank, weights_only=True) for rank in "01"]


@pytest.mark.parametrize("how", ["token", "sequence", "constant"])
def test_two_ranks_are_one_process_with_the_joint_batch(both, how):
    alone = step(torch.arange(8), how)
    for rank in both:
        for name in ("loss", "weights", "sometimes"):
            found, expected = rank[how][name], alone[name]
            assert (found - expected).norm() <= 1e-6 * expected.norm(), name
        assert rank[how]["never"] is None
    assert torch.equal(both[0][how]["weights"], both[1][how]["weights"])


def test_alone_every_helper_does_nothing(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    device = torch.device("cpu")
    assert dist.setup(device) == device
    assert (dist.rank(), dist.world_size()) == (0, 1)
    number = torch.tensor(3.0, requires_grad=True)
    mean = dist.mean(number)
    assert mean == number
    assert mean is not number
    assert not mean.requires_grad
    parameter = torch.nn.Parameter(torch.zeros(2))
    dist.average_gradients([parameter])
    assert parameter.grad is None
    dist.leave()
