"""A picture of a grid as pixels: cells, values, policies, a trajectory and the agent, at any size of grid."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs import palette
from envs.board import ROOM, board, cell_size, fills
from envs.cells import FORBIDDEN, TARGET, WALL, Layout
from envs.palette import ink_on
from envs.settings import ACTION_SETS, MOVES
from envs.trail import draw_trail

if TYPE_CHECKING:
    from envs.canvas import Canvas

READABLE = 32  # pixels a cell needs for a number alone, and with something else beside it
CROWDED = 48


def draw(
    layout: Layout,
    *,
    agent: int | None = None,
    trajectory: Sequence[int] | None = None,
    value: ArrayLike | None = None,
    policy: ArrayLike | None = None,
    actions: Sequence[str] | None = None,
    limits: tuple[float, float] | None = None,
    cell: int | None = None,
) -> NDArray[np.uint8]:
    """Draw a grid; cell (row, col) covers the pixels [row * cell, (row + 1) * cell) x [col * cell, (col + 1) * cell).

    Args:
        layout: the grid.
        agent: state index of the agent.
        trajectory: state indices in the order of the visits.
        value: [S] or [rows, cols]; colours the cells and, where they are large enough, stands in them. NaN: no value.
        policy: [S, A] or [rows, cols, A], probabilities or a mask of optimal actions. Every action with a share is an
            arrow (staying is a dot) as long as its share of the largest; a row of zeros draws nothing.
        actions: names of the A actions (see `envs.settings.MOVES`); the layout's own, or the usual ones, when left out.
        limits: values of the palest and the deepest colour; see `envs.board.spread` for what holds when left out.
        cell: pixels per cell; chosen by the size of the grid when left out.

    Returns:
        uint8 [rows * cell, cols * cell, 3].

    Raises:
        ValueError: naming the argument whose shape or content does not fit the layout.
    """
    size = cell_size(layout.shape) if cell is None else cell
    if size < 1:
        raise ValueError(f"cell is {cell}; a cell needs at least 1 pixel")
    v, pi = checked_value(layout, value), checked_policy(layout, policy)
    names = None if pi is None else action_names(layout, pi.shape[2], actions)
    colours = fills(layout, v, limits)
    valued = np.zeros(layout.shape, np.bool_) if v is None else np.isfinite(v)
    canvas = board(layout, size, colours, valued, valued if pi is None else valued | (pi.max(axis=2) > 0))
    crowded = pi is not None or trajectory is not None
    numbers = v is not None and size >= (CROWDED if crowded else READABLE)
    if pi is not None and names is not None and size >= ROOM:
        _draw_policy(canvas, pi, names, colours, size, small=numbers)
    if v is not None and numbers:
        _draw_numbers(canvas, v, colours, size, low=crowded)
    draw_mover(canvas, layout, agent, trajectory, size)
    return canvas.array()


def draw_mover(
    canvas: "Canvas", layout: Layout, agent: int | None, trajectory: Sequence[int] | None, cell: int
) -> None:
    """Draw the way so far and the agent onto a board."""
    cols = layout.shape[1]
    states = [int(s) for s in trajectory] if trajectory is not None else []
    for s in [*states, *([] if agent is None else [agent])]:
        if not 0 <= s < layout.n_states:
            raise ValueError(f"state {s} is not on the grid; states are 0 .. {layout.n_states - 1}")
    if len(states) > 1:
        draw_trail(canvas, states, cols, cell)
    if states:
        radius = max(0.1 * cell, 2.5)
        for s, colour in ((states[0], palette.TRAIL), (states[-1], palette.AGENT)):
            x, y = (s % cols + 0.5) * cell, (s // cols + 0.5) * cell
            canvas.disc(x, y, radius * 1.35, palette.FLOOR)
            canvas.disc(x, y, radius, colour)
    if agent is not None:
        x, y = (agent % cols + 0.5) * cell, (agent // cols + 0.5) * cell
        radius = max(0.27 * cell, min(5.0, min(canvas.size) / 8))
        canvas.disc(x, y, radius * 1.2, palette.WHITE)
        canvas.disc(x, y, radius, palette.AGENT)
        canvas.disc(x - 0.28 * radius, y - 0.3 * radius, 0.24 * radius, palette.mix(palette.AGENT, palette.WHITE, 0.55))


def checked_value(layout: Layout, value: ArrayLike | None) -> NDArray[np.float64] | None:
    """Return a value as [rows, cols]; cells where nothing is decided have none."""
    if value is None:
        return None
    v = np.array(value, np.float64)
    if v.shape not in {(layout.n_states,), layout.shape}:
        raise ValueError(f"value has shape {v.shape}; this grid asks for ({layout.n_states},) or {layout.shape}")
    v = v.reshape(layout.shape)
    v[idle(layout)] = np.nan
    return v


def checked_policy(layout: Layout, policy: ArrayLike | None) -> NDArray[np.float64] | None:
    """Return a policy as [rows, cols, A] with zeros where no action is chosen."""
    if policy is None:
        return None
    pi = np.array(policy, np.float64)
    if pi.ndim < 2 or pi.shape[:-1] not in {(layout.n_states,), layout.shape}:
        raise ValueError(
            f"policy has shape {pi.shape}; this grid asks for ({layout.n_states}, A) or {(*layout.shape, 'A')}"
        )
    if np.any(pi < 0):
        raise ValueError(f"policy holds {pi.min():.6g}; probabilities are 0 or more")
    pi = np.nan_to_num(pi.reshape(*layout.shape, -1))
    pi[idle(layout)] = 0.0
    return pi


def idle(layout: Layout) -> NDArray[np.bool_]:
    """Mark the cells where nothing is decided: walls, targets that end the episode, cells that cannot be stood on."""
    found: NDArray[np.bool_] = layout.kinds == WALL
    if layout.settings.forbidden != "penalty":
        found |= layout.kinds == FORBIDDEN
    if layout.settings.target == "terminal":
        found |= layout.kinds == TARGET
    return found


def action_names(layout: Layout, n_actions: int, actions: Sequence[str] | None) -> tuple[str, ...]:
    """Name the actions of a policy: as given, or as the layout does, or in the usual order of so many actions."""
    own = layout.settings.action_names
    names = tuple(actions) if actions is not None else own if len(own) == n_actions else ACTION_SETS.get(n_actions, ())
    if len(names) != n_actions:
        raise ValueError(f"the policy has {n_actions} actions and {len(names)} names {names}; name every action")
    for name in names:
        if name not in MOVES:
            raise ValueError(f"action {name!r} is unknown; choose among {', '.join(MOVES)}")
    return names


def _draw_policy(
    canvas: "Canvas",
    pi: NDArray[np.float64],
    names: tuple[str, ...],
    colours: NDArray[np.uint8],
    cell: int,
    *,
    small: bool,
) -> None:
    best = pi.max(axis=2)
    for row, col in np.argwhere(best > 0):
        red, green, blue = colours[row, col].tolist()
        ink = ink_on((red, green, blue))
        x, y = (col + 0.5) * cell, (row + (0.375 if small else 0.5)) * cell
        shares = {name: share for name, share in zip(names, pi[row, col] / best[row, col], strict=True) if share > 0.02}
        for name, share in shares.items():
            down, right = MOVES[name]
            if down == right == 0:
                canvas.disc(x, y, (0.045 + 0.06 * share) * cell, ink)
                continue
            length, thickness = (0.12 + 0.21 * share) * (0.85 if small else 1.0) * cell, (0.028 + 0.027 * share) * cell
            back = (
                0.5 * length / np.hypot(right, down) if len(shares) == 1 else 0.0
            )  # a lone arrow stands in the middle
            canvas.arrow(
                x - right * back, y - down * back, (right, down), length * (1.15 if back else 1.0), thickness, ink
            )


def _draw_numbers(
    canvas: "Canvas", v: NDArray[np.float64], colours: NDArray[np.uint8], cell: int, *, low: bool
) -> None:
    digits = decimals(v)
    for row, col in np.argwhere(np.isfinite(v)):
        red, green, blue = colours[row, col].tolist()
        words = f"{round(float(v[row, col]), digits) + 0.0:.{digits}f}".replace("-", "−")  # + 0.0: no minus before zero
        y = (row + (0.81 if low else 0.5)) * cell
        canvas.text(
            (col + 0.5) * cell, y, words, (0.25 if low else 0.36) * cell, ink_on((red, green, blue)), fit=0.84 * cell
        )


def decimals(v: NDArray[np.float64]) -> int:
    """Choose how many decimals tell the values apart: none for whole numbers, two for small ones."""
    known = v[np.isfinite(v)]
    largest = np.abs(known).max(initial=0.0)
    whole = bool(np.all(np.abs(known - np.rint(known)) < 1e-6))
    return 0 if whole or largest >= 100 else 2 if largest < 2 else 1
