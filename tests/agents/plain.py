"""The textbook's loops in plain Python around `env.step`, independent of every kernel, with the same random numbers."""

import numpy as np


def streams(seed):
    """The generator of an agent's draws and the seed of its environment, as the agents' docs say they are made."""
    own, world = np.random.SeedSequence(seed).spawn(2)
    return np.random.Generator(np.random.PCG64(own)), int(world.generate_state(1)[0])


def epsilon_greedy(q, epsilon, rng):
    u = rng.random()
    if u < epsilon:
        return int(u / epsilon * len(q))
    ties = np.flatnonzero(q == q.max())
    return int(ties[int((u - epsilon) / (1 - epsilon) * len(ties))]) if len(ties) > 1 else int(ties[0])


def control(env, target, *, on_policy, steps, seed, gamma=0.9, alpha=0.1, epsilon=0.1):
    """One-step control; target(q, r, discount, s_next, a_next, epsilon)."""
    rng, env_seed = streams(seed)
    q = np.zeros((env.observation_space.n, env.action_space.n))
    s, _ = env.reset(seed=env_seed)
    a = epsilon_greedy(q[s], epsilon, rng)
    for _ in range(steps):
        s_next, r, terminated, truncated, _ = env.step(a)
        discount = gamma * (1.0 - terminated)
        a_next = epsilon_greedy(q[s_next], epsilon, rng) if on_policy else None
        q[s, a] += alpha * (target(q, r, discount, s_next, a_next, epsilon) - q[s, a])
        if not on_policy:
            a_next = epsilon_greedy(q[s_next], epsilon, rng)
        s, a = s_next, a_next
        if terminated or truncated:
            s, _ = env.reset()
            a = epsilon_greedy(q[s], epsilon, rng)
    return q
