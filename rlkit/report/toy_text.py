"""Gymnasium's toy-text worlds as maps: what can be read off their model, and Taxi's twenty maps."""

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rlkit.mdp import MDP
from rlkit.report.grid import Move, draw_grid, draw_walls, frame_cells, mark_cells
from rlkit.report.style import ACCENT, HEAT, INK, MUTED, WALL, WARNING, colour_bar, figure

TAXI_MOVES: tuple[Move, ...] = ((1, 0), (-1, 0), (0, 1), (0, -1), None, None)  # south, north, east, west, pick up, drop


def toy_text(
    mdp: MDP, shape: tuple[int, int], v: NDArray[np.float64], pi: NDArray[np.float64] | None, title: str
) -> Figure:
    """Draw a world whose states are the cells of a grid, row by row: FrozenLake, CliffWalking."""
    rows, cols = shape
    live = decided(mdp)
    shown = np.where(live, v, np.nan) if live.any() else v
    size = min(1.0, 9.0 / max(shape))
    made = figure(cols * size + 1.2, rows * size + 0.7, title)
    axes = made.add_subplot()
    norm = Normalize(np.nanmin(shown), np.nanmax(shown))
    chosen = None if pi is None else np.where(live[:, None], pi, 0.0).reshape(rows, cols, -1)
    draw_grid(axes, shown.reshape(shape), chosen, moves(mdp, shape), norm=norm, size=size)
    for kind, states in _landmarks(mdp, live).items():
        mark_cells(axes, kind, [divmod(int(s), cols) for s in states], size)
    colour_bar(made, made.colorbar(ScalarMappable(norm, HEAT), ax=axes, aspect=30, pad=0.02).ax, norm)
    return made


def decided(mdp: MDP) -> NDArray[np.bool_]:
    """Mark the states where something is decided: they can be entered, or begun in, and do not end the episode."""
    source = _sources(mdp)
    entered = np.diff(mdp.start_cdf, prepend=0.0) > 0
    moving = (mdp.next_state != source) & (mdp.prob > 0)
    entered[mdp.next_state[moving]] = True
    entered[mdp.next_state[moving & mdp.terminated]] = False
    return entered


def moves(mdp: MDP, shape: tuple[int, int]) -> list[Move]:
    """Find where each action leads on a grid: the median over the states of its mean displacement."""
    source = _sources(mdp)
    steps = [mdp.next_state // shape[1] - source // shape[1], mdp.next_state % shape[1] - source % shape[1]]
    live = decided(mdp)
    means = [np.add.reduceat(mdp.prob * step, mdp.indptr[:-1]).reshape(mdp.n_states, -1)[live] for step in steps]
    found: list[Move] = []
    for down, right in zip(*(np.median(mean, axis=0) for mean in means), strict=True):
        largest = max(abs(down), abs(right))
        found.append((round(down / largest), round(right / largest)) if largest > 1e-9 else None)
    return found


def taxi(base: Any, v: NDArray[np.float64], pi: NDArray[np.float64] | None, title: str) -> Figure:
    """Draw a map for every place of the passenger (rows) and every destination (columns)."""
    places = ("red", "green", "yellow", "blue", "in the taxi")
    values = v.reshape(5, 5, 5, 4)  # row, column, passenger, destination
    riding = np.array([[p != d for d in range(4)] for p in range(5)])
    norm = Normalize(values[:, :, riding].min(), values[:, :, riding].max())
    made = figure(9.2, 11.6, title)
    panels = made.subplots(5, 4)
    walls = _taxi_walls(np.asarray(base.desc, "U1"))
    for passenger, destination in np.ndindex(5, 4):
        axes = panels[passenger, destination]
        middle = {"ha": "center", "va": "center", "transform": axes.transAxes}
        if riding[passenger, destination]:
            chosen = None if pi is None else pi.reshape(5, 5, 5, 4, -1)[:, :, passenger, destination]
            draw_grid(
                axes, values[:, :, passenger, destination], chosen, TAXI_MOVES, norm=norm, numbers=False, size=0.4
            )
            draw_walls(axes, walls, WALL)
            frame_cells(axes, [base.locs[destination]], WARNING)
            if passenger < 4:
                frame_cells(axes, [base.locs[passenger]], ACCENT)
        else:
            axes.set_axis_off()
            axes.set_box_aspect(1)
            axes.text(0.5, 0.5, "already there", color=MUTED, fontsize=8, **middle)
        if passenger == 0:
            axes.text(0.5, 1.08, f"to {places[destination]}", color=INK, fontsize=9, **middle)
        if destination == 0:
            where = places[passenger] if passenger == 4 else f"at {places[passenger]}"
            axes.text(-0.08, 0.5, where, color=INK, fontsize=9, rotation=90, **middle)
    key = "rows: where the passenger is (red frame); columns: the destination (orange frame); ● picks up or puts down"
    made.supxlabel(key, color=MUTED, fontsize=8.5)
    colour_bar(made, made.colorbar(ScalarMappable(norm, HEAT), ax=panels, aspect=60, pad=0.01).ax, norm)
    return made


def _sources(mdp: MDP) -> NDArray[np.intp]:
    """The state that each outcome belongs to."""
    return np.repeat(np.arange(len(mdp.indptr) - 1), np.diff(mdp.indptr)) // mdp.n_actions


def _landmarks(mdp: MDP, live: NDArray[np.bool_]) -> dict[str, NDArray[np.intp]]:
    """Split the other states into goals (the best ending), other endings, and places that nobody stands on."""
    ends = mdp.terminated & (mdp.next_state != _sources(mdp))
    gain = np.full(mdp.n_states, -np.inf)
    np.maximum.at(gain, mdp.next_state[ends], mdp.reward[ends])
    best = gain.max()
    ending = np.isfinite(gain)
    return {
        "goal": np.flatnonzero(ending & (gain == best)),
        "end": np.flatnonzero(ending & (gain < best)),
        "never": np.flatnonzero(~live & ~ending),
    }


def _taxi_walls(desc: NDArray[np.str_]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Read the walls between the cells off Taxi's map, where a bar stands between two columns."""
    inner = desc[1:-1]
    return [
        ((col - 0.5, row - 0.5), (col - 0.5, row + 0.5))
        for row in range(5)
        for col in range(1, 5)
        if inner[row, 2 * col] == "|"
    ]
