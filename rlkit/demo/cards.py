"""A card of the demo: a picture or a table with its words; and pictures set side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rlkit.report.files import save_picture, save_result
from rlkit.report.style import INK, figure

World = gym.Env[Any, Any]


@dataclass(frozen=True)
class Card:
    """What one card shows."""

    name: str  # of its files
    title: str
    caption: str
    picture: Figure | None = None
    table: Sequence[Mapping[str, Any]] = ()
    scalars: Mapping[str, Any] = field(default_factory=dict)


def write(card: Card, group: str, order: int, folder: Path) -> None:
    """Write a card's files."""
    if card.picture is not None:
        save_picture(card.picture, folder / f"{card.name}.png")
    words = {"title": card.title, "caption": card.caption, "group": group, "order": order, "scalars": card.scalars}
    save_result({**words, **({"table": list(card.table)} if card.table else {})}, folder / f"{card.name}.json")


def side_by_side(panels: Mapping[str, NDArray[np.uint8]], *, columns: int = 4) -> Figure:
    """Set pictures of one size [H, W, 3] in rows, each under its name."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    height, width = next(iter(panels.values())).shape[:2]
    side = 11.0 / max(columns, 3)
    made = figure(side * columns, (side * height / width + 0.35) * rows)
    axes = made.subplots(rows, columns, squeeze=False).ravel()
    for place in axes:
        place.set_axis_off()
    for place, (name, pixels) in zip(axes, panels.items(), strict=False):
        place.imshow(pixels, interpolation="antialiased")
        place.set_title(name, color=INK, fontsize=9, loc="left")
    return made


def drawn(
    world: World,
    value: ArrayLike | None = None,
    policy: ArrayLike | None = None,
    limits: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Let a grid world draw itself."""
    base: Any = world.unwrapped
    clean = None if value is None else np.round(np.asarray(value, np.float64), 9) + 0.0  # no -0
    pixels: NDArray[np.uint8] = base.draw(value=clean, policy=policy, limits=limits)
    return pixels
