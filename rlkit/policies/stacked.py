"""Two nets on the same inputs with their hidden layers stacked, and the gradient written out: few operations, none of autograd's own.

Of small nets the operations take longer than the numbers. With layers z = W x + b, h = f(z) and δ = ∂loss/∂z of each:
∂W = δᵀ x, ∂b = Σ_n δ_n, and below δ ← (δ W) f'(z), where f' is a function of h.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_Slope = Callable[[Tensor, Tensor], Tensor]
_DERIVATIVES: dict[str, _Slope] = {  # of the gradient by h and h itself; the former is overwritten
    "tanh": lambda slope, h: torch.ops.aten.tanh_backward.grad_input(slope, h, grad_input=slope),
    "relu": lambda slope, h: torch.ops.aten.threshold_backward.grad_input(slope, h, 0.0, grad_input=slope),
}


class Stacked(torch.autograd.Function):
    """first(inputs), second(inputs); `rlkit.policies.networks.pair` calls it."""

    @staticmethod
    def forward(ctx: Any, activation: str, inputs: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Return what both nets make of the inputs.

        Args:
            ctx: of autograd.
            activation: tanh or relu.
            inputs: [N, D].
            parameters: weights and biases of the first net from its first layer to its last, then the second's; all but the last
                layers are of the same widths.
        """
        half = len(parameters) // 2
        first, second = parameters[:half], parameters[half:]
        stacked = inputs.expand(2, *inputs.shape)  # [2, N, D]
        layers, weights, less = [stacked], [], inputs.new_full((), -1.0)
        for i in range(0, half - 2, 2):
            weight, bias = torch.stack([first[i], second[i]]), torch.stack([first[i + 1], second[i + 1]])[:, None]
            if activation == "tanh":  # 2 σ(2z) - 1, as `Tanh` has it; 2z comes out of the product at no cost
                sigmoid = torch.baddbmm(bias, stacked, weight.mT, beta=2.0, alpha=2.0).sigmoid_()
                stacked = torch.add(less, sigmoid, alpha=2.0, out=sigmoid)
            else:
                stacked = torch.baddbmm(bias, stacked, weight.mT).relu_()
            layers.append(stacked)
            weights.append(weight)
        ctx.activation = activation
        ctx.save_for_backward(*layers, *weights, first[-2], second[-2])
        left, right = stacked.unbind()
        return torch.addmm(first[-1], left, first[-2].T), torch.addmm(second[-1], right, second[-2].T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *deltas: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients by the arguments of `forward`."""
        saved: Sequence[Tensor] = ctx.saved_tensors
        depth = (len(saved) - 3) // 2
        layers, weights, lasts = saved[: depth + 1], saved[depth + 1 : -2], saved[-2:]
        gradients: list[list[Tensor]] = []
        for delta, top in zip(deltas, layers[-1].unbind(), strict=True):
            gradients.append([delta.sum(0), torch.mm(delta.T, top)])  # from the last layer to the first: bias, weight
        slope = torch.empty_like(layers[-1])  # [2, N, W]
        for delta, last, half in zip(deltas, lasts, slope, strict=True):
            torch.mm(delta, last, out=half)
        for weight, below, above in zip(weights[::-1], layers[-2::-1], layers[:0:-1], strict=True):
            delta = _DERIVATIVES[ctx.activation](slope, above)
            product = torch.bmm(below.mT, delta).mT  # of few inputs this order is the faster one
            for mine, bias, matrix in zip(gradients, delta.sum(1), product, strict=True):
                mine.extend((bias, matrix))
            if below is not layers[0] or ctx.needs_input_grad[1]:
                slope = torch.bmm(delta, weight)
        by_inputs = slope.sum(0) if ctx.needs_input_grad[1] else None
        return None, by_inputs, *gradients[0][::-1], *gradients[1][::-1]
