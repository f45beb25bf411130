"""Trajectories of tokens for tests: rows with prompts that are shared or not, of any length, padded by anything."""

import numpy as np
import torch

from rlkit.data import Trajectories


def trajectories(rows, width=0, padding=0):
    """Build trajectories of rows (group, tokens, mask of the tokens that the policy chose)."""
    width = max([width, *(len(tokens) - 1 for _, tokens, _ in rows)])
    shape = (len(rows), width)
    obs, following, mask = torch.full(shape, padding), torch.full(shape, padding), torch.zeros(shape, dtype=torch.bool)
    for b, (_, tokens, chosen) in enumerate(rows):
        size = len(tokens) - 1
        obs[b, :size], following[b, :size] = torch.tensor(tokens[:-1]), torch.tensor(tokens[1:])
        mask[b, :size] = torch.tensor(chosen[1:])
    zeros, never = torch.zeros(shape), torch.zeros(shape, dtype=torch.bool)
    group = torch.tensor([g for g, _, _ in rows])
    return Trajectories(obs, following, following, zeros, zeros, never, never, mask, group)


def random_rows(rng, vocabulary, groups=3, each=4, turns=1, longest=9):
    """Draw rows: the groups' prompts, and after each answers of different lengths, with what was said in between."""
    rows = []
    for group in range(groups):
        prompt = rng.integers(vocabulary, size=rng.integers(1, longest)).tolist()
        for _ in range(each):
            tokens, chosen = list(prompt), [False] * len(prompt)
            for turn in range(turns):
                if turn:
                    told = rng.integers(1, 4)
                    tokens += rng.integers(vocabulary, size=told).tolist()
                    chosen += [False] * int(told)
                said = rng.integers(1, longest)
                tokens += rng.integers(vocabulary, size=said).tolist()
                chosen += [True] * int(said)
            rows.append((group, tokens, chosen))
    return rows


def plainly(model, traj):
    """Log-probabilities and entropies of every token of every row, each row alone through the model."""
    logprobs, entropy = np.zeros((2, *traj.mask.shape))
    for b in range(len(traj.mask)):
        last = int(traj.mask[b].nonzero().max()) + 1 if traj.mask[b].any() else 0
        if last:
            logs = model.logits(model.hidden(traj.obs[b : b + 1, :last])).log_softmax(-1)[0].detach()
            logprobs[b, :last] = logs.gather(1, traj.actions[b, :last, None])[:, 0]
            entropy[b, :last] = -(logs.exp() * logs).sum(1)
    mask = traj.mask.numpy()
    return torch.from_numpy(logprobs * mask), torch.from_numpy(entropy * mask)
