"""A figure as a small PNG file: few colours are enough for lines, letters and cells."""

import io
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from rlkit.report.files import write_atomically

FREQUENT, OTHER = 176, 80  # colours kept as they are, and colours chosen to lie near all others


def save(picture: Figure, path: Path) -> Path:
    """Write a figure with a palette, a third of the bytes of full colour, and return its path."""
    canvas = FigureCanvasAgg(picture)
    picture.set_dpi(130)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    colours, place, count = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    near = Image.fromarray(pixels).quantize(OTHER, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = np.vstack([colours[np.argsort(-count, kind="stable")[:FREQUENT]], np.reshape(near, (-1, 3))[:OTHER]])
    few = Image.fromarray(_nearest(colours, palette)[place].reshape(pixels.shape[:2]), "P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    few.save(buffer, "png", optimize=True)
    return write_atomically(path, buffer.getvalue())


def _nearest(colours: NDArray[np.uint8], palette: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the place in the palette [256, 3] of the colour nearest to each of some [n, 3]."""
    parts = np.array_split(colours.astype(np.int64), max(1, len(colours) // 4096))
    return np.concatenate([((part[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1) for part in parts]).astype(
        np.uint8
    )
