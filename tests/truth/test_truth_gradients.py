"""Expected gradients over all batches of token worlds: what is exact is so to 1e-12, what is biased is so in the known way."""

import importlib.util
import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.estimators.theory import pass_fail_factor
from benchmarks.truth import algorithms, divergences, table
from benchmarks.truth.expectation import batches, coupled, exact_gradient, joint, moments, objective
from benchmarks.truth.study import Result
from benchmarks.truth.worlds import ONE, TWO, WORLDS, as_mdp, log_chances, logits_of, rows_of, worth
from rlkit import exact

ROOT = Path(__file__).parents[2]
ROWS = {row.name: row for row in (*algorithms.ON_POLICY, *algorithms.MOVED, *algorithms.SAMPLERS)}
PAIR = ONE._replace(prompts=ONE.prompts[:2])
SINGLE = ONE._replace(prompts=ONE.prompts[1:2])


def mean_of(name, world=ONE, group=2, seed=0, **others):
    config = algorithms.config_of(ROWS[name], world, group)
    return moments(world, config, logits_of(world, seed), **others)


def close(found, expected, tolerance=1e-12):
    assert float((found - expected).abs().max()) < tolerance * max(1.0, float(expected.norm()))


def test_all_that_can_be_said_is_listed_once():
    assert ONE.answers == [(0,), (1, 0), (1, 1, 0), (1, 1, 1)]
    assert [len(world.answers) for world in WORLDS] == [4, 7, 13]
    for world in WORLDS:
        rows = rows_of(world, logits_of(world, 3))
        chances = log_chances(rows, logits_of(world, 3), len(world.prompts)).exp().sum(1)
        close(chances, torch.ones_like(chances))
        assert (rows.terminated.any(1) ^ rows.truncated.any(1)).all()


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_exact_gradient_is_that_of_the_world_as_an_mdp(world):
    logits = logits_of(world, 1)
    mdp, pi = as_mdp(world), torch.softmax(logits, -1).flatten(0, 1).numpy()
    close(exact_gradient(world, logits), torch.from_numpy(exact.policy_gradient(mdp, pi, 1.0)).flatten())
    assert exact.objective(mdp, pi, 1.0) == pytest.approx(float(objective(world, logits)), abs=1e-14)
    np.testing.assert_allclose(pi.sum(1), 1.0)


def test_all_batches_are_counted():
    found = list(batches(2, 3, 2))
    assert sum(orders for _, orders in found) == 3**4
    assert len({tuple(rows.tolist()) for rows, _ in found}) == len(found) == 36
    every = [(a, b, 3 + c, 3 + d) for a, b, c, d in itertools.product(range(3), repeat=4)]
    counted = {tuple(sorted(rows.tolist())): orders for rows, orders in found}
    for batch in {tuple(sorted(b)) for b in every}:
        assert counted[batch] == sum(tuple(sorted(other)) == batch for other in every)


@pytest.mark.parametrize("name", ["RLOO", "GSPO, no std, clip .2"])
def test_prompts_alone_give_what_they_give_together(name):
    config, logits = algorithms.config_of(ROWS[name], PAIR, 2), logits_of(PAIR, 0)
    assert not coupled(config)
    now = logits + 0.3 * logits_of(PAIR, 5)
    alone, together = moments(PAIR, config, logits, now=now), joint(PAIR, config, logits, now=now)
    close(alone.mean, together.mean)
    assert alone.variance == pytest.approx(together.variance, rel=1e-11)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
@pytest.mark.parametrize("group", [1, 2, 3])
def test_reinforce_is_exact(world, group):
    if len(world.answers) ** group > 100:
        group = 1
    close(mean_of("REINFORCE", world, group).mean, exact_gradient(world, logits_of(world, 0)))


@pytest.mark.parametrize(("world", "group"), [(ONE, 2), (ONE, 3), (TWO, 2)])
def test_leaving_one_out_is_exact_and_dr_grpo_is_short_of_it_by_one_in_the_group(world, group):
    truth, loo, plain = (
        exact_gradient(world, logits_of(world, 0)),
        mean_of("RLOO", world, group),
        mean_of("Dr. GRPO", world, group),
    )
    close(loo.mean, truth)
    close(plain.mean * world.length * group / (group - 1), loo.mean)
    assert plain.noise() == pytest.approx(loo.noise(), rel=1e-10)


def test_a_mean_over_each_answer_turns_the_direction():
    truth = exact_gradient(ONE, logits_of(ONE, 0))
    found = mean_of("GRPO without std", group=3)
    assert found.cosine(truth) < 0.98
    sure = TWO._replace(length=1, prompts=(worth({(0,): 1}), worth({(1,): 1})))  # all answers have one token
    close(mean_of("GRPO without std", sure).mean, mean_of("RLOO", sure).mean / 2)


@pytest.mark.parametrize("group", [2, 3, 4])
def test_the_deviation_scales_a_prompt_by_its_difficulty_and_so_turns_several(group):
    pass_fail = ONE._replace(prompts=(ONE.prompts[0], ONE.prompts[2]))  # 0.69 and 0.14 right
    logits = logits_of(pass_fail, 0)
    config = algorithms.config_of(ROWS["GRPO without 1 / length"], pass_fail, group)
    factors = []
    for i in range(2):
        one = pass_fail._replace(prompts=pass_fail.prompts[i : i + 1])
        truth = exact_gradient(one, logits[i : i + 1])
        p = float(objective(one, logits[i : i + 1]))
        factors.append(pass_fail_factor("population", group, p))
        found = moments(one, config, logits[i : i + 1])
        close(found.mean * one.length, factors[i] * truth, 1e-5)  # the epsilon of the deviation
        assert found.cosine(truth) == pytest.approx(1.0, abs=1e-12)
    both = moments(pass_fail, config, logits).cosine(exact_gradient(pass_fail, logits))
    assert (both < 1 - 1e-6) == (group == 4)  # up to three answers, all groups that are not alike deviate alike
    assert (abs(factors[0] - factors[1]) > 1e-6) == (group == 4)


def test_on_policy_a_ratio_is_one():
    close(mean_of("GSPO, first update").mean, mean_of("GRPO").mean)
    plain = mean_of("Dr. GRPO").mean
    close(mean_of("OPMD, first update").mean, plain * ONE.length)
    close(mean_of("CISPO, first update", SINGLE, 3).mean, mean_of("DAPO, cut answers in", SINGLE, 3).mean)
    dual = replace(algorithms.config_of(ROWS["Dr. GRPO"], ONE, 2), loss="dual-clip")
    close(moments(ONE, dual, logits_of(ONE, 0)).mean, plain)


def test_whitening_over_the_batch_scales_and_turns():
    truth = exact_gradient(PAIR, logits_of(PAIR, 0))
    for name in ("REINFORCE++", "DAPO, cut answers in"):
        assert 0.6 < mean_of(name, PAIR).cosine(truth) < 1 - 1e-5


def test_a_sampler_that_differs_is_made_up_for_by_the_ratio_of_whole_answers():
    truth, sampler = exact_gradient(ONE, logits_of(ONE, 0)), logits_of(ONE, 0) + logits_of(ONE, 7, 0.5)
    close(mean_of("sequence, no bound", sampler=sampler).mean, truth)
    for name in ("no correction", "token, no bound", "sequence MIS, 1/2 to 2"):
        assert mean_of(name, sampler=sampler).cosine(truth) < 0.99


def test_without_a_sampler_that_differs_no_correction_does_anything():
    plain = mean_of("RLOO", SINGLE).mean
    for row in algorithms.SAMPLERS:
        close(mean_of(row.name, SINGLE).mean, plain)


def test_a_baseline_need_not_lower_the_variance():
    """Where the mean reward is small, the mean of the others is noise and no baseline."""
    hard = TWO._replace(prompts=TWO.prompts[1:])
    found = [mean_of(name, hard).noise() for name in ("REINFORCE", "RLOO")]
    assert found[0] < found[1]
    generous = ONE._replace(prompts=ONE.prompts[:1])  # and where it is large it helps
    found = [mean_of(name, generous, 4).noise() for name in ("REINFORCE", "RLOO")]
    assert found[0] > found[1]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_forms_of_the_divergence(world):
    logits, reference = logits_of(world, 0), logits_of(world, 5)
    value, slope = divergences.exact(world, logits, reference)
    found = {form.name: form for form in divergences.forms(world, logits, reference)}
    close(found["k1 in the loss"].mean, torch.zeros_like(slope))
    close(found["k1 in the reward"].mean, slope)
    close(found["k2-sequence in the loss"].mean, slope)
    for name in ("k1", "k3", "ratio-k3"):
        assert found[f"{name} in the loss"].value == pytest.approx(1.0, abs=1e-12)
    close(found["ratio-k3 in the loss"].mean, found["k2 in the loss"].mean)
    for name in ("k2", "k3", "ratio-k3"):
        assert torch.cosine_similarity(found[f"{name} in the loss"].mean, slope, 0) < 0.999
    assert value > 0.1


def test_k2_of_single_tokens_lacks_what_a_token_does_to_later_states():
    """It is the gradient with the chances of the states held constant: Σ_s ρ(s) ∇ KL(π(s) ‖ π_ref(s))."""
    logits, reference = logits_of(ONE, 0), logits_of(ONE, 5)
    rows = rows_of(ONE, logits)
    chances = log_chances(rows, logits, 3).exp().flatten() / 3
    visits = torch.zeros(9, dtype=torch.float64).index_add(
        0, rows.obs[rows.mask], chances[:, None].expand(rows.mask.shape)[rows.mask]
    )
    leaf = logits.clone().requires_grad_()
    logs, ref = (torch.log_softmax(x.flatten(0, 1), -1) for x in (leaf, reference))
    (visits * (logs.exp() * (logs - ref)).sum(-1)).sum().backward()
    _, found = divergences.in_loss(ONE, divergences.IN_LOSS["k2"], logits, reference)
    close(found, leaf.grad.flatten())


@pytest.mark.parametrize("estimator", ["k2", "k3", "k2-sequence", "ratio-k3"])
def test_the_agent_has_them_in_its_loss_as_they_are(estimator):
    logits, reference = logits_of(PAIR, 0), logits_of(PAIR, 5)
    config = replace(algorithms.config_of(ROWS["REINFORCE"], PAIR), estimator=estimator)
    _, expected = divergences.in_loss(PAIR, divergences.IN_LOSS[estimator], logits, reference)
    close(divergences.by_agent(PAIR, config, logits, reference).mean, expected)


def test_a_presets_divergence_is_that_of_the_objective():
    """RLOO as it is shipped, with k1 in the reward, climbs E[R] - β KL exactly."""
    logits, reference = logits_of(ONE, 0), logits_of(ONE, 5)
    config = replace(algorithms.config_of(ROWS["RLOO"], ONE, 2), kl=0.3)
    found = moments(ONE, config, logits, reference=reference)
    close(found.mean, exact_gradient(ONE, logits, reference=reference, beta=0.3))


def test_the_page_holds_what_is_computed():
    text = (ROOT / "docs" / "llm.md").read_text(encoding="utf-8")
    truth = exact_gradient(ONE, logits_of(ONE, 0))
    for name in ("RLOO", "GRPO"):
        found = mean_of(name, ONE, ONE.group)
        numbers = (found.cosine(truth), found.length(truth), found.noise(), None, ROWS[name].what)
        line = table.markdown([Result("on policy", name, ONE.name, 3, *numbers)], "on policy").splitlines()[-1]
        assert line.rpartition(" | ")[0] in text


def test_tables_are_written_between_their_marks(tmp_path):
    page = tmp_path / "page.md"
    results = [Result(name, "RLOO", "w", 2, 1.0, 0.25, 1.5, 1.0, "exact") for name in table.TABLES]
    page.write_text(
        "".join(f"{name}\n<!-- token_truth: {name} -->\nold\n<!-- token_truth: end -->\n" for name in table.TABLES)
    )
    table.write(page, results)
    text = page.read_text()
    assert text.count("| RLOO | 1 | 0.250 | 1.50 | exact |") == 3
    assert text.count("| RLOO | 1 | 1 | 0.250 |") == 1
    assert "old" not in text
    page.write_text("nothing")
    with pytest.raises(ValueError, match="has no place for the table"):
        table.write(page, results)


@pytest.mark.slow
def test_the_command(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("token_truth", ROOT / "benchmarks" / "token_truth.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(["--out", str(tmp_path), "--worlds", "one letter"])
    assert "34 rows" in capsys.readouterr().out
    assert (tmp_path / "llm-truth.png").read_bytes().startswith(b"\x89PNG")
    assert math.isclose(len((tmp_path / "rows.jsonl").read_text().splitlines()), 34)
