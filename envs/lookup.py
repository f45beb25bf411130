"""Dynamics as Python objects: what `step` looks up, and Gymnasium's toy-text table."""

import numpy as np

from envs.rules import Rules, Transitions

Outcome = tuple[int, float, bool]  # offset, reward, terminated
ToyText = dict[int, dict[int, list[tuple[float, int, float, bool]]]]


class Actions(dict[int, tuple[list[float] | None, list[Outcome]]]):
    """Action -> (cdf or None, outcomes) of one rule; an unknown action is an error that says so."""

    def __missing__(self, action: object) -> tuple[list[float] | None, list[Outcome]]:
        raise ValueError(f"the action is {action!r}; actions are 0 .. {len(self) - 1}")


def step_table(rules: Rules, n_actions: int) -> list[Actions]:
    """One reference per state to the table of its rule: fast to index, and small on a large grid."""
    outcomes: list[Outcome] = list(
        zip(rules.offset.tolist(), rules.reward.tolist(), rules.terminated.tolist(), strict=True)
    )
    prob = rules.prob.tolist()
    bounds = rules.indptr.tolist()
    tables = []
    for first in range(0, len(bounds) - 1, n_actions):
        table = Actions()
        for action in range(n_actions):
            low, high = bounds[first + action], bounds[first + action + 1]
            cdf = None if high - low == 1 else [*np.cumsum(prob[low:high]).tolist()[:-1], 1.0]
            table[action] = cdf, outcomes[low:high]
        tables.append(table)
    return list(map(tables.__getitem__, rules.rule.tolist()))


def toy_text(transitions: Transitions, n_actions: int) -> ToyText:
    """Write transitions as Gymnasium's toy-text table."""
    bounds = transitions.indptr.tolist()
    prob, next_state = transitions.prob.tolist(), transitions.next_state.tolist()
    rows = list(zip(prob, next_state, transitions.reward.tolist(), transitions.terminated.tolist(), strict=True))
    return {
        s: {a: rows[bounds[s * n_actions + a] : bounds[s * n_actions + a + 1]] for a in range(n_actions)}
        for s in range((len(bounds) - 1) // n_actions)
    }
