"""Answers for a reader: what was asked and written, token by token, what it earned, and how much each token was held to have helped."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from rlkit.data import Trajectories
from rlkit.sample.tokenizers import Tokenizer
from rlkit.sample.tokens import Seen

_MOST = 400  # tokens of an answer
END = "∎"  # stands for the token that ends an answer, which has no text


def answers(
    seen: Seen, traj: Trajectories, advantages: Tensor | None, tokenizer: Tokenizer, count: int
) -> list[dict[str, Any]]:
    """Return some answers as plain data: of each group the one that earned the most and the one that earned the least, groups in which these differ first; then others.

    Args:
        seen: what the sampler said of them.
        traj: [B, T]
        advantages: [B, T]; None: nobody knows.
        tokenizer: of the tokens.
        count: how many at most.

    Returns:
        For each: prompt, gold, reward, and its tokens as [text, advantage]; the advantage is None where the policy did not choose.
    """
    found = []
    for b in _order(seen)[:count]:
        places = traj.mask[b].nonzero()[:, 0].tolist()
        tokens = [[seen.completions[b], None]]  # of one that nobody scored no token counts
        if places:
            begin, end = places[0], min(places[-1] + 1, places[0] + _MOST)
            chosen = traj.mask[b, begin:end].tolist()
            known = [None] * len(chosen) if advantages is None else advantages[b, begin:end].tolist()
            texts = pieces(tokenizer, traj.actions[b, begin:end].tolist())
            tokens = [[text, value if yes else None] for text, value, yes in zip(texts, known, chosen, strict=True)]
        found.append({"prompt": seen.prompts[b], "gold": seen.golds[b], "reward": seen.rewards[b], "tokens": tokens})
    return found


def _order(seen: Seen) -> list[int]:
    groups: list[list[int]] = []
    for b, prompt in enumerate(seen.prompts):
        if b == 0 or prompt != seen.prompts[b - 1]:
            groups.append([])
        groups[-1].append(b)
    spans = [(max(rows, key=seen.rewards.__getitem__), min(rows, key=seen.rewards.__getitem__)) for rows in groups]
    spans.sort(key=lambda span: seen.rewards[span[0]] == seen.rewards[span[1]])  # first those that say something
    ends = list(dict.fromkeys(b for span in spans for b in span))
    return [*ends, *(b for b in range(len(seen.prompts)) if b not in ends)]


def pieces(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """Return what each token adds to the text; nothing while a letter of several tokens is not complete."""
    found, text = [], ""
    for i, token in enumerate(ids):
        if token == tokenizer.eos:
            found.append(END)
            continue
        whole = tokenizer.decode([one for one in ids[: i + 1] if one != tokenizer.eos])
        open_letter = whole.endswith("\ufffd")
        found.append("" if open_letter else whole[len(text) :])
        text = text if open_letter else whole
    return found
