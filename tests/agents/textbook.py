"""Loops around `env.step` in plain Python with whole episodes at hand, for methods whose updates look back."""

from tests.agents import plain


def play(env, begin, learn, *, steps, seed):
    """begin(s, rng) -> a and learn(s, a, r, s_next, terminated, truncated, rng) -> a_next, as an agent is asked."""
    rng, env_seed = plain.streams(seed)
    s, _ = env.reset(seed=env_seed)
    a = begin(s, rng)
    for _ in range(steps):
        s_next, r, terminated, truncated, _ = env.step(a)
        a = learn(s, a, float(r), s_next, terminated, truncated, rng)
        s = s_next
        if terminated or truncated:
            s, _ = env.reset()
            a = begin(s, rng)


def draw_uniform(n_actions, rng):
    return int(rng.random() * n_actions)


class Steps:
    """S&B's bookkeeping of n-step methods, section 7.1: times t, T and tau, and the episode in three lists."""

    def __init__(self, n):
        self.n = n
        self.begin(None, None)

    def begin(self, s, a):
        self.S, self.A, self.R = [s], [a], [None]

    def step(self, r, s_next, a_next, over):
        """Return the times that are to be updated now."""
        self.R.append(r)
        self.S.append(s_next)
        self.A.append(a_next)
        t = len(self.R) - 2
        first = t - self.n + 1
        return range(max(first, 0), t + 1) if over else range(first, first + 1) if first >= 0 else range(0)

    def n_step(self, tau, gamma, tail):
        """R_{tau+1} + ... + gamma^{h-tau-1} R_h + gamma^{h-tau} tail, h the last time there is."""
        h = len(self.R) - 1
        return sum(gamma ** (i - tau - 1) * self.R[i] for i in range(tau + 1, h + 1)) + gamma ** (h - tau) * tail
