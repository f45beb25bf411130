"""The pictures of the study: over sample size, over λ, over the group's size, over PPO's updates, and where gradients look."""

from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.patches import Patch

from benchmarks.estimators.curves import SEEN, Curve, choose, decades, key, line, noise, panels, powers, style
from benchmarks.estimators.rows import Row
from benchmarks.estimators.worlds import Case
from benchmarks.figures.boards import board, caption
from benchmarks.figures.pictures import save
from rlkit import exact
from rlkit.report.style import DASHES, GRID, MUTED, figure

BIAS = "bias: ‖E g − ∇J‖ / ‖∇J‖"
DEVIATION = "deviation: √tr Cov g / ‖∇J‖"
LENGTH = "length: ⟨E g, ∇J⟩ / ‖∇J‖²"
COSINE = "mean cosine of g with ∇J"


def draw(rows: list[Row], cases: list[Case], out: Path) -> list[Path]:
    """Draw every picture of every world."""
    made = []
    for case in cases:
        name = case.world.name
        here = [row for row in rows if row.world == name]
        made += [
            over_samples(here, out / f"samples-{name}.png"),
            over_lambda(here, out / f"gae-{name}.png"),
            over_groups(here, out / f"groups-{name}.png"),
            over_updates(here, out / f"updates-{name}.png"),
        ]
        if name == "5x5":
            made.append(where_it_looks(case, out / f"states-{name}.png"))
    return made


def over_samples(rows: list[Row], to: Path) -> Path:
    """Bias, deviation and cosine against the episodes of a batch."""

    def one(name: str, family: str, estimator: str, critic: str, factor: str, colour: int) -> Curve:
        wanted = family, estimator, critic, factor
        return Curve(name, lambda row: (row.family, row.estimator, row.critic, row.factor) == wanted, colour)

    curves = [
        one("REINFORCE, return to go", "REINFORCE", "return to go", "", "γ^t", 0),
        one("REINFORCE, return of the whole episode", "REINFORCE", "whole return", "", "score", 6),
        one("return to go − v(s)", "REINFORCE", "… - v(s)", "exact", "γ^t", 3),
        one(
            "q(s, a) − b*(s), the baseline (10.5), both exact", "exact q", "q(s, a) - b*(s), (10.5)", "exact", "γ^t", 4
        ),
        one("GAE 0.5, critic learned from 32 other episodes", "GAE", "λ = 0.5", "learned", "γ^t", 1),
        one("GAE 0.95, critic fitted to the batch itself", "GAE", "λ = 0.95", "own", "γ^t", 2),
        one("return to go − v(s) with γᵗ left out, as most code does", "REINFORCE", "… - v(s)", "exact", "1", 7),
    ]
    made, axes = panels(
        f"Policy gradients of a batch against the exact one  ({_world(rows)})",
        "episodes in a batch",
        (BIAS, DEVIATION, COSINE),
        4.7,
    )
    bias, spread, cosine = axes
    floor = max(row.measured.bias_error for row in rows if row.family == "REINFORCE" and row.factor == "γ^t")
    sizes = sorted({row.episodes for row in rows if row.family == "REINFORCE"})
    top = 0.0
    for curve in curves:
        _, m, found = choose(rows, curve)
        x = [row.episodes for row in found]
        if found[0].expected_bias is None:
            seen = [(n, a.bias) for n, a in zip(x, m, strict=True) if a.bias > SEEN * a.bias_error]
            line(bias, [n for n, _ in seen], [b for _, b in seen], curve, marker="o")
        elif found[0].verdict != "unbiased":
            line(bias, x, [row.expected_bias or 0.0 for row in found], curve)
        top = max(top, found[0].expected_bias or 0.0, found[0].measured.bias if found[0].expected_bias is None else 0.0)
        line(spread, x, [a.deviation for a in m], curve)
        line(cosine, x, [a.cosine for a in m], curve)
    low = floor / 4.0
    noise(
        bias,
        floor,
        ((sizes[0] * sizes[-1]) ** 0.5, (low * floor) ** 0.5),
        "the rest: nothing above the noise",
    )
    bias.set_ylim(low, 1.6 * top)
    cosine.set_ylim(min(0.0, cosine.get_ylim()[0]), 1.02)
    for one_axes in axes:
        powers(one_axes, sizes)
    decades(bias)
    decades(spread)
    key(made, spread, 2)
    return save(made, to)


def over_lambda(rows: list[Row], to: Path, n: int = 16) -> Path:
    """GAE's bias, deviation and error against λ, for three critics."""
    curves = [
        Curve("exact values", lambda row: row.critic == "exact", 0),
        Curve(
            "learned from 32 other episodes; left: the line is the closed form", lambda row: row.critic == "learned", 1
        ),
        Curve("fitted to the batch itself", lambda row: row.critic == "own", 2),
    ]
    some = [row for row in rows if row.family == "GAE" and row.factor == "γ^t" and row.episodes == n]
    made, axes = panels(
        f"GAE over λ, batches of {n} episodes  ({_world(rows)})",
        "λ",
        (BIAS, DEVIATION, "root of the mean squared error / ‖∇J‖"),
        4.1,
    )
    bias, spread, error = axes
    for curve in curves:
        x, m, found = choose(some, curve)
        if found[0].expected_bias is not None:
            bias.plot(x, [row.expected_bias for row in found], **style(curve))
        loose = found[0].expected_bias is None
        bias.plot(
            x, [a.bias for a in m], "o", color=style(curve)["color"], markersize=4, linestyle=":" if loose else ""
        )
        line(spread, x, [a.deviation for a in m], curve, marker="o")
        line(error, x, [np.sqrt(a.mse) for a in m], curve, marker="o")
    floor = [(row.detail, row.measured.bias_error) for row in some if row.critic == "exact"]
    bias.fill_between(*zip(*floor, strict=True), color=GRID, alpha=0.6, linewidth=0)
    bias.text(0.02, floor[0][1] / 2, "noise", color=MUTED, fontsize=7.5, va="center")
    for one in axes:
        one.set_xticks([x for x, _ in floor], ["0", "0.5", "0.9", "", "1"])
        one.set_ylim(0, None)
    key(made, spread, 3)
    return save(made, to)


def over_groups(rows: list[Row], to: Path) -> Path:
    """Length, noise and cosine of group-relative gradients against the group's size."""
    curves = [
        Curve("leave one out (RLOO)", lambda row: row.estimator == "leave one out", 3),
        Curve("less the mean of the group (Dr. GRPO)", lambda row: row.estimator == "none", 0),
        Curve("… over its population deviation (GRPO)", lambda row: row.estimator == "population", 1),
        Curve("… over its sample deviation", lambda row: row.estimator == "sample", 2),
        Curve("population, mean over each row (GRPO's paper)", lambda row: row.estimator == "population, row means", 6),
    ]
    some = [row for row in rows if row.family in {"GRPO", "RLOO"}]
    made, axes = panels(
        f"Group-relative advantages, batches of {some[0].episodes} episodes in groups  ({_world(rows)})",
        "episodes in a group",
        (LENGTH + "; line: closed form", "noise to signal: deviation / length", COSINE),
    )
    length, ratio, cosine = axes
    length.axhline(1.0, color=MUTED, linewidth=4, alpha=0.25)
    for curve in curves:
        x, m, found = choose(some, curve)
        known = found[0].expected_scale is not None
        if known:
            length.plot(x, [row.expected_scale for row in found], **style(curve))
        bars = [2.0 * a.scale_error for a in m]
        fmt, colour = "o" if known else "o:", style(curve)["color"]
        length.errorbar(x, [a.scale for a in m], bars, color=colour, fmt=fmt, markersize=4, linewidth=1.2)
        line(ratio, x, [a.deviation / a.scale for a in m], curve, marker="o")
        line(cosine, x, [a.cosine for a in m], curve, marker="o")
    length.set_ylim(0, None)
    ratio.set_ylim(0, None)
    for one in axes:
        powers(one, sorted({row.detail for row in some if row.detail is not None}))
    key(made, ratio, 3)
    return save(made, to)


def over_updates(rows: list[Row], to: Path) -> Path:
    """Length, bias and cosine of PPO's gradient against the updates on one batch, and how much of the batch is clipped."""
    curves = [
        Curve("on the episodes it was fitted to", lambda row: row.estimator.endswith("same"), 2),
        Curve("on fresh episodes of the policy that acted", lambda row: row.estimator.endswith("fresh"), 0),
        Curve("fresh, without the clip", lambda row: row.estimator.endswith("no clip"), 3),
    ]
    some = [row for row in rows if "updates" in row.estimator and row.factor == "γ^t"]
    made, axes = panels(
        f"PPO's surrogate after updates on one batch of {some[0].episodes} episodes  ({_world(rows)})",
        "updates since the policy acted",
        (LENGTH, "bias: ‖E (g − ∇J)‖ / ‖E ∇J‖", COSINE),
    )
    length, bias, cosine = axes
    for curve in curves:
        x, m, _ = choose(some, curve)
        marks = {"marker": "o", "markersize": 3.5, "dashes": DASHES[curve.colour % len(DASHES)]}
        length.plot(x, [a.scale for a in m], **style(curve), **marks)
        bias.plot(x, [a.bias for a in m], **style(curve), **marks)
        cosine.plot(x, [a.cosine for a in m], **style(curve), **marks)
    x, m, same = choose(some, curves[0])
    bias.fill_between(x, [a.bias_error for a in m], color=GRID, alpha=0.6, linewidth=0)
    bias.text(x[-1], m[-1].bias_error / 2, "noise", color=MUTED, fontsize=7.5, va="center", ha="right")
    for one in (length, cosine):
        one.axhline(0.0, color=MUTED, linewidth=0.8)
    for one in axes:
        one.set_xticks(range(0, x[-1] + 1, 5))
    low, high = cosine.get_ylim()
    share = np.array([row.notes["outside"] for row in same])
    cosine.fill_between(x, low, low + (high - low) * share, color=MUTED, alpha=0.18, linewidth=0)
    cosine.set_ylim(low, high)
    bias.set_ylim(0, None)
    words = f"right: share of steps beyond the clip, of the panel's height; at most {share.max():.0%}"
    key(made, length, 3, [Patch(color=MUTED, alpha=0.18, linewidth=0, label=words)])
    return save(made, to)


def where_it_looks(case: Case, to: Path) -> Path:
    """The share of each state of the 5x5 grid in the policy gradient, with γ^t and without it."""
    made = figure(10.6, 4.3, f"What is followed when γᵗ is left out  (the book's 5x5 grid, γ = {case.gamma:g})")
    grid = made.add_gridspec(1, 3)
    first = made.add_subplot(grid[0])
    v = case.v.copy()
    v[17] = np.nan
    board(first, v, _arrows(case.pi), "the policy and its values", norm=Normalize(-5, 1))
    caption(
        first, f"episodes begin top left and last {exact.discounted_occupancy(case.mdp, case.pi, 1.0).sum():.0f} steps"
    )
    for place, table, words in (
        (1, case.gradient, "∇J: states weighted by γᵗ"),
        (2, case.undiscounted, "without γᵗ"),
    ):
        shares = np.linalg.norm(table, axis=1)
        shares = 100.0 * shares / shares.sum()
        shares[17] = np.nan
        axes = made.add_subplot(grid[place])
        board(axes, shares, None, words + ", % of the length", norm=Normalize(0, 20))
        cosine = (table * case.gradient).sum() / np.linalg.norm(table) / np.linalg.norm(case.gradient)
        times = np.linalg.norm(table) / np.linalg.norm(case.gradient)
        caption(axes, f"{times:.2f} times as long as ∇J, cosine {cosine:.2f}")
    return save(made, to)


def _arrows(pi: np.ndarray) -> np.ndarray:
    shown = pi.copy()
    shown[17] = 0.0
    return shown


def _world(rows: list[Row]) -> str:
    name = rows[0].world
    return "FrozenLake-v1" if name == "FrozenLake" else f"the book's {name} grid"
