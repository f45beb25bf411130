"""A row of the table: one estimator in one world at one batch size, and whether theory agrees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.estimators.measure import Array, Measured, measure, miss
from benchmarks.estimators.worlds import World

WITHIN = 4.0  # standard errors within which a mean is what it is said to be
ENOUGH = 64  # batches from which the standard error of a single number is itself known well enough
EQUAL = 1e-9


@dataclass(frozen=True)
class Row:
    """What was estimated, how, and how well; `detail` is λ, n, the group's size or the number of updates."""

    world: str
    family: str
    estimator: str
    critic: str  # "", "exact", "learned" (from other episodes), "own" (from the batch itself)
    factor: str  # "γ^t", "1" (dropped), or "score" (the score of a whole episode is discounted by itself)
    detail: float | None
    episodes: int  # in a batch
    batches: int
    measured: Measured
    expected_bias: float | None  # ‖E g - ∇J‖ / ‖∇J‖ in closed form
    expected_scale: float | None  # ⟨E g, ∇J⟩ / ‖∇J‖² in closed form
    miss: float | None  # standard errors between the mean and the closed form, all components together
    notes: dict[str, float]  # what else was measured

    @property
    def length_miss(self) -> float | None:
        """How far the length along the gradient is from the closed form, in standard errors; sharper than `miss`."""
        if self.expected_scale is None or self.batches < ENOUGH:
            return None
        return abs(self.measured.scale - self.expected_scale) / self.measured.scale_error

    @property
    def verdict(self) -> str:
        """Unbiased, biased just as theory says, measured where there is no theory, or wrong."""
        if self.expected_bias is None or self.miss is None:
            return "measured"
        if self.miss > WITHIN or (self.length_miss or 0.0) > WITHIN:
            return "WRONG"
        return "unbiased" if self.expected_bias < EQUAL else "as known"

    def as_json(self) -> dict[str, Any]:
        """Return it as one flat mapping."""
        flat = {name: value for name, value in self.__dict__.items() if name not in {"measured", "notes"}}
        return {
            **flat,
            **self.notes,
            **{k: float(x) for k, x in self.measured._asdict().items()},
            "verdict": self.verdict,
        }


def make_row(
    world: World,
    names: tuple[str, str, str, str, float | None],
    episodes: int,
    gradients: Tensor,
    truth: Array,
    expected: Array | None = None,
    notes: dict[str, float] | None = None,
) -> Row:
    """Measure gradients [R, S, A] of R batches against the truth and, where there is one, a closed form [S, A]."""
    g = gradients.flatten(1).numpy()
    bias = None if expected is None else float(np.linalg.norm(expected - truth) / np.linalg.norm(truth))
    scale = None if expected is None else float((expected * truth).sum() / (truth**2).sum())
    return Row(
        world.name,
        *names,
        episodes,
        len(g),
        measure(g, truth.reshape(-1, g.shape[1]) if truth.ndim > 2 else truth.ravel()),
        bias,
        scale,
        miss(g, expected.ravel()) if expected is not None else None,
        notes or {},
    )
