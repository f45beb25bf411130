"""Learning from samples: what stands between an environment and an agent's kernels, compiled or stepped."""
