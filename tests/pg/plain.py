"""The slow twins of rlkit.pg.returns: one row at a time, in plain Python, straight from the definitions."""


def steps(row):
    """Split a row of (mask, terminated, truncated) into episodes, lists of its counted indices."""
    episodes, open_one = [], []
    for t, (counts, terminated, truncated) in enumerate(zip(*row, strict=True)):
        if counts:
            open_one.append(t)
            if terminated or truncated:
                episodes.append(open_one)
                open_one = []
    return [*episodes, open_one] if open_one else episodes


def along(batch, formula):
    """Apply formula(rewards, values, next_values) -> list, next_values 0 where terminated, to every episode of a batch."""
    out = [[0.0] * len(row) for row in batch["rewards"].tolist()]
    lists = {name: x.tolist() for name, x in batch.items()}
    for b, row in enumerate(out):
        for episode in steps((lists["mask"][b], lists["terminated"][b], lists["truncated"][b])):
            columns = {name: [x[b][t] for t in episode] for name, x in lists.items()}
            columns["next_values"] = [
                0.0 if end else v for end, v in zip(columns["terminated"], columns["next_values"], strict=True)
            ]
            for t, x in zip(episode, formula(columns), strict=True):
                row[t] = x
    return out


def n_step(gamma, n):
    def formula(c):
        total = len(c["rewards"])
        ends = [min(t + n, total) for t in range(total)]
        return [
            sum(gamma ** (k - t) * c["rewards"][k] for k in range(t, end))
            + gamma ** (end - t) * c["next_values"][end - 1]
            for t, end in enumerate(ends)
        ]

    return formula


def lambda_return(gamma, lam):
    """The mixture of n-step returns, S&B (12.3): what is left of the weight falls to the longest."""

    def formula(c):
        total = len(c["rewards"])
        by_n = [n_step(gamma, n)(c) for n in range(1, total + 1)]
        return [
            sum((1 - lam) * lam ** (n - 1) * by_n[n - 1][t] for n in range(1, total - t))
            + lam ** (total - t - 1) * by_n[total - 1][t]
            for t in range(total)
        ]

    return formula


def deltas(c, gamma):
    return [r + gamma * later - v for r, v, later in zip(c["rewards"], c["values"], c["next_values"], strict=True)]


def gae(gamma, lam):
    def formula(c):
        delta = deltas(c, gamma)
        return [sum((gamma * lam) ** (k - t) * delta[k] for k in range(t, len(delta))) for t in range(len(delta))]

    return formula


def vtrace(gamma, lam, rho_clip, c_clip):
    """IMPALA's eq. 1, term by term."""

    def formula(c):
        delta, out = deltas(c, gamma), []
        for t in range(len(delta)):
            total, product = c["values"][t], 1.0
            for k in range(t, len(delta)):
                total += gamma ** (k - t) * product * min(rho_clip, c["ratio"][k]) * delta[k]
                product *= lam * min(c_clip, c["ratio"][k])
            out.append(total)
        return out

    return formula


def vtrace_advantage(gamma, lam, rho_clip, c_clip):
    """IMPALA's section 4.2: ρ (r + γ v_{t+1} - V), where the last v_{t+1} is the value of what follows."""

    def formula(c):
        later = [*vtrace(gamma, lam, rho_clip, c_clip)(c)[1:], c["next_values"][-1]]
        rho = [min(rho_clip, ratio) for ratio in c["ratio"]]
        return [p * (r + gamma * x - v) for p, r, x, v in zip(rho, c["rewards"], later, c["values"], strict=True)]

    return formula
