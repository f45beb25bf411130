"""The rows of the tables: `grpo`'s presets as they are shipped, without their divergences, and variants that show one thing each."""

from dataclasses import fields, replace
from typing import Any, NamedTuple

from benchmarks.truth.worlds import World
from rlkit.agents.grpo import Config
from rlkit.run.presets import preset

FIELDS = [field.name for field in fields(Config)]


class Row(NamedTuple):
    """A line of a table."""

    name: str
    preset: str
    changes: dict[str, Any]  # to the preset
    what: str  # is known of its mean


ON_POLICY = (
    Row("REINFORCE", "reinforce", {}, "exact"),
    Row("RLOO", "rloo", {}, "exact"),
    Row("Dr. GRPO", "drgrpo", {}, "(G - 1) / G / longest"),
    Row("OPMD, first update", "opmd", {}, "(G - 1) / G"),
    Row("REINFORCE++", "reinforce++", {}, "divided by the batch's deviation and tokens"),
    Row("REINFORCE++-baseline", "reinforce++-baseline", {}, "the same"),
    Row("GRPO without 1 / length", "grpo", {"how": "constant"}, "the deviation weighs prompts"),
    Row("GRPO without std", "grpo", {"advantage": "none"}, "1 / length of each answer turns it"),
    Row("GRPO", "grpo", {}, "both"),
    Row("GSPO, first update", "gspo", {}, "GRPO's"),
    Row("DAPO, cut answers in", "dapo", {"mask_truncated": False}, "the batch's tokens as divisor"),
    Row("DAPO", "dapo", {}, "cut answers are not held down"),
    Row("CISPO, first update", "cispo", {}, "DAPO's with cut answers"),
)
MOVED = (
    Row("RLOO, no ratio", "rloo", {}, "the old policy's"),
    Row("the ratio without a clip", "drgrpo", {"clip": 1.0, "clip_high": 1e9}, "the states are the old policy's"),
    Row("Dr. GRPO, clip .2", "drgrpo", {}, ""),
    Row("... dual clip, cap 1.2", "drgrpo", {"loss": "dual-clip", "cap": 1.2}, ""),
    Row("... clip .2 and .28 (DAPO)", "drgrpo", {"clip_high": 0.28}, ""),
    Row("CISPO, no std", "cispo", {"advantage": "none"}, "no action is left out"),
    Row("GSPO, no std, clip .2", "gspo", {"advantage": "none", "clip": 0.2, "clip_high": 0.2}, ""),
    Row("OPMD, tau .1", "opmd", {}, "held near the old policy"),
)
SAMPLERS = (
    Row("no correction", "rloo", {"recompute": True}, ""),
    Row("token TIS, C = 2", "rloo", {"correction": "token-tis"}, ""),
    Row("token MIS, 1/2 to 2", "rloo", {"correction": "token-mis", "correction_low": 0.5}, ""),
    Row("token, no bound", "rloo", {"correction": "token-tis", "correction_high": 1e9}, "states are the sampler's"),
    Row("sequence TIS, C = 2", "rloo", {"correction": "sequence-tis"}, ""),
    Row("sequence MIS, 1/2 to 2", "rloo", {"correction": "sequence-mis", "correction_low": 0.5}, ""),
    Row("sequence, no bound", "rloo", {"correction": "sequence-tis", "correction_high": 1e9}, "exact"),
)


def config_of(row: Row, world: World, group: int = 0) -> Config:
    """Return a row's configuration for a world; group 0 is the world's own."""
    found = replace(Config(), **preset("grpo", row.preset, FIELDS).config)
    recompute = {"recompute": True} if "correction" in row.changes else {}
    return replace(
        found, **{"kl": 0.0, "group": group or world.group, "max_steps": world.length, **recompute, **row.changes}
    )
