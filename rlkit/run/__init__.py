"""What is not reinforcement learning: running an agent to its end, measuring it, and keeping it on disk."""
