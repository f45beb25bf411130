"""Exact quantities of any stochastic policy `pi` [S, A] on any finite `MDP`: the truth that estimators are held against.

Discounted (gamma in [0, 1]; 1 asks for a policy that ends every episode): `value`, `action_value`, `advantage`,
`discounted_occupancy`, `action_occupancy`, `objective`, `policy_gradient`, `direct_gradient`. Long run:
`stationary_distribution`, `average_reward`, `bias`, `differential_action_value`, `average_reward_gradient`.
"""

from rlkit.exact.average import (
    average_reward,
    average_reward_gradient,
    bias,
    differential_action_value,
    stationary_distribution,
)
from rlkit.exact.chain import deterministic
from rlkit.exact.discounted import (
    action_occupancy,
    action_value,
    advantage,
    direct_gradient,
    discounted_occupancy,
    objective,
    policy_gradient,
    value,
)

__all__ = [
    "action_occupancy",
    "action_value",
    "advantage",
    "average_reward",
    "average_reward_gradient",
    "bias",
    "deterministic",
    "differential_action_value",
    "direct_gradient",
    "discounted_occupancy",
    "objective",
    "policy_gradient",
    "stationary_distribution",
    "value",
]
