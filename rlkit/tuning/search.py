"""The search: trials chosen by optuna, each one configuration trained on several seeds; kept on disk as it goes."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from rlkit.tuning.ranges import Range

JOURNAL = "study.log"
_BEFORE = 5  # trials that run to their end before one can be given up


class Tried(NamedTuple):
    """One trial."""

    number: int
    score: float  # mean over seeds; of the seeds until it was given up
    each: tuple[float, ...]  # the seeds' scores
    config: dict[str, Any]  # the fields that were searched
    whole: bool  # False where it was given up, or its configuration made no sense


def open_study(folder: Path, seed: int, name: str) -> Study:
    """Open the study in a folder, a new one or one to go on with: a journal of JSON lines, which a crash leaves whole.

    The sampler is the tree-structured Parzen estimator (Bergstra et al., 2011), which begins with random trials. Its
    random numbers are drawn anew when a study is opened again: the trials that were made stand, the next are other ones.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
        study = optuna.create_study(
            storage=storage, study_name=name, direction="maximize", load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_BEFORE),
        )  # fmt: skip
    made = len(study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed + made)
    return study


def search(
    study: Study, trials: int, space: Mapping[str, Range], play: Callable[[dict[str, Any], int], float], seeds: int
) -> Iterator[Tried]:
    """Try `trials` configurations more, the best of which is known at every moment.

    A configuration whose first seeds score less than the median of earlier trials after as many is given up. One that
    the agent refuses, or in which it comes to numbers that are none, counts as given up too.

    Args:
        study: from `open_study`.
        trials: how many.
        space: field -> range.
        play: returns the score of a configuration with the i-th seed; the more the better.
        seeds: how many.
    """
    for _ in range(trials):
        trial = study.ask()
        config = {name: choice.suggest(name, trial) for name, choice in space.items()}
        each: list[float] = []
        state = TrialState.COMPLETE
        for i in range(seeds):
            try:
                score = play(config, i)
            except ValueError as error:
                trial.set_user_attr("refused", str(error))
                state = TrialState.PRUNED
                break
            each.append(score)
            if not np.isfinite(score):
                state = TrialState.PRUNED
                break
            trial.report(float(np.mean(each)), i)
            if i + 1 < seeds and trial.should_prune():
                state = TrialState.PRUNED
                break
        trial.set_user_attr("each", each)
        trial.set_user_attr("config", config)
        study.tell(trial, float(np.mean(each)) if state == TrialState.COMPLETE else None, state=state)
        yield tried(study.trials[trial.number])


def tried(trial: FrozenTrial) -> Tried:
    """Read a trial out of a study."""
    each = tuple(trial.user_attrs.get("each", ()))
    config = {key: _frozen(value) for key, value in trial.user_attrs.get("config", {}).items()}
    score = float(np.mean(each)) if each else -np.inf
    return Tried(trial.number, score, each, config, trial.state == TrialState.COMPLETE)


def ranking(study: Study) -> list[Tried]:
    """Return all trials that came to their end, the best first."""
    found = [tried(trial) for trial in study.get_trials(states=(TrialState.COMPLETE,))]
    return sorted(found, key=lambda one: -one.score)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
