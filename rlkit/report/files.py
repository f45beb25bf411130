"""Pictures and results on disk: written to a temporary file and renamed, so that no reader ever sees half of one."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rlkit.run.files import replacing


def save_picture(picture: Figure | NDArray[np.uint8], path: str | Path) -> Path:
    """Write a figure, or pixels [H, W, 3], as a PNG file and return its path."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        FigureCanvasAgg(picture)
        picture.savefig(buffer, format="png", facecolor=picture.get_facecolor(), metadata={"Software": "rlkit"})
    elif picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3:
        matplotlib.image.imsave(buffer, picture, format="png", metadata={"Software": "rlkit"})
    else:
        raise ValueError(f"a picture is uint8 [H, W, 3]; this one is {picture.dtype} {list(picture.shape)}")
    return write_atomically(path, buffer.getvalue())


def save_result(result: Mapping[str, Any], path: str | Path) -> Path:
    """Write a result as a JSON file and return its path; arrays become lists, NaN and infinities become null."""
    text = json.dumps(_plain(result), indent=1, ensure_ascii=False, allow_nan=False)
    return write_atomically(path, (text + "\n").encode())


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write a file so that `path` holds the old content or the new, whole, whenever anyone looks."""
    with replacing(path) as file:
        file.write(content)
    return Path(path)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, str | bool | int | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return str(value)
