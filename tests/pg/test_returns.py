"""Returns and advantages along time: numbers by hand, slow twins, ends, gaps, padding, gradients."""

import pytest
import torch
from torch.autograd import gradcheck

from rlkit.pg import returns
from tests.pg import plain
from tests.pg.cases import MASK, SHAPE, flags, logprobs, normal, spoil

GAMMA, LAM = 0.9, 0.7


def batch():
    terminated, truncated = flags()
    return {
        "rewards": normal(0),
        "values": normal(1),
        "next_values": normal(2),
        "terminated": terminated,
        "truncated": truncated,
        "mask": MASK,
        "ratio": (logprobs(3) - logprobs(4)).exp(),
    }


def functions():
    """Every function as f(rewards, values, next_values, terminated, truncated, mask), and its slow twin."""

    def both(r, v, w, *ends):
        shape = r.shape
        new, old = logprobs(3)[:, : shape[1]].expand(shape), logprobs(4)[:, : shape[1]].expand(shape)
        return returns.vtrace(new, old, r, v, w, *ends, gamma=GAMMA, lam=LAM, rho_clip=1.2, c_clip=0.9)

    return {
        "discounted": (
            lambda r, _, w, *ends: returns.discounted_returns(r, w, *ends, gamma=GAMMA),
            plain.n_step(GAMMA, 99),
        ),
        "1-step": (
            lambda r, _, w, *ends: returns.n_step_returns(r, w, *ends, gamma=GAMMA, n=1),
            plain.n_step(GAMMA, 1),
        ),
        "3-step": (
            lambda r, _, w, *ends: returns.n_step_returns(r, w, *ends, gamma=GAMMA, n=3),
            plain.n_step(GAMMA, 3),
        ),
        "50-step": (
            lambda r, _, w, *ends: returns.n_step_returns(r, w, *ends, gamma=GAMMA, n=50),
            plain.n_step(GAMMA, 50),
        ),
        "lambda": (
            lambda r, _, w, *ends: returns.lambda_returns(r, w, *ends, gamma=GAMMA, lam=LAM),
            plain.lambda_return(GAMMA, LAM),
        ),
        "gae": (lambda *a: returns.gae(*a, gamma=GAMMA, lam=LAM), plain.gae(GAMMA, LAM)),
        "vtrace": (lambda *a: both(*a).values, plain.vtrace(GAMMA, LAM, 1.2, 0.9)),
        "vtrace advantage": (lambda *a: both(*a).advantages, plain.vtrace_advantage(GAMMA, LAM, 1.2, 0.9)),
    }


FUNCTIONS = functions()
ORDER = ("rewards", "values", "next_values", "terminated", "truncated", "mask")


def arguments(**changed):
    return [(batch() | changed)[name] for name in ORDER]


@pytest.fixture(params=FUNCTIONS)
def pair(request):
    return FUNCTIONS[request.param]


def test_the_definition_row_by_row_gives_the_same(pair):
    function, formula = pair
    expected = torch.tensor(plain.along(batch(), formula), dtype=torch.float64)
    torch.testing.assert_close(function(*arguments()), expected, rtol=1e-12, atol=1e-13)


def test_a_long_row_agrees_with_its_twin():
    n = 300
    columns = {name: normal(i, 2, n) for i, name in enumerate(("rewards", "values", "next_values"))}
    ends = torch.rand((3, 2, n), generator=torch.Generator().manual_seed(5))
    columns |= {"terminated": ends[0] < 0.03, "truncated": ends[1] < 0.03, "mask": ends[2] < 0.8}
    expected = torch.tensor(plain.along(columns, plain.gae(0.99, 0.95)), dtype=torch.float64)
    found = returns.gae(*[columns[name] for name in ORDER], gamma=0.99, lam=0.95)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)


def test_what_is_not_counted_is_exactly_zero_and_never_leaks(pair):
    function, _ = pair
    clean = function(*arguments())
    assert (clean[~MASK] == 0.0).all()
    dirty = {name: spoil(batch()[name]) for name in ("rewards", "values", "next_values")}
    assert torch.equal(function(*arguments(**dirty)), clean)
    everywhere = torch.ones(SHAPE, dtype=torch.bool)
    for name in ("terminated", "truncated"):  # a flag in padding means nothing
        assert torch.equal(function(*arguments(**{name: batch()[name] | (everywhere & ~MASK)})), clean)


def test_masked_gradients_are_exactly_zero(pair):
    function, _ = pair
    leaves = {name: spoil(batch()[name]).requires_grad_() for name in ("rewards", "values", "next_values")}
    function(*arguments(**leaves)).square().sum().backward()
    for leaf in leaves.values():
        if leaf.grad is not None:
            assert (leaf.grad[~MASK] == 0.0).all()
            assert leaf.grad.isfinite().all()


def test_after_termination_the_next_value_is_not_read(pair):
    function, _ = pair
    terminated, _ = flags()
    wild = torch.where(terminated, float("nan"), batch()["next_values"]).requires_grad_()
    found = function(*arguments(next_values=wild))
    assert torch.equal(found, function(*arguments()))
    found.sum().backward()
    assert (wild.grad[terminated] == 0.0).all()


def test_padding_and_row_order_change_nothing(pair):
    function, _ = pair
    clean = function(*arguments())
    rows = torch.tensor([3, 1, 4, 0, 2])
    if not any(function is FUNCTIONS[name][0] for name in ("vtrace", "vtrace advantage")):  # they pair rows with ratios
        assert torch.equal(function(*[x[rows] for x in arguments()]), clean[rows])
        longer = [torch.nn.functional.pad(x, (0, 6), value=float(x.dtype != torch.bool)) for x in arguments()]
        assert torch.equal(function(*longer)[:, : SHAPE[1]], clean)
        left = [torch.nn.functional.pad(x, (5, 0)) for x in arguments()]
        assert torch.equal(function(*left)[:, 5:], clean)


def test_vtrace_keeps_rows_apart_and_ignores_padding():
    inputs = [logprobs(3), logprobs(4), *arguments()]
    clean = returns.vtrace(*inputs, gamma=GAMMA)
    rows = torch.tensor([3, 1, 4, 0, 2])
    turned = returns.vtrace(*[x[rows] for x in inputs], gamma=GAMMA)
    longer = returns.vtrace(*[torch.nn.functional.pad(x, (2, 6)) for x in inputs], gamma=GAMMA)
    dirty = returns.vtrace(spoil(logprobs(3)), spoil(logprobs(4)), *arguments(), gamma=GAMMA)
    for i in range(2):
        assert torch.equal(turned[i], clean[i][rows])
        assert torch.equal(longer[i][:, 2 : 2 + SHAPE[1]], clean[i])
        assert torch.equal(dirty[i], clean[i])


def test_gradcheck(pair):
    function, _ = pair
    rewards, values, next_values, *ends = arguments()
    leaves = [x.requires_grad_() for x in (rewards, values, next_values)]
    assert gradcheck(lambda *x: function(*x, *ends), leaves)


def test_numbers_by_hand():
    rewards = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    values = torch.tensor([[10.0, 20.0, 30.0]], dtype=torch.float64)
    after = torch.tensor([[20.0, 30.0, 40.0]], dtype=torch.float64)
    no = torch.zeros((1, 3), dtype=torch.bool)
    third = torch.tensor([[False, False, True]])
    second = torch.tensor([[False, True, False]])

    def check(found, *numbers):
        torch.testing.assert_close(found, torch.tensor([numbers], dtype=torch.float64), rtol=1e-14, atol=1e-14)

    check(returns.discounted_returns(rewards, after, third, no, ~no, gamma=0.5), 2.75, 3.5, 3.0)
    check(returns.discounted_returns(rewards, after, no, no, ~no, gamma=0.5), 7.75, 13.5, 23.0)
    check(returns.discounted_returns(rewards, after, third, second, ~no, gamma=0.5), 9.5, 17.0, 3.0)
    check(returns.n_step_returns(rewards, after, third, no, ~no, gamma=0.5, n=1), 11.0, 17.0, 3.0)
    check(returns.n_step_returns(rewards, after, third, no, ~no, gamma=0.5, n=2), 9.5, 3.5, 3.0)
    check(returns.lambda_returns(rewards, after, third, no, ~no, gamma=0.5, lam=0.5), 8.5625, 10.25, 3.0)
    # δ = 1 + 10 - 10, 2 + 15 - 20, 3 + 20 - 30 (or 3 - 30 where terminated); γλ = 1/4
    check(returns.gae(rewards, values, after, no, no, ~no, gamma=0.5, lam=0.5), -0.1875, -4.75, -7.0)
    check(returns.gae(rewards, values, after, third, no, ~no, gamma=0.5, lam=0.5), -1.4375, -9.75, -27.0)
    check(returns.gae(rewards, values, after, second, no, ~no, gamma=0.5, lam=0.5), -3.5, -18.0, -7.0)
    check(returns.gae(rewards, values, after, no, second, ~no, gamma=0.5, lam=0.5), 0.25, -3.0, -7.0)
    check(returns.gae(rewards, values, after, second, second, ~no, gamma=0.5, lam=0.5), -3.5, -18.0, -7.0)
    gap = torch.tensor([[True, False, True]])
    check(returns.gae(rewards, values, after, no, no, gap, gamma=0.5, lam=0.5), -0.75, 0.0, -7.0)


def test_vtrace_by_hand():
    """Ratios 2 and 1/2: rho = (1, 1/2), c = (1, 1/2), δ = (1 + 2 - 3, 5 + 4 - 2) at γ = 1."""
    half = torch.tensor([[0.5, 0.25]], dtype=torch.float64).log()
    old = torch.tensor([[0.25, 0.5]], dtype=torch.float64).log()
    rewards, values, after = (torch.tensor([x], dtype=torch.float64) for x in ([1.0, 5.0], [3.0, 2.0], [2.0, 4.0]))
    no = torch.zeros((1, 2), dtype=torch.bool)
    found = returns.vtrace(half, old, rewards, values, after, no, no, ~no, gamma=1.0)
    # v_2 = 2 + 7/2; v_1 = 3 + 0 + 1 * 7/2; advantages 1 * (1 + 5.5 - 3) and 1/2 * (5 + 4 - 2)
    torch.testing.assert_close(found.values, torch.tensor([[6.5, 5.5]], dtype=torch.float64))
    torch.testing.assert_close(found.advantages, torch.tensor([[3.5, 3.5]], dtype=torch.float64))


def test_they_are_one_family():
    """λ-returns are GAE plus V; λ = 1 is the discounted return and λ = 0 one step; on policy V-trace at λ is the λ-return."""
    rewards, values, _, *ends = arguments()
    after = returns.following(values, normal(9, SHAPE[0]), MASK)
    targets = returns.lambda_returns(rewards, after, *ends, gamma=GAMMA, lam=LAM)
    advantages = returns.gae(rewards, values, after, *ends, gamma=GAMMA, lam=LAM)
    torch.testing.assert_close(targets, torch.where(MASK, advantages + values, 0))
    on_policy = returns.vtrace(logprobs(3), logprobs(3), rewards, values, after, *ends, gamma=GAMMA, lam=LAM)
    terminated, truncated = flags()
    inside = MASK & ~(terminated | truncated)
    assert inside.any()
    torch.testing.assert_close(on_policy.values, targets)
    one = returns.lambda_returns(rewards, after, *ends, gamma=GAMMA, lam=0.0)
    torch.testing.assert_close(one, returns.n_step_returns(rewards, after, *ends, gamma=GAMMA, n=1))


def test_no_gradient_reaches_the_ratios_of_vtrace():
    new = logprobs(3).requires_grad_()
    assert not returns.vtrace(new, logprobs(4), *arguments(), gamma=GAMMA).values.requires_grad


def test_a_value_of_one_over_one_minus_gamma_is_a_fixed_point():
    """In a world of reward 1 without end, cut by a time limit, V = 1 / (1 - γ) has advantage 0 everywhere."""
    ones = torch.ones((1, 50), dtype=torch.float64)
    no, cut = torch.zeros((1, 50), dtype=torch.bool), torch.arange(50)[None] % 7 == 6
    found = returns.gae(ones, ones / 0.1, ones / 0.1, no, cut, ~no, gamma=0.9, lam=0.95)
    torch.testing.assert_close(found, torch.zeros_like(ones), rtol=0.0, atol=1e-12)
    back = returns.discounted_returns(ones, ones / 0.1, no, cut, ~no, gamma=0.9)
    torch.testing.assert_close(back, ones / 0.1)


def test_following():
    values = torch.arange(1.0, 36.0, dtype=torch.float64).view(SHAPE)
    last = torch.arange(-1.0, -6.0, -1.0, dtype=torch.float64)
    expected = torch.tensor(
        [
            [2, 3, 4, 5, 6, 7, -1],
            [9, 10, -2, 0, 0, 0, 0],
            [0, 0, 18, 19, -3, 0, 0],
            [23, 26, 0, 0, 27, -4, 0],
            [0, 0, 0, 0, 0, 0, 0],
        ],
        dtype=torch.float64,
    )
    assert torch.equal(returns.following(values, last, MASK), expected)
    leaf = spoil(values).requires_grad_()
    found = returns.following(leaf, last, MASK)
    assert torch.equal(found, expected)
    found.sum().backward()
    assert (leaf.grad[~MASK] == 0.0).all()
    assert gradcheck(lambda x, y: returns.following(x, y, MASK), [values.requires_grad_(), last.requires_grad_()])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_extremes_stay_numbers(dtype):
    large = torch.finfo(dtype).max
    signs = normal(0).sign()
    rewards, values, after = (signs.roll(i).to(dtype) * large for i in range(3))
    ends = [*flags(), MASK]
    found = returns.gae(rewards, values, after, *ends, gamma=0.99, lam=0.95)
    assert found.dtype == torch.float32
    assert found.isfinite().all()
    wild = returns.vtrace(rewards, values, rewards, values, after, *ends, gamma=0.99)
    assert wild.values.isfinite().all()
    assert wild.advantages.isfinite().all()


def test_whole_rewards_are_read_as_numbers():
    whole = torch.ones(SHAPE, dtype=torch.int64)
    found = returns.discounted_returns(whole, torch.zeros(SHAPE), *flags(), MASK, gamma=0.5)
    assert found[1, :3].tolist() == [1.75, 1.5, 1.0]


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="n is 0"):
        returns.n_step_returns(*[arguments()[i] for i in (0, 2, 3, 4, 5)], gamma=0.9, n=0)
    with pytest.raises(ValueError, match=r"shape \[7\] and its mask \[5, 7\]"):
        returns.gae(*arguments(rewards=torch.zeros(7)), gamma=0.9, lam=0.9)
    with pytest.raises(ValueError, match=r"mask is torch.float32"):
        returns.vtrace(logprobs(1), logprobs(2), *arguments(mask=MASK.float()), gamma=0.9)
