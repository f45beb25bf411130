"""Rows of tokens laid out so that a prefix which several of them share is computed once: P + Σ R tokens in place of Σ (P + R).

A row is a prefix, the tokens up to the one after which the policy spoke first, and the rest of it. Tokens of all prefixes and
rests stand in one flat list; a token attends to those before it in its own rest and to the prefix of its row.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rlkit.data import Trajectories


class Layout(NamedTuple):
    """N tokens of U prefixes and B rests; an index is a place in the flat list, and -1 is padding."""

    ids: Tensor  # [N]
    positions: Tensor  # [N]  in its row
    prefixes: Tensor  # [U, P]  places of the prefixes' tokens
    rests: Tensor  # [B, R]  places of the rests' tokens
    owner: Tensor  # [B]  whose prefix a rest goes on from
    wanted: Tensor  # [M]  the places whose next token the policy chose, row by row
    row: Tensor  # [M]  and where that choice stands in the trajectories
    time: Tensor  # [M]


class Rows(NamedTuple):
    """Rows of trajectories that share one prefix."""

    rows: list[int]
    prefix: int  # tokens
    tokens: int  # P + Σ R


def share(traj: Trajectories) -> list[Rows]:
    """Find the rows of one group that begin with the same tokens; rows in which the policy never spoke are left out."""
    mask, obs, group = (x.cpu().numpy() for x in (traj.mask, traj.obs, traj.group))
    first, last = mask.argmax(1), mask.shape[1] - 1 - mask[:, ::-1].argmax(1)
    found: dict[tuple[int, bytes], list[int]] = {}
    for b in np.flatnonzero(mask.any(1)).tolist():
        found.setdefault((int(group[b]), obs[b, : first[b] + 1].tobytes()), []).append(b)
    return [
        Rows(rows, int(first[rows[0]]) + 1, int(first[rows[0]] + 1 + (last[rows] - first[rows]).sum()))
        for rows in found.values()
    ]


def batches(units: Sequence[Rows], budget: int) -> list[list[Rows]]:
    """Deal units into micro-batches of at most `budget` tokens, or of one unit; 0: all in one.

    A unit that is larger than the budget is cut: its prefix is then computed in each part.
    """
    if not budget:
        return [list(units)] if units else []
    found: list[list[Rows]] = []
    full = budget
    for unit in units:
        if full + unit.tokens > budget:
            found.append([])
            full = 0
        found[-1].append(unit)
        full += unit.tokens
    return found


def layout(traj: Trajectories, units: Sequence[Rows]) -> Layout:
    """Lay out the rows of some units."""
    mask = traj.mask.cpu().numpy()
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(1)
    rows = np.array([b for unit in units for b in unit.rows])
    owner = np.repeat(np.arange(len(units)), [len(unit.rows) for unit in units])
    heads = np.array([unit.prefix for unit in units])
    begin = heads[owner]
    rests = last[rows] + 1 - begin
    prefixes, prefix_places = _places(heads, 0)
    rest_row, rest_places = _places(rests, int(heads.sum()))
    speaker = np.array([unit.rows[0] for unit in units])
    source_row = np.concatenate([speaker[prefixes], rows[rest_row]])
    offset = np.arange(int(rests.sum())) - np.repeat(np.cumsum(rests) - rests, rests)
    time = np.concatenate(
        [np.arange(int(heads.sum())) - np.repeat(np.cumsum(heads) - heads, heads), offset + begin[rest_row]]
    )
    spoken, t = np.nonzero(mask[rows])
    end_of_prefix = (np.cumsum(heads) - 1)[owner]
    start = int(heads.sum()) + np.cumsum(rests) - rests
    wanted = np.where(t < begin[spoken], end_of_prefix[spoken], start[spoken] + t - begin[spoken])
    where = traj.obs.device
    source = torch.from_numpy(source_row).to(where), torch.from_numpy(time).to(where)
    arrays = (time, prefix_places, rest_places, owner, wanted, rows[spoken], t)
    return Layout(traj.obs[source], *(torch.from_numpy(np.ascontiguousarray(x)).to(where) for x in arrays))


class Reads(Protocol):
    """Anything that makes hidden states of tokens, and lets one say which tokens attend to which."""

    def hidden(self, ids: Tensor, positions: Tensor | None = None, allowed: Tensor | None = None) -> Tensor:
        """Return hidden states [B, T, H] of ids [B, T]."""
        ...


def dense(model: Reads, layout: Layout) -> Tensor:
    """Return the hidden states of a layout, [N, H], from one forward of a row a prefix with a mask of any shape.

    For every model; the attention of a unit takes (P + Σ R)² products where Σ R (P + R) would do.
    """
    units = len(layout.prefixes)
    device = layout.ids.device
    of_rest = (layout.rests >= 0).sum(1)
    unit = torch.cat(
        [
            torch.arange(units, device=device).repeat_interleave((layout.prefixes >= 0).sum(1)),
            layout.owner.repeat_interleave(of_rest),
        ]
    )
    segment = torch.cat(
        [
            torch.full_like(unit[: len(unit) - int(of_rest.sum())], -1),
            torch.arange(len(of_rest), device=device).repeat_interleave(of_rest),
        ]
    )
    order = torch.argsort(unit, stable=True)
    sizes = torch.bincount(unit, minlength=units)
    at = torch.arange(len(unit), device=device) - (sizes.cumsum(0) - sizes)[unit[order]]
    width = int(sizes.max())

    def spread(values: Tensor, padding: int) -> Tensor:
        table = torch.full((units, width), padding, dtype=values.dtype, device=device)
        table[unit[order], at] = values[order]
        return table

    segments = spread(segment, -2)
    seen = (segments[:, None, :] == -1) | (segments[:, None, :] == segments[:, :, None])
    allowed = seen & torch.ones(width, width, dtype=torch.bool, device=device).tril()
    hidden = model.hidden(spread(layout.ids, 0), spread(layout.positions, 0), allowed)
    flat = torch.empty_like(order)
    flat[order] = unit[order] * width + at
    return hidden.flatten(0, 1)[flat]


def _places(lengths: NDArray[np.int64], first: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of stretches that follow each other from `first`: whose each place is, and their places padded with -1."""
    whose = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    columns = np.arange(int(lengths.max(initial=0)))
    table = np.where(columns < lengths[:, None], first + starts[:, None] + columns, -1)
    return whose, table
