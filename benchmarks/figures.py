"""The figures of the books, drawn anew: python benchmarks/figures.py [NAME ...] [--out DIR] [--list]."""

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it can be called from anywhere

import benchmarks.figures

Draw = Callable[[Path], Path]


def collect() -> dict[str, Draw]:
    """Return every figure by its name, MODULE.figure_NUMBER, in the order of modules and of lines."""
    found: dict[str, Draw] = {}
    for module in sorted(pkgutil.iter_modules(benchmarks.figures.__path__), key=lambda one: one.name):
        here = importlib.import_module(f"benchmarks.figures.{module.name}")
        for name, function in vars(here).items():
            if name.startswith("figure_") and function.__module__ == here.__name__:
                found[f"{module.name}.{name}"] = function
    return found


def choose(figures: dict[str, Draw], names: list[str]) -> dict[str, Draw]:
    """Return the figures that are meant: by full name, by module, or by figure_NUMBER; all where no name is given.

    Raises:
        ValueError: naming what is no figure.
    """
    for name in names:
        if not any(_meant(full, name) for full in figures):
            raise ValueError(f"there is no figure {name!r}; --list shows the {len(figures)} that there are")
    return {full: draw for full, draw in figures.items() if not names or any(_meant(full, name) for name in names)}


def main(arguments: list[str] | None = None) -> None:
    """Draw figures, and print the name, the seconds and the path of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="chapter5, figure_5_4, chapter5.figure_5_4; default all"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/figures"), help="folder of the pictures")
    parser.add_argument("--list", action="store_true", help="print the names and what each shows, and draw nothing")
    options = parser.parse_args(arguments)
    try:
        chosen = choose(collect(), options.names)
    except ValueError as error:
        parser.error(str(error))
    width = max(map(len, chosen))
    for name, draw in chosen.items():
        if options.list:
            print(f"{name:{width}}  {(draw.__doc__ or '').partition(chr(10))[0]}")
            continue
        options.out.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        path = draw(options.out)
        print(f"{name:{width}}  {time.perf_counter() - start:6.1f} s  {path}", flush=True)


def _meant(full: str, name: str) -> bool:
    return name == full or name in full.split(".")


if __name__ == "__main__":
    main()
