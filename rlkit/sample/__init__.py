"""Who acts: a policy and worlds give trajectories; and what agents that learn from them share."""
