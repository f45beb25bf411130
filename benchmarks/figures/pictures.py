"""A figure as a small PNG file: few colours are enough for lines, letters and cells."""

import io
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from rlkit.report.files import write_atomically

FREQUENT, OTHER = 176, 80  # colours kept as they are, and colours chosen to lie near all others


def save(picture: Figure, path: Path) -> Path:
    """Write a figure with a palette, a third of the bytes of full colour, and return its path."""
    canvas = FigureCanvasAgg(picture)
    picture.set_dpi(130)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    counts = pixels.getcolors(pixels.width * pixels.height) or []
    frequent = [colour for _, colour in sorted(counts, reverse=True)[:FREQUENT]]
    near = pixels.quantize(OTHER, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for colour in frequent for level in colour] + near[: 3 * OTHER])
    buffer = io.BytesIO()
    pixels.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return write_atomically(path, buffer.getvalue())
