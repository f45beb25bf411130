"""A course: stages one after the other, each kept in a folder of its own, whole or not at all; what is finished is not done again."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from rlkit.policies.language import LanguagePolicy
from rlkit.run.beside import Folder
from rlkit.run.files import replacing
from rlkit.sample.language import Language
from rlkit.sample.model_part import ModelPart
from rlkit.sample.opening import Speech
from rlkit.sample.text.problem import Problem

_ROW, _PLAN, MODEL = "row.json", "recipe.json", "model"
Row = Mapping[str, float]


class Course:
    """The stages of a recipe under one folder.

    Args:
        out: the folder; one that holds the same recipe is gone on with.
        plan: what the recipe is to do: its name, model, seed and sizes.
        build: loads the model that everything begins with.
        console: shows what each stage came to.

    Raises:
        ValueError: the folder holds something else.
    """

    def __init__(self, out: Path, plan: Mapping[str, Any], build: Callable[[], Speech], console: Console) -> None:
        self.out, self.build, self.console = out, build, console
        self.rows = dict[str, Row]()
        wanted = json.loads(json.dumps(plan))
        if (out / _PLAN).is_file():
            found = json.loads((out / _PLAN).read_text())
            for key in found.keys() | wanted.keys():
                if found.get(key) != wanted.get(key):
                    raise ValueError(
                        f"{out} holds a recipe with {key} {found.get(key)!r}, not {wanted.get(key)!r}: give another folder"
                    )
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ValueError(f"{out} exists and holds no recipe; give another folder")
        else:
            out.mkdir(parents=True, exist_ok=True)
            with replacing(out / _PLAN) as file:
                file.write(json.dumps(wanted, indent=1).encode() + b"\n")

    def stage(self, name: str, work: Callable[[Path], Row]) -> Row:
        """Do a stage, or read what it came to where it was finished before.

        Args:
            name: of the stage and its folder.
            work: writes what the stage makes into a folder, and returns its row of the table.
        """
        place = self.out / name.replace(" ", "-")
        if not (place / _ROW).is_file():
            draft = place.with_name(f".{place.name}")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            row = work(draft)
            with replacing(draft / _ROW) as file:
                file.write(json.dumps(row).encode())
            shutil.rmtree(place, ignore_errors=True)
            os.replace(draft, place)  # noqa: PTH105 - a folder takes its place at once
        self.rows[name] = json.loads((place / _ROW).read_text())
        self.console.print(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in self.rows[name].items()))
        return self.rows[name]

    def learn(
        self,
        name: str,
        start: str,
        teach: Callable[[Language, Path], None],
        examine: Callable[[Language], Row],
        build: Callable[[], Speech] | None = None,
    ) -> Row:
        """Do a stage in which a model learns, and examine it.

        Args:
            name: of the stage.
            start: the stage with whose model it begins; "": the model of `build`.
            teach: lets the model of a language learn, in place; the folder is for what it writes beside it.
            examine: returns the row of the table.
            build: another model than the course's.
        """

        def work(folder: Path) -> Row:
            language = self.language(start, build)
            teach(language, folder)
            (folder / MODEL).mkdir()
            ModelPart(language).write(folder / MODEL)
            return examine(language)

        return self.stage(name, work)

    def language(self, stage: str, build: Callable[[], Speech] | None = None) -> Language:
        """Return a model as it is after a stage, or new where that is ""; its task is still to be given."""
        speech = (build or self.build)()
        language = Language(LanguagePolicy(speech.model), speech.tokenizer, _Nothing())
        if stage:
            ModelPart(language).load_state_dict(Folder(self.folder(stage) / MODEL))
        return language

    def folder(self, stage: str) -> Path:
        """Return the folder of a finished stage."""
        return self.out / stage.replace(" ", "-")

    def table(self, title: str) -> Table:
        """Lay out the rows of all stages."""
        table = Table(title=title, title_justify="left", title_style="bold")
        table.add_column("stage", no_wrap=True)
        columns = list(dict.fromkeys(key for row in self.rows.values() for key in row))
        for key in columns:
            table.add_column(key, justify="right")
        for name, row in self.rows.items():
            table.add_row(name, *(f"{row[key]:.3g}" if key in row else "" for key in columns))
        return table


class _Nothing:
    def start(self, rng: np.random.Generator) -> Problem:  # noqa: ARG002 - as every task has it
        raise ValueError("this language has no task yet; give it one with dataclasses.replace")
