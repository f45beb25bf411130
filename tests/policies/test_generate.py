"""Writing: the tokens of a loop without a cache, log-probabilities that evaluate confirms, and rows that do not know of each other."""

import numpy as np
import pytest
import torch

from rlkit.policies.language import LanguagePolicy
from rlkit.policies.sampling import Transform, log_probabilities, pick, within
from rlkit.policies.tiny_lm import tiny
from tests.policies.token_rows import trajectories

V, EOS = 13, 5
PROMPTS = [[1, 2, 3], [4], [1, 2, 3, 4, 5, 6, 7], [9, 9]]


def policy(**kwargs):
    return LanguagePolicy(tiny(V, np.random.default_rng(0), scale=8.0), **kwargs)


def write(which, prompts=PROMPTS, samples=6, limit=10, seed=0):
    return which.sample(prompts, samples, limit, EOS, torch.Generator().manual_seed(seed))


def rows(found, prompts=PROMPTS):
    each = len(found) // len(prompts)
    return [
        (i // each, prompts[i // each] + one.ids, [False] * len(prompts[i // each]) + [True] * len(one.ids))
        for i, one in enumerate(found)
    ]


def test_it_writes_what_a_loop_without_a_cache_writes():
    which = policy()
    found = write(which)
    draws = torch.rand(24, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for i, one in enumerate(found):
        ids = list(PROMPTS[i // 6])
        for t in range(10):
            with torch.no_grad():
                logs = which.model.logits(which.model.hidden(torch.tensor([ids])))[:, -1].log_softmax(-1)
            ids.append(int(pick(logs, draws[i : i + 1, t])))
            assert abs(float(logs[0, ids[-1]]) - one.logprobs[t]) < 1e-5
            if ids[-1] == EOS:
                break
        assert ids == PROMPTS[i // 6] + one.ids
    lengths = {len(one.ids) for one in found}
    assert len(lengths) > 3  # rows left at different times
    assert all(EOS not in one.ids[:-1] and (len(one.ids) == 10 or one.ids[-1] == EOS) for one in found)


@pytest.mark.parametrize(
    "transform",
    [{}, {"temperature": 0.6}, {"top_k": 3}, {"top_p": 0.7}, {"temperature": 1.5, "top_k": 8, "top_p": 0.8}],
    ids=str,
)
def test_evaluate_confirms_the_log_probabilities(transform):
    which = policy(**transform)
    found = write(which)
    traj = trajectories(rows(found))
    if transform.keys() & {"top_k", "top_p"}:
        allowed = torch.zeros(*traj.mask.shape, V, dtype=torch.bool)
        for b, one in enumerate(found):
            allowed[b, traj.mask[b]] = one.allowed
        given = type(traj)(**{**vars(traj), "allowed": allowed})
        assert one.allowed.sum(1).max() < V
    else:
        given = traj
        assert found[0].allowed is None
    expected = torch.zeros(traj.mask.shape)
    expected[traj.mask] = torch.tensor([x for one in found for x in one.logprobs])
    for seen in (traj, given):
        torch.testing.assert_close(which.evaluate(seen).logprobs, expected, rtol=0, atol=1e-5)


def test_the_same_seed_gives_the_same_tokens_and_rows_do_not_know_of_each_other():
    which = policy()
    first = write(which)
    assert first == write(which)
    assert first != write(which, seed=1)
    alone = write(which, PROMPTS[:1])
    assert [one.ids for one in alone] == [one.ids for one in first[:6]]
    shorter = [one.ids for one in write(which, limit=10, prompts=PROMPTS[:2])]
    assert shorter == [one.ids for one in first[:12]]


def test_tokens_come_as_often_as_they_should():
    which = policy()
    found = write(which, [[1, 2]], samples=20_000, limit=1)
    with torch.no_grad():
        p = which.model.logits(which.model.hidden(torch.tensor([[1, 2]])))[0, -1].softmax(-1)
    share = torch.bincount(torch.tensor([one.ids[0] for one in found]), minlength=V) / 20_000
    assert ((share - p).abs() < 4.5 * (p * (1 - p) / 20_000).sqrt() + 1e-9).all()


def test_draws_at_the_edges_never_pick_what_has_no_probability():
    logs = torch.tensor([[-torch.inf, 0.0, -torch.inf], [-torch.inf, -torch.inf, 0.0], [0.0, -torch.inf, -torch.inf]])
    for draw in (0.0, 0.5, 1.0 - 2.0**-53):
        assert pick(logs, torch.full((3,), draw, dtype=torch.float64)).tolist() == [1, 2, 0]


def test_the_sets_by_hand():
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()[None]
    assert within(logits, Transform(top_k=2)).tolist() == [[True, True, False, False]]
    assert within(logits, Transform(top_p=0.65)).tolist() == [[True, True, False, False]]
    assert within(logits, Transform(top_p=0.75)).tolist() == [[True, True, True, False]]
    assert within(logits, Transform(top_k=3, top_p=0.75)).tolist() == [
        [True, True, False, False]
    ]  # .4/.9 + .3/.9 > .75
    assert within(logits, Transform(top_p=1e-6)).sum() == 1
    assert within(logits, Transform(top_k=9)).all()
    half = log_probabilities(logits, Transform(temperature=0.5, top_k=2), within(logits, Transform(top_k=2)))
    torch.testing.assert_close(half.exp(), torch.tensor([[16 / 25, 9 / 25, 0.0, 0.0]]))


def test_what_cannot_be_written_is_refused():
    which = policy()
    with pytest.raises(ValueError, match="prompt 1 has 120 tokens, and 10 may follow; the model's context is 128"):
        write(which, [[1], [2] * 120])
    with pytest.raises(ValueError, match="prompt 0 is empty"):
        write(which, [[]])
    with pytest.raises(ValueError, match="prompt 0 holds token 13; the model knows 0 to 12"):
        write(which, [[13]])
    with pytest.raises(ValueError, match="samples is 0"):
        write(which, samples=0)
    with pytest.raises(ValueError, match="prompts is 0"):
        write(which, [])
