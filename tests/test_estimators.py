"""The study of policy-gradient estimators: unbiased ones are, biased ones are by what theory says, and the closed forms hold."""

import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.estimators import advantages as adv
from benchmarks.estimators import epochs, groups, study, theory, worlds
from benchmarks.estimators.episodes import play, sample
from benchmarks.estimators.gradients import gradients, on_policy
from benchmarks.estimators.measure import measure, miss
from benchmarks.estimators.rows import WITHIN
from rlkit import exact
from rlkit.mdp import from_P
from rlkit.pg.losses import clipped_surrogate, importance_weighted
from rlkit.pg.reduce import aggregate

ROOT = Path(__file__).parents[1]
CASES = {world.name: worlds.make(world) for world in worlds.WORLDS if world.name != "5x5"}
EPISODES = 4096


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# A world so small that every episode can be listed: two steps at most, two actions, noise in between.


def tiny():
    table = [
        [[(0.7, 1, 1.0, False), (0.3, 0, 0.0, True)], [(0.5, 1, -1.0, False), (0.5, 0, 0.5, True)]],
        [[(1.0, 0, 2.0, True)], [(0.4, 0, 1.0, True), (0.6, 0, -1.0, True)]],
    ]
    return from_P(table, [1.0, 0.0])


def listed(mdp, pi, state=0, chance=1.0, steps=()):
    """Every episode from a state with its probability: [(probability, [(s, a, r, s_next, terminated), ...])]."""
    found = []
    for a in range(mdp.n_actions):
        row = state * mdp.n_actions + a
        for k in range(mdp.indptr[row], mdp.indptr[row + 1]):
            p = chance * pi[state, a] * mdp.prob[k]
            here = (*steps, (state, a, mdp.reward[k], int(mdp.next_state[k]), bool(mdp.terminated[k])))
            found += [(p, here)] if mdp.terminated[k] else listed(mdp, pi, int(mdp.next_state[k]), p, here)
    return found


def enumerated(mdp, pi, weight):
    """Σ over episodes of probability x Σ_t weight(episode, t) ∇ log π(a_t|s_t), by hand."""
    total = np.zeros_like(pi)
    for p, steps in listed(mdp, pi):
        for t, (s, a, *_) in enumerate(steps):
            total[s] += p * weight(steps, t) * (np.eye(len(pi[s]))[a] - pi[s])
    return total


PI = worlds.softmax(np.array([[0.3, -0.2], [0.1, 0.6]]))
GAMMA, V = 0.8, np.array([0.4, -0.3])


def to_go(steps, t):
    return sum(GAMMA ** (k - t) * steps[k][2] for k in range(t, len(steps)))


def delta(steps, t):
    s, _, r, s_next, end = steps[t]
    return r + (0.0 if end else GAMMA * V[s_next]) - V[s]


def test_the_episodes_listed_are_all():
    assert sum(p for p, _ in listed(tiny(), PI)) == pytest.approx(1.0)


def test_with_gamma_to_the_t_it_is_the_policy_gradient_and_without_it_is_not():
    kept = enumerated(tiny(), PI, lambda steps, t: GAMMA**t * to_go(steps, t))
    dropped = enumerated(tiny(), PI, to_go)
    np.testing.assert_allclose(kept, exact.policy_gradient(tiny(), PI, GAMMA), atol=1e-14)
    np.testing.assert_allclose(dropped, worlds.undiscounted_gradient(tiny(), PI, GAMMA), atol=1e-14)
    assert np.abs(kept - dropped).max() > 0.01


def test_the_score_of_the_whole_episode_needs_no_factor():
    found = enumerated(tiny(), PI, lambda steps, _: to_go(steps, 0))
    np.testing.assert_allclose(found, exact.policy_gradient(tiny(), PI, GAMMA), atol=1e-14)


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("discount", [GAMMA, 1.0])
def test_the_closed_form_of_gae_with_a_wrong_critic(lam, discount):
    found = enumerated(
        tiny(),
        PI,
        lambda steps, t: discount**t * sum((GAMMA * lam) ** (k - t) * delta(steps, k) for k in range(t, len(steps))),
    )
    np.testing.assert_allclose(found, theory.expected_gae(tiny(), PI, V, GAMMA, lam, discount), atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("discount", [GAMMA, 1.0])
def test_the_closed_form_of_n_step_returns_with_a_wrong_critic(n, discount):
    found = enumerated(
        tiny(),
        PI,
        lambda steps, t: (
            discount**t * sum(GAMMA ** (k - t) * delta(steps, k) for k in range(t, min(t + n, len(steps))))
        ),
    )
    np.testing.assert_allclose(found, theory.expected_n_step(tiny(), PI, V, GAMMA, n, discount), atol=1e-14)


def test_closed_forms_meet_where_they_must(case):
    zero = np.zeros_like(case.v)
    for discount, truth in ((case.gamma, case.gradient), (1.0, case.undiscounted)):
        for values, lam in ((case.v, 0.0), (case.v, 0.7), (zero, 1.0), (zero + 3.0, 1.0)):
            found = theory.expected_gae(case.mdp, case.pi, values, case.gamma, lam, discount)
            np.testing.assert_allclose(found, truth, atol=1e-10)
        one = theory.expected_n_step(case.mdp, case.pi, zero, case.gamma, 1, discount)
        np.testing.assert_allclose(
            one, theory.expected_gae(case.mdp, case.pi, zero, case.gamma, 0.0, discount), atol=1e-12
        )


def bandit_group(kind, size, p):
    """E[Σ_i A_i ∇ log p(row i)] / G of a coin with ∇p = 1, over all outcomes of a group."""
    total = 0.0
    for outcome in itertools.product((0.0, 1.0), repeat=size):
        chance = np.prod([p if x else 1.0 - p for x in outcome])
        score = np.array([1.0 / p if x else -1.0 / (1.0 - p) for x in outcome])
        rows = groups.centred(kind, torch.tensor(outcome, dtype=torch.float64), torch.zeros(size, dtype=torch.int64))
        total += chance * float((rows.numpy() * score).mean())
    return total


@pytest.mark.parametrize("size", [2, 3, 6])
def test_group_advantages_shrink_or_stretch_the_gradient_by_what_theory_says(size):
    p = 0.3
    assert bandit_group("none", size, p) == pytest.approx((size - 1) / size, abs=1e-12)
    assert bandit_group("leave one out", size, p) == pytest.approx(1.0, abs=1e-12)
    for kind in ("none", "leave one out"):
        assert bandit_group(kind, size, p) == pytest.approx(theory.group_factor(kind, size), abs=1e-12)
    for kind in ("population", "sample"):
        assert bandit_group(kind, size, p) == pytest.approx(theory.pass_fail_factor(kind, size, p), abs=1e-12)


def test_large_groups_divide_by_the_standard_deviation_of_the_score():
    assert theory.pass_fail_factor("population", 20_000, 0.2) == pytest.approx(1.0 / 0.4, rel=1e-3)


# Sampling


def test_episodes_visit_states_and_take_actions_as_often_as_the_occupancy_says(case):
    traj = play(case.mdp, case.pi, EPISODES, rng())
    pairs = (traj.obs * case.mdp.n_actions + traj.actions)[traj.mask].numpy()
    counts = np.bincount(pairs, minlength=case.pi.size) / EPISODES
    expected = exact.action_occupancy(case.mdp, case.pi, 1.0).ravel()
    assert np.abs(counts - expected).max() < 0.06 * expected.max()
    assert traj.terminated.sum() == EPISODES
    logprobs = np.log(case.pi)[traj.obs, traj.actions][traj.mask]
    np.testing.assert_array_equal(traj.logprobs[traj.mask], logprobs)
    inside = ~traj.terminated & traj.mask
    assert (traj.next_obs[inside] == traj.obs[:, 1:][inside[:, :-1]]).all()


def test_a_group_shares_its_start():
    case = CASES["3x3"]
    starts = play(case.mdp, case.pi, 64, rng(), group=8).obs[:, 0].reshape(8, 8)
    assert (starts == starts[:, :1]).all()
    assert len(starts[:, 0].unique()) > 1


def test_parts_are_the_episodes_by_length():
    case = CASES["3x3"]
    parts, traj = sample(case.mdp, case.pi, 100, rng(), rows=16), play(case.mdp, case.pi, 100, rng())
    assert sorted(torch.cat([part.index for part in parts]).tolist()) == list(range(100))
    for part in parts:
        same = traj.select(part.index)
        assert (same.lengths == part.traj.lengths).all()
        assert part.traj.mask.shape[1] == part.traj.lengths.max()
        assert (same.obs[same.mask] == part.traj.obs[part.traj.mask]).all()


# Gradients


def test_a_batch_is_the_mean_of_its_episodes_and_one_backward_pass_is_many():
    case = CASES["3x3"]
    parts = sample(case.mdp, case.pi, 64, rng(), rows=16)
    weights = [adv.to_go(part.traj, case.gamma) for part in parts]
    theta = torch.from_numpy(case.theta)
    ones = gradients(theta.expand(64, -1, -1), parts, weights, 1)
    eights = gradients(theta.expand(8, -1, -1), parts, weights, 8)
    torch.testing.assert_close(ones.unflatten(0, (8, 8)).mean(1), eights)
    alone = theta.clone().requires_grad_()
    (part,) = sample(case.mdp, case.pi, 64, rng())
    rows = part.index < 8
    logprobs = torch.log_softmax(alone, -1)[part.traj.obs, part.traj.actions]
    loss = on_policy(logprobs, part.traj.logprobs, adv.to_go(part.traj, case.gamma), part.traj.mask)
    aggregate(loss[rows], part.traj.mask[rows], "constant", torch.tensor(8.0)).backward()
    torch.testing.assert_close(-alone.grad, eights[0])


def test_the_own_critic_minimises_the_value_loss():
    from rlkit.pg.losses import value_loss

    case = CASES["3x3"]
    parts = sample(case.mdp, case.pi, 64, rng(), rows=16)
    critic = adv.own(parts, 8, 8, 9, case.gamma)
    table = critic.table.clone().requires_grad_()
    for part in parts:
        values = critic._replace(table=table).at(part, part.traj.obs)
        value_loss(values, adv.to_go(part.traj, case.gamma), part.traj.mask).sum().backward()
    assert table.grad.abs().max() < 1e-9


def test_the_first_epoch_of_ppo_is_reinforce_and_importance_weighting(case):
    parts = sample(case.mdp, case.pi, 256, rng())
    theta = torch.from_numpy(case.theta).expand(4, -1, -1)
    weights = [adv.generalised(part, adv.fixed("exact", case.v), case.gamma, 1.0) for part in parts]
    plain = gradients(theta, parts, weights, 64)
    for loss in (clipped_surrogate, importance_weighted):
        torch.testing.assert_close(gradients(theta, parts, weights, 64, loss), plain, rtol=1e-9, atol=1e-12)


# The study


def rows(case, episodes=EPISODES):
    parts = sample(case.mdp, case.pi, episodes, rng(1))
    learned = study.learn_values(case, 32, rng(2))
    found = [*study.linear(case, parts, learned, (16,)), *groups.grouped(case, episodes, rng(3), (2, 8))]
    return {(r.family, r.estimator, r.critic, r.factor, r.detail): r for r in found}


@pytest.fixture(scope="module")
def found():
    return {name: rows(case) for name, case in CASES.items()}


def test_every_mean_is_within_four_standard_errors_of_its_closed_form(found, case):
    known = [row for row in found[case.world.name].values() if row.miss is not None]
    assert len(known) >= 45
    assert not [(row.estimator, row.critic, row.factor, row.miss) for row in known if row.miss > WITHIN]


def test_the_unbiased_are_those_that_theory_says(found, case):
    unbiased = {
        (family, name, critic, factor)
        for (family, name, critic, factor, _), row in found[case.world.name].items()
        if row.verdict == "unbiased"
    }
    for line in ("return to go", "… - v(s)", "… - b*(s), (10.5)"):
        assert any(name == line and factor == "γ^t" for _, name, _, factor in unbiased)
    assert ("REINFORCE", "whole return", "", "score") in unbiased
    assert ("RLOO", "leave one out", "", "score") in unbiased
    for lam in study.LAMBDAS:
        assert ("GAE", f"λ = {lam:g}", "exact", "γ^t") in unbiased
    assert ("GAE", "λ = 1", "learned", "γ^t") in unbiased
    assert ("GAE", "λ = 0", "learned", "γ^t") not in unbiased
    assert not [one for one in unbiased if one[3] == "1"]


def test_the_lengths_of_group_gradients(found, case):
    for size in (2, 8):
        for kind, factor in (("none", (size - 1) / size), ("leave one out", 1.0)):
            family = "RLOO" if kind == "leave one out" else "GRPO"
            m = found[case.world.name][family, kind, "", "score", size].measured
            assert abs(m.scale - factor) < 4.0 * m.scale_error


def test_the_missing_factor_is_seen(found):
    m = found["3x3"]["REINFORCE", "… - v(s)", "exact", "1", None]
    assert m.expected_bias == pytest.approx(0.902, abs=0.001)
    assert m.measured.scale > 1.8


def test_the_best_baseline_has_the_least_variance_of_a_single_step(case):
    """Zhao (10.5): of ∇ log π (q - b) at each state, exactly; over whole episodes it is measured only."""
    from rlkit.pg.baselines import softmax_squared_norms

    norms = softmax_squared_norms(torch.from_numpy(case.pi)).numpy()

    def second_moment(b):
        return (case.pi * norms * (case.q - b[:, None]) ** 2).sum(axis=1)

    best = second_moment(adv.best_baseline(case))
    for other in (np.zeros_like(case.v), case.v, case.v + 0.1):
        assert (best <= second_moment(other) + 1e-12).all()


def test_the_wrong_expectation_is_found_out():
    """The check has teeth: without γ^t the mean is many standard errors from the policy gradient."""
    case = CASES["3x3"]
    parts = sample(case.mdp, case.pi, EPISODES, rng(1))
    weights = [adv.generalised(part, adv.fixed("exact", case.v), case.gamma, 1.0) for part in parts]
    g = gradients(torch.from_numpy(case.theta).expand(EPISODES, -1, -1), parts, weights, 1).flatten(1).numpy()
    assert miss(g, case.gradient.ravel()) > WITHIN
    assert miss(g, case.undiscounted.ravel()) < WITHIN


def test_standard_errors_are_as_large_as_they_say():
    """Over many studies the length along the gradient is off by one standard error in the mean square."""
    case = CASES["3x3"]
    parts = sample(case.mdp, case.pi, 64 * 256, rng(4))
    weights = [adv.whole(part.traj, case.gamma) for part in parts]
    g = gradients(torch.from_numpy(case.theta).expand(64 * 256, -1, -1), parts, weights, 1).flatten(1).numpy()
    found = [measure(one, case.gradient.ravel()) for one in g.reshape(64, 256, -1)]
    z = np.array([(m.scale - 1.0) / m.scale_error for m in found])
    assert abs((z**2).mean() - 1.0) < 4.0 * np.sqrt(2.0 / 64)
    distance = np.mean([(m.bias / m.bias_error) ** 2 for m in found])
    assert distance == pytest.approx(1.0, abs=0.2)


def test_measures_by_hand():
    m = measure(np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), np.array([2.0, 0.0]))
    assert m.bias == pytest.approx(np.sqrt(2.0) / 2.0)
    assert m.scale == pytest.approx(0.5)
    assert m.direction == pytest.approx(np.sqrt(0.5))
    assert m.deviation == pytest.approx(np.sqrt(0.5))
    assert m.bias_error == pytest.approx(np.sqrt(0.5 / 3.0))
    assert m.cosine == pytest.approx((1.0 + 0.0 + np.sqrt(0.5)) / 3.0)
    assert m.mse == pytest.approx((0.0 + 2.0 + 0.5) / 3.0)


def test_later_epochs_of_ppo_drift_and_more_so_on_the_same_episodes():
    case = CASES["3x3"]
    found = {(r.estimator, r.factor): r for r in epochs.later_epochs(case, 4096, rng(5), (0, 10))}
    first, same, fresh, plain = (
        found[name, "γ^t"]
        for name in ("0 updates, same", "10 updates, same", "10 updates, fresh", "10 updates, fresh, no clip")
    )
    assert first.measured.bias < WITHIN * first.measured.bias_error
    assert first.notes == {"kl": pytest.approx(0.0, abs=1e-12), "outside": 0.0}
    assert same.measured.bias > WITHIN * same.measured.bias_error
    assert same.measured.scale < fresh.measured.scale < plain.measured.scale
    assert same.notes["kl"] > 0.001


@pytest.mark.slow
@pytest.mark.parametrize("world", worlds.WORLDS, ids=lambda world: world.name)
def test_every_mean_of_more_episodes(world):
    known = [row for row in rows(worlds.make(world), 16_384).values() if row.miss is not None]
    assert len(known) >= 45
    assert not [(row.estimator, row.miss, row.length_miss) for row in known if row.verdict == "WRONG"]


# The command


def command():
    """benchmarks/estimators.py, beside which there is a package of the same name."""
    spec = importlib.util.spec_from_file_location("estimators_command", ROOT / "benchmarks" / "estimators.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_prints_a_table_writes_rows_and_draws(capsys, tmp_path):
    command().main(["--quick", "--worlds", "3x3", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "REINFORCE whole return" in printed
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["family"] for line in lines} == {"REINFORCE", "exact q", "GAE", "A2C", "PPO", "GRPO", "RLOO"}
    assert not [line for line in lines if line["verdict"] == "WRONG"]
    pictures = {path.stem for path in tmp_path.glob("*.png")}
    assert pictures == {f"{kind}-3x3" for kind in ("samples", "gae", "groups", "updates")}
    assert all(5_000 < path.stat().st_size < 150_000 for path in tmp_path.glob("*.png"))
    with pytest.raises(SystemExit):
        command().main(["--episodes", "1000"])
    assert "episodes is 1000" in capsys.readouterr().err
