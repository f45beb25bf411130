"""Monte Carlo in plain Python: whole episodes in lists, visits found by looking for earlier ones, with the same random numbers."""

import numpy as np

from tests.agents.plain import epsilon_greedy, streams


def visited_first(items, t):
    return items[t] not in items[:t]


def learn(q, visits, episode, g, *, gamma, alpha, first):
    """Go back through [(s, a, r), ...]; g is what comes after; alpha(n) is the step size of a pair's n-th update."""
    pairs = [(s, a) for s, a, _ in episode]
    for t in reversed(range(len(episode))):
        s, a, r = episode[t]
        g = r + gamma * g
        if not first or visited_first(pairs, t):
            visits[s, a] += 1
            q[s, a] += alpha(visits[s, a]) * (g - q[s, a])


def control(env, *, steps, seed, starts=None, gamma=0.9, alpha=lambda _: 0.1, epsilon=0.1, first=True, horizon=1000):
    """Zhao algorithm 5.3 or, with states to start in, 5.2; an episode is cut into pieces, or there ended, by the horizon."""
    rng, env_seed = streams(seed)
    q = np.zeros((env.observation_space.n, env.action_space.n))
    visits = np.zeros_like(q)
    fresh, episode = True, []
    for _ in range(steps):
        if fresh:
            s, _ = env.reset(seed=env_seed)
            env_seed = None
            if starts is None:
                a = epsilon_greedy(q[s], epsilon, rng)
            else:
                pair = int(rng.random() * (len(starts) * q.shape[1]))
                s, a = starts[pair // q.shape[1]], pair % q.shape[1]
                env.unwrapped.s = s
        s_next, r, terminated, truncated, _ = env.step(a)
        episode.append((s, a, r))
        a_next = int(q[s_next].argmax()) if starts is not None else epsilon_greedy(q[s_next], epsilon, rng)
        fresh = terminated or truncated
        if fresh or len(episode) == horizon:
            g = 0.0 if terminated else q[s_next, a_next]
            learn(q, visits, episode, g, gamma=gamma, alpha=alpha, first=first)
            episode = []
            fresh = fresh or starts is not None
        s, a = s_next, a_next
    return q
