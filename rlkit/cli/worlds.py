"""From what a user types to an environment: an id, the name of a grid, or a file that holds a map."""

import ast
import difflib
import importlib
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym

World = gym.Env[Any, Any]

_PLACE = re.compile(r"[/\\]|\.(txt|map|grid)$")
_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def open_world(name: str, words: Sequence[str]) -> tuple[World, list[str]]:
    """Make the environment that `name` means, with key=value words for `gym.make`; and Gymnasium's warnings.

    Raises:
        ValueError: saying what is wrong with the name or a word, and what to do.
    """
    arguments = dict(argument(word) for word in words)
    identity, layout = _identify(name)
    if layout is not None:
        arguments["layout"] = layout
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            world = gym.make(identity, **arguments)
        except (gym.error.Error, ImportError) as error:
            raise ValueError(f"{name} cannot be made: {error}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{name} is not text ({error}); a map is a file of ASCII characters") from error
        except TypeError as error:
            given = ", ".join(arguments) or "none"
            complaint = str(error).partition(" was raised from")[0]  # Gymnasium adds what the user has just typed
            raise ValueError(f"{name} does not take these arguments ({given}): {complaint}") from error
        except (AssertionError, AttributeError, LookupError, ArithmeticError) as error:  # how environments complain
            given = ", ".join(f"{key}={value!r}" for key, value in arguments.items()) or "none"
            complaint = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise ValueError(f"{name} cannot be made with these arguments ({given}): {complaint}") from error
    notes = [_COLOUR.sub("", str(warning.message)).removeprefix("WARN: ") for warning in caught]
    return world, notes


def layouts() -> dict[str, str]:
    """Return the named grids with the id that each is registered under."""
    found = {}
    for identity, spec in gym.registry.items():
        if spec.entry_point == "envs.gridworld:GridWorld" and "layout" in spec.kwargs:
            found[str(spec.kwargs["layout"])] = identity
    return found


def _identify(name: str) -> tuple[str, Path | str | None]:
    """Return an id and, where the user means a grid and not an id, its layout."""
    module, colon, identity = name.rpartition(":")
    if colon and not _PLACE.search(module):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ValueError(f"{name}: the module {module!r} cannot be imported ({error}); check PYTHONPATH") from error
        name = identity
    if name in gym.registry or f"{name}-v0" in gym.registry or f"{name}-v1" in gym.registry:
        return name, None
    if Path(name).is_file():
        return "GridWorld-v0", Path(name)
    if name in layouts():
        return "GridWorld-v0", name
    if _PLACE.search(name):
        raise ValueError(f"the map file {name!r} does not exist (looked in {Path.cwd()}); check the path")
    raise ValueError(f"there is no environment {name!r}; {_advice(name)}")


def _advice(name: str) -> str:
    known = {identity.lower(): identity for identity in [*gym.registry, *layouts()]}
    base, _, _ = name.lower().rpartition("-v")
    close = [identity for key, identity in known.items() if base and key.rpartition("-v")[0] == base]
    close = close or [known[key] for key in difflib.get_close_matches(name.lower(), known, n=3)]
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{hint}`rlkit list envs` names those with a model; a map of your own is given by its file's path"


def argument(word: str) -> tuple[str, Any]:
    """Read key=value, where the value is a Python literal or a plain word.

    Raises:
        ValueError: it is not of that form.
    """
    key, equals, value = word.partition("=")
    if not (equals and key.isidentifier()):
        raise ValueError(f"--arg {word!r} is not of the form key=value, such as slip=0.2 or target=terminal")
    if value.lower() in {"true", "false", "none"}:
        value = value.capitalize()
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value  # a plain word
