"""Value and policy of an environment as a picture: drawn by the world itself, as a grid, as Taxi's maps, or as curves."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rlkit.mdp import from_env
from rlkit.report.style import INK, LINES, SURFACE, colour_bar, figure, quiet
from rlkit.report.toy_text import decided, taxi, toy_text
from rlkit.rules import absorbing, rules_from_env

_LARGE = 50_000  # states from which a world that draws itself is asked for its rules alone


def value_and_policy(
    env: gym.Env[Any, Any],
    value: ArrayLike,
    policy: ArrayLike | None = None,
    *,
    title: str = "",
    trajectory: Sequence[int] | None = None,
) -> Figure:
    """Picture a value, and a policy, on an environment.

    An environment that can draw itself, by `env.unwrapped.draw(value=, policy=, trajectory=, limits=) -> [H, W, 3]` as
    GridWorld can, does; a toy-text world on a grid (FrozenLake, CliffWalking) becomes a heatmap with arrows; Taxi becomes
    twenty maps, one for each place of the passenger and each destination; anything else becomes its sorted values and
    how often each action is chosen.

    Args:
        env: the environment; wrappers are looked through.
        value: [S].
        policy: [S, A] probabilities, or a mask of the optimal actions, all of which are drawn.
        title: stands at the top left.
        trajectory: states in the order of their visits, for an environment that draws itself.

    Raises:
        ValueError: where value or policy do not fit each other or the environment.
    """
    base = env.unwrapped
    v = np.asarray(value, np.float64)
    if v.ndim != 1 or not np.isfinite(v).any():
        raise ValueError(f"value has shape {list(v.shape)}; it must be [S] with at least one finite number")
    pi = None if policy is None else np.asarray(policy, np.float64)
    if pi is not None and (pi.ndim != 2 or len(pi) != len(v)):
        raise ValueError(f"policy has shape {list(pi.shape)}; it must be [{len(v)}, A]")
    draw = getattr(base, "draw", None)
    rules = rules_from_env(base)
    if callable(draw) and rules is not None and len(rules.rule) == len(v) > _LARGE:
        shown = np.where(absorbing(rules), np.nan, v)  # the whole model of a large world would take gigabytes
        return _drawn(draw, shown, pi, trajectory, title)
    mdp = from_env(base)
    if mdp is not None and mdp.n_states != len(v):
        raise ValueError(f"value has {len(v)} states, the environment has {mdp.n_states}; they must be the same")
    if mdp is None:
        return _curves(v, pi, title)
    if callable(draw):
        return _drawn(draw, np.where(decided(mdp), v, np.nan) if decided(mdp).any() else v, pi, trajectory, title)
    shape = _grid_shape(base)
    if shape is not None and shape[0] * shape[1] == len(v):
        return toy_text(mdp, shape, v, pi, title)
    if len(v) == 500 and hasattr(base, "locs") and hasattr(base, "desc"):
        return taxi(base, v, pi, title)
    return _curves(v, pi, title)


def _drawn(
    draw: Callable[..., NDArray[np.uint8]],
    shown: NDArray[np.float64],
    pi: NDArray[np.float64] | None,
    trajectory: Sequence[int] | None,
    title: str,
) -> Figure:
    """Let the environment draw itself, and add a colour bar."""
    # On a large grid a few cells in a far corner would otherwise take most of the colours for themselves.
    edges = (0.005, 0.995) if np.isfinite(shown).sum() > 1000 else (0.0, 1.0)
    low, high = np.nanquantile(shown, edges)
    limits = (float(low), float(high))
    return _picture(draw(value=shown, policy=pi, trajectory=trajectory, limits=limits), limits, title)


def _picture(pixels: NDArray[np.uint8], limits: tuple[float, float], title: str) -> Figure:
    """Place pixels one to one, with a colour bar beside them."""
    height, width = pixels.shape[:2]
    edge, top, bar = 24, 56 if title else 24, 96
    whole_width, whole_height = edge + width + bar, top + height + edge
    made = Figure(figsize=(whole_width / 100, whole_height / 100), dpi=100, facecolor=SURFACE)
    made.figimage(pixels, edge, edge, origin="upper")
    if title:
        made.text(
            edge / whole_width, 1 - 28 / whole_height, title, color=INK, fontsize=13, fontweight="bold", va="center"
        )
    place = ((edge + width + 20) / whole_width, edge / whole_height, 12 / whole_width, height / whole_height)
    colour_bar(made, made.add_axes(place), Normalize(*limits))
    return made


def _curves(v: NDArray[np.float64], pi: NDArray[np.float64] | None, title: str) -> Figure:
    """Draw the values in order, and how many states choose each action."""
    made = figure(9.0 if pi is not None else 5.4, 3.6, title)
    columns = made.subplots(1, 2 if pi is not None else 1, squeeze=False)[0]
    axes = quiet(columns[0], "states, from best to worst", "value")
    ordered = np.sort(v[np.isfinite(v)])[::-1]
    axes.fill_between(np.arange(len(ordered)), ordered, ordered.min(), color=LINES[0], alpha=0.12, linewidth=0)
    axes.plot(ordered, color=LINES[0], linewidth=2)
    if pi is not None:
        axes = quiet(columns[1], "action", "share of the states")
        total = pi.sum(axis=1, keepdims=True)
        share = np.divide(pi, total, out=np.zeros_like(pi), where=total > 0).mean(axis=0)
        axes.bar(np.arange(len(share)), share, width=0.7, color=LINES[0])
        axes.grid(visible=False, axis="x")
        if len(share) <= 20:
            axes.set_xticks(np.arange(len(share)))
    return made


def _grid_shape(base: Any) -> tuple[int, int] | None:
    """Read the shape of a toy-text world that lies on a grid."""
    if (shape := getattr(base, "shape", None)) is None and (desc := getattr(base, "desc", None)) is not None:
        shape = np.shape(desc)
    return (int(shape[0]), int(shape[1])) if shape is not None and len(shape) == 2 else None
