"""Target nets: copies that follow slowly, so that what is learned does not chase itself."""

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)


class Target(Generic[Net]):
    """A copy of a net, without gradient.

    Args:
        net: that it follows. The copy's weights are views of one vector, as are those of a net that `rlkit.policies.adam` has.
    """

    def __init__(self, net: Net) -> None:
        self.net = copy.deepcopy(net).requires_grad_(False)
        parameters = list(self.net.parameters())
        self.flat = torch.cat([parameter.reshape(-1) for parameter in parameters])
        for parameter, stretch in zip(parameters, torch.split(self.flat, [p.numel() for p in parameters]), strict=True):
            parameter.data = stretch.view_as(parameter)

    @torch.no_grad()
    def follow(self, flat: torch.Tensor, tau: float = 1.0) -> None:
        """Move by φ' ← φ' + τ (φ - φ'), arXiv:1509.02971 algorithm 1, towards weights φ as one vector; τ = 1 copies them."""
        self.flat.lerp_(flat, tau)
