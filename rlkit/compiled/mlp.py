"""A net of linear layers with tanh or relu between them: forward, backward, and everything else in arrays made once.

    X_{l+1} = f([X_l 1] W_l),  ∂W_l = [X_l 1]ᵀ D_{l+1},  D_l = (D_{l+1} W_lᵀ) f'(X_l);  the last layer has no f

W_l is [inputs + 1, outputs], its last row the bias. Hidden widths and outputs are filled up to whole vectors by units whose weights
are 0, and so are and stay their gradients. Rows go through in blocks that fit a processor's nearest memory.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.compiled.jit import kernel
from rlkit.compiled.products import product
from rlkit.compiled.smooth import tanh
from rlkit.compiled.transpose import transpose

Numbers = NDArray[Any]  # float32, or float64
BLOCK = 64  # rows that pass at once
PAD = 16  # widths are multiples of it
PARTS = 2  # in which the weights are dealt out to threads; the same however many threads there are
TANH, RELU = 0, 1
_INPUTS, _OUTPUTS, _ROW, _OUT_ROW, _AT, _OUT_AT, _WEIGHT, _FLIPPED, _REAL = range(9)  # columns of a plan


class Net(NamedTuple):
    """A net, its optimizer's memory, and its scratch."""

    plan: NDArray[np.int64]  # [layers, 9]  where everything of a layer is
    activation: int
    weights: Numbers  # [P]  W_0, W_1, ... one after the other, then `spare` numbers for whoever has use for them
    gradient: Numbers  # [P]
    mean: Numbers  # [P]  Adam's m
    square: Numbers  # [P]  Adam's v
    flipped: Numbers  # W_1ᵀ, W_2ᵀ, ... without the biases
    layers: Numbers  # [BLOCK, ·]  of X_0, X_1, ..., a 1 behind each row but the last layer's
    deltas: Numbers  # [BLOCK, ·]  of D_1, D_2, ...


def new_net(sizes: Sequence[int], activation: int, dtype: type, spare: int = 0) -> Net:
    """Return a net whose weights are 0.

    Args:
        sizes: widths of inputs, hidden layers, and outputs.
        activation: TANH or RELU.
        dtype: np.float32 or np.float64.
        spare: parameters beside the layers'.
    """
    wide = [sizes[0], *(-(-size // PAD) * PAD for size in sizes[1:])]
    rows = [width + PAD for width in wide[:-1]] + [wide[-1]]
    plan = np.zeros((len(sizes) - 1, 9), np.int64)
    at = weight = flipped = 0
    for i in range(len(plan)):
        following = at + BLOCK * rows[i]
        plan[i] = wide[i], wide[i + 1], rows[i], rows[i + 1], at, following, weight, flipped, sizes[i + 1]
        at = following
        weight += (wide[i] + 1) * wide[i + 1]
        flipped += wide[i] * wide[i + 1] if i else 0
    vectors: Numbers = np.zeros((4, weight + spare), dtype)
    layers: Numbers = np.zeros(at + BLOCK * rows[-1], dtype)
    for i, row in enumerate(plan):
        layers[row[_AT] : row[_OUT_AT]].reshape(BLOCK, -1)[:, wide[i]] = 1.0
    turned: Numbers = np.zeros(max(1, flipped), dtype)
    return Net(plan, activation, vectors[0], vectors[1], vectors[2], vectors[3], turned, layers, np.zeros_like(layers))


def matrices(net: Net, vector: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Return (weight [out, in], bias [out]) of each layer as padded views of a vector [P] such as `net.weights`."""
    found = []
    for row in net.plan:
        size = (row[_INPUTS] + 1) * row[_OUTPUTS]
        whole = vector[row[_WEIGHT] : row[_WEIGHT] + size].reshape(row[_INPUTS] + 1, row[_OUTPUTS])
        found.append((whole[:-1].T, whole[-1]))
    return found


@kernel
def flip(net: Net) -> None:
    """Bring the transposed weights up to date."""
    for part in range(PARTS):
        flip_part(net, part)


@kernel
def stretch(net: Net, layer: int, part: int) -> tuple[int, int]:
    """Return the first row of a layer's weights that belongs to a part, and that behind its last one; the bias is in the last part."""
    inputs = net.plan[layer, _INPUTS]
    half = inputs // (2 * PAD) * PAD
    return (0, half) if part == 0 else (half, inputs + 1)


@kernel
def weights_place(net: Net, layer: int, part: int) -> tuple[int, int]:
    """Return where a layer's weights of a part begin and end."""
    first, end = stretch(net, layer, part)
    at, outputs = net.plan[layer, _WEIGHT], net.plan[layer, _OUTPUTS]
    return at + first * outputs, at + end * outputs


@kernel
def flip_part(net: Net, part: int) -> None:
    """Bring the transposed weights up to date where the weights are those of a part."""
    for layer in range(1, len(net.plan)):
        inputs, outputs = net.plan[layer, _INPUTS], net.plan[layer, _OUTPUTS]
        first, end = stretch(net, layer, part)
        at, to = net.plan[layer, _WEIGHT] + first * outputs, net.plan[layer, _FLIPPED] + first
        transpose(net.flipped, to, inputs, net.weights, at, outputs, min(end, inputs) - first, outputs)


@kernel
def forward(net: Net, first: int, rows: int) -> None:
    """Pass rows first, ..., `rows` of them, of X_0 through the net."""
    layers, last = net.layers, len(net.plan) - 1
    for layer in range(last + 1):
        inputs, outputs = net.plan[layer, _INPUTS], net.plan[layer, _OUTPUTS]
        row, out_row, weight = net.plan[layer, _ROW], net.plan[layer, _OUT_ROW], net.plan[layer, _WEIGHT]
        at, out_at = net.plan[layer, _AT] + first * row, net.plan[layer, _OUT_AT] + first * out_row
        product(
            layers, out_at, out_row, layers, at, row, 1, net.weights, weight, outputs, rows, outputs, inputs + 1, False
        )
        if layer < last:
            _activate(layers, out_at, out_row, rows, outputs, net.activation)


@kernel
def backward(net: Net, rows: int, add: bool) -> None:
    """Set the gradient, or add to it, by the derivatives of a loss by the outputs, which stand in the last D."""
    spread(net, 0, rows)
    for part in range(PARTS):
        collect(net, rows, add, part)


@kernel
def spread(net: Net, first: int, rows: int) -> None:
    """Work out D_1, D_2, ... of rows first, ..., `rows` of them, from the last D."""
    layers, deltas = net.layers, net.deltas
    for layer in range(len(net.plan) - 1, 0, -1):
        inputs, real, flipped = net.plan[layer, _INPUTS], net.plan[layer, _REAL], net.plan[layer, _FLIPPED]
        row, out_row = net.plan[layer, _ROW], net.plan[layer, _OUT_ROW]
        at, out_at = net.plan[layer, _AT] + first * row, net.plan[layer, _OUT_AT] + first * out_row
        product(deltas, at, row, deltas, out_at, out_row, 1, net.flipped, flipped, inputs, rows, inputs, real, False)
        _derive(deltas, layers, at, row, rows, inputs, net.activation)


@kernel
def collect(net: Net, rows: int, add: bool, part: int) -> None:
    """Set one part of the gradient, or add to it, by D_1, D_2, ... of the first `rows` rows."""
    for layer in range(len(net.plan)):
        outputs, row, out_row = net.plan[layer, _OUTPUTS], net.plan[layer, _ROW], net.plan[layer, _OUT_ROW]
        first, end = stretch(net, layer, part)
        to, at, out_at = (
            net.plan[layer, _WEIGHT] + first * outputs,
            net.plan[layer, _AT] + first,
            net.plan[layer, _OUT_AT],
        )
        product(
            net.gradient,
            to,
            outputs,
            net.layers,
            at,
            1,
            row,
            net.deltas,
            out_at,
            out_row,
            end - first,
            outputs,
            rows,
            add,
        )


@kernel
def take(net: Net, x: Numbers, rows: NDArray[np.int64], first: int, count: int) -> None:
    """Write rows[first], ..., `count` of them, of x [R, D] into X_0."""
    at, row = net.plan[0, _AT], net.plan[0, _ROW]
    for i in range(count):
        of = rows[first + i]
        for j in range(x.shape[1]):
            net.layers[at + i * row + j] = x[of, j]


@kernel
def input_place(net: Net, i: int) -> tuple[int, int]:
    """Return where row i of X_0 begins, and how long it is."""
    return net.plan[0, _AT] + i * net.plan[0, _ROW], net.plan[0, _INPUTS]


@kernel
def output_place(net: Net) -> tuple[int, int]:
    """Return where the outputs (in `layers`) and their derivatives (in `deltas`) begin, and how far it is to the next row."""
    return net.plan[-1, _OUT_AT], net.plan[-1, _OUT_ROW]


@kernel
def _activate(x: Numbers, at: int, row: int, rows: int, width: int, activation: int) -> None:
    for i in range(rows):
        for j in range(width):
            here = np.uint64(at + i * row + j)  # of a signed index numba asks whether it counts from the end
            if activation == TANH:
                x[here] = tanh(x[here])
            else:
                x[here] = max(x[here], x.dtype.type(0.0))


@kernel
def _derive(d: Numbers, x: Numbers, at: int, row: int, rows: int, width: int, activation: int) -> None:
    for i in range(rows):
        for j in range(width):
            here = np.uint64(at + i * row + j)
            if activation == TANH:
                d[here] -= d[here] * x[here] * x[here]
            else:
                d[here] = d[here] if x[here] > 0.0 else x.dtype.type(0.0)
