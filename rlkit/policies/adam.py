"""Adam on one flat vector that all parameters are views of: a tenth of the operations, and an optimizer that needs no import.

`torch.optim` loads torch's compiler when the first optimizer is made, which takes longer than many small problems take to solve.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from rlkit.policies.fused import summing
from rlkit.policies.state import array

_LARGE = 1 << 20  # parameters from which the update is bound by memory, and made in one pass over it


class Adam:
    """Adam, Kingma & Ba, arXiv:1412.6980 algorithm 1, with the gradient held to a global norm first.

    g ← g min(1, c / ‖g‖); m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; θ ← θ - α m̂ / (√v̂ + ε), m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).

    Args:
        parameters: of the nets; from here on they are views of one vector, so move the nets to their device and type first.
        beta1: decay of the mean.
        beta2: decay of the mean square.
        epsilon: added to the root.
    """

    def __init__(
        self, parameters: Iterable[Parameter], *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.flat = torch.cat([parameter.detach().reshape(-1) for parameter in self.parameters])
        self.mean, self.square = _zeros(self.flat), _zeros(self.flat)
        self.count = 0  # t, updates so far
        for parameter, stretch in zip(self.parameters, self._split(self.flat), strict=True):
            parameter.data = stretch

    def gradient(self, loss: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return ∇ loss as one vector [P]; 0 for a parameter that the loss does not depend on, be it on none at all.

        Args:
            loss: a scalar; or [B, T], of which nobody asks for the sum.
            weights: [B, T], and then it is ∇ Σ weights · loss. None for a scalar.
        """
        if not loss.requires_grad:
            return torch.zeros_like(self.flat)
        grads = torch.autograd.grad(loss, self.parameters, weights, materialize_grads=True)
        return torch.cat([grad.reshape(-1) for grad in grads])

    def add_gradient(self, total: Tensor, loss: Tensor) -> None:
        """Add what `gradient` returns to `total` [P], with no other vector of that size: for large nets, and losses in parts."""
        if not loss.requires_grad:
            return
        for parameter, stretch in zip(self.parameters, self._split(total), strict=True):
            parameter.grad = stretch
        with summing():
            torch.autograd.backward(loss, inputs=self.parameters)
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, gradient: Tensor, rate: float, max_norm: float = math.inf) -> None:
        """Update the parameters.

        Args:
            gradient: g, [P]; where several processes learn together, its mean over them. Of a large net it is used up.
            rate: α.
            max_norm: c.
        """
        scale = (max_norm / (torch.linalg.vector_norm(gradient) + 1e-6)).clamp_(max=1.0)
        self.count += 1
        if self.flat.numel() >= _LARGE:
            self._in_one_pass(gradient.mul_(scale), rate)
            return
        grad = gradient * scale
        self.mean.lerp_(grad, 1.0 - self.beta1)
        self.square.mul_(self.beta2).addcmul_(grad, grad, value=1.0 - self.beta2)
        root = self.square.sqrt().div_(math.sqrt(1.0 - self.beta2**self.count)).add_(self.epsilon)
        self.flat.addcdiv_(self.mean, root, value=-rate / (1.0 - self.beta1**self.count))

    def _in_one_pass(self, grad: Tensor, rate: float) -> None:
        torch._fused_adam_(  # what torch.optim.Adam(fused=True) calls
            [self.flat],
            [grad],
            [self.mean],
            [self.square],
            [],
            [torch.tensor(float(self.count), device=grad.device)],
            lr=rate,
            beta1=self.beta1,
            beta2=self.beta2,
            weight_decay=0.0,
            eps=self.epsilon,
            amsgrad=False,
            maximize=False,
        )

    def reset(self) -> None:
        """Forget m, v and t, as at the start."""
        self.mean.zero_()
        self.square.zero_()
        self.count = 0

    def state_dict(self) -> dict[str, Any]:
        """Return m, v and t; the parameters are the nets'."""
        return {"mean": array(self.mean), "square": array(self.square), "count": self.count}

    def views(self) -> dict[str, Any]:
        """Return m, v and t without copying them; before the first update t alone, as m and v are 0."""
        if not self.count:
            return {"count": 0}
        return {**{name: array(getattr(self, name), copy=False) for name in ("mean", "square")}, "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it belongs to nets of another size.
        """
        if not state["count"] and "mean" not in state:
            self.reset()
            return
        for name, own in (("mean", self.mean), ("square", self.square)):
            found = np.asarray(state[name])
            if found.shape != tuple(own.shape):
                raise ValueError(f"the optimizer of the state has {found.size} parameters; this one has {own.numel()}")
            own.copy_(torch.from_numpy(found))
        self.count = int(state["count"])

    def _split(self, flat: Tensor) -> list[Tensor]:
        stretches = torch.split(flat, [parameter.numel() for parameter in self.parameters])
        return [one.view_as(parameter) for one, parameter in zip(stretches, self.parameters, strict=True)]


def _zeros(like: Tensor) -> Tensor:
    """Zeros of the same size, whose memory on a CPU is not taken before they are written to."""
    if like.device.type != "cpu" or like.dtype == torch.bfloat16:
        return torch.zeros_like(like)
    return torch.from_numpy(np.zeros(like.shape, array(like[:0]).dtype))
