"""Verifiers against a corpus of completions that try to be taken for right, or to take for ever."""

from fractions import Fraction
from pathlib import Path

import pytest

from rlkit.sample.text.countdown import reaches
from rlkit.sample.text.expressions import work_out
from rlkit.sample.text.numbers import number, numbers
from rlkit.sample.text.reasoning import is_plain
from rlkit.sample.text.shaping import length_rewards, overlong
from rlkit.sample.verifiers import (
    boxed_number,
    exact,
    language,
    last_number,
    math,
    score,
    shown,
    tagged_number,
    thinks_and_answers,
    verifiers,
)
from tests.bounded import within

BOMB = "__import__('pathlib').Path('rlkit-was-here').touch()"
DEEP = "(" * 150 + "5" + ")" * 150


@pytest.fixture(autouse=True)
def _bounded():
    """Kill a verifier that takes for ever: 60 seconds for what takes a few milliseconds."""
    with within(60):
        yield


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7", [7]),
        ("7.0 and 7.50", [7, Fraction(15, 2)]),
        ("-7 +7 −7", [-7, 7, -7]),
        ("12-7=5", [12, 7, 5]),
        ("x-5", [5]),
        ("(3)-5", [3, 5]),
        ("1,000 and 12,345,678.5", [1000, Fraction(24691357, 2)]),
        ("1,2", [1, 2]),
        ("3/4 and 10/2", [Fraction(3, 4), 5]),
        ("5/0", [None]),
        ("1e3 2.5E-1", [1000, Fraction(1, 4)]),
        (".5 and 5.", [Fraction(1, 2), 5]),
        ("$18.00", [18]),
        ("٥ ５ ⑤ ² Ⅴ", []),
        ("1e999999999", [None]),
        ("9" * 100_000, [None]),
        ("1.2.3", [Fraction(6, 5)]),
        ("", []),
    ],
)
def test_numbers_are_read_exactly(text, found):
    assert numbers(text) == found


def test_a_number_alone():
    assert number(" 5.0 ") == 5
    assert number("5 6") is None
    assert number("five") is None


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("5", 1),
        ("5.0", 1),
        ("5.", 1),
        ("10/2", 1),
        ("the answer is 5", 1),
        ("3 + 2 = 5", 1),
        ("6, no, 5", 1),
        ("5, no, 6", 0),
        ("-5", 0),
        ("50", 0),
        ("5.5", 0),
        ("1/5", 0),
        ("1e5", 0),
        ("5e400", 0),
        ("5e99999999999", 0),
        ("٥", 0),
        ("５", 0),
        ("five", 0),
        ("", 0),
        ("5" * 100_000, 0),
        ("1,000,005", 0),
        ("5 plus 10**1000000000", 0),
        (BOMB, 0),
    ],
)
def test_the_last_number_counts(completion, value):
    assert last_number(completion, "5") == value


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("<answer>5</answer>", 1),
        ("<think>6? no</think> <answer> $5.00 </answer>", 1),
        ("5", 0),
        ("<answer>4</answer><answer>5</answer>", 0),
        ("<answer>5</answer><answer>4</answer>", 0),
        ("<answer>4 or 5</answer>", 0),
        ("<answer>4<answer>5</answer>", 0),
        ("<answer>5", 0),
        ("</answer>5<answer>", 0),
        ("<ANSWER>5</ANSWER>", 0),
        ("<answer></answer>5", 0),
        ("<answer>" * 10_000 + "5" + "</answer>" * 10_000, 0),
        ("<answer>5" + " " * 100_000 + "</answer>", 1),
    ],
)
def test_one_answer_in_tags_counts(completion, value):
    assert tagged_number(completion, "5") == value


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        (r"\boxed{5}", 1),
        (r"\boxed{4} so \boxed{5}", 1),
        (r"\boxed{5} so \boxed{4}", 0),
        (r"\boxed{4, 5}", 0),
        (r"\boxed{5", 0),
        (r"5 \boxed{}", 0),
        ("5", 0),
    ],
)
def test_the_last_box_counts(completion, value):
    assert boxed_number(completion, "5") == value


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("<think>3+2</think> <answer>5</answer>", 1),
        ("<think>3+2\n</think>\n\n<answer>\n5</answer>\n", 1),
        ("<think></think><answer>5</answer>", 1),
        ("<think>3+2</think><answer> </answer>", 0),
        ("so: <think>3+2</think><answer>5</answer>", 0),
        ("<think>3+2</think><answer>5</answer> done", 0),
        ("<think>a</think><think>b</think><answer>5</answer>", 0),
        ("<think>a</think> so <answer>5</answer>", 0),
        ("<think><answer>4</answer></think><answer>5</answer>", 0),
        ("<answer>5</answer><think>3+2</think>", 0),
        ("<think>" * 5_000 + "<answer>", 0),
        ("", 0),
    ],
)
def test_the_format(completion, value):
    assert thinks_and_answers(completion) == value


def test_language_is_the_share_of_words_in_a_script():
    assert language("a b c") == 1.0
    assert language("one два three четыре") == 0.5
    assert language("we 得到 it") == 0.5  # in a script without spaces each letter is a word
    assert language("x得y") == 2 / 3
    assert language("<think>one два</think> <answer>5 пять</answer>") == 0.5
    assert language("<think>one два") == 0.5
    assert language("5 + 3 = 8") == 1.0
    assert language("") == 1.0
    assert language("one два три четыре", script="CYRILLIC") == 0.75


def test_exact_takes_no_more_than_the_answer():
    assert exact(" ab\n", "ab") == 1.0
    assert exact("abab", "ab") == 0.0
    assert exact("a b", "ab") == 0.0


@pytest.mark.parametrize(
    ("completion", "answer", "value"),
    [
        (r"the answer is $\frac{1}{2}$", "0.5", 1),
        (r"\boxed{x^2+2x+1}", "(x+1)^2", 1),
        ("5.0", "5", 1),
        (r"$\{1,2\}$", r"\{2,1\}", 1),
        (r"$\frac{1}{3}$", "0.5", 0),
        ("", "5", 0),
        (r"$9^{9^{9^{9}}}$", "5", 0),
        (r"$9^9^9^9$", "5", 0),
        (r"$10^{1000000000}$", "5", 0),
        (r"$2**1000000000$", "5", 0),
        (r"$((((9^{99})^{99})^{99})^{99})^{99}$", "5", 0),
        (r"$100000!!$", "5", 0),
        (r"$\sum_{k=1}^{10} k$", "55", 0),
        ("$" + DEEP + "$", "6", 0),
        (r"\frac{" * 300 + "5", "6", 0),
        (f"${BOMB}$", "5", 0),
        ("5" * 100_000, "5", 0),
    ],
)
def test_math_verify_is_given_only_what_it_can_work_out(completion, answer, value):
    pytest.importorskip("math_verify", reason="needs rlkit[tasks]")
    assert math(completion, answer) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("8/3/(1/3)", 8),
        ("-2*-3", 6),
        (DEEP, 5),
        ("1/0", None),
        ("2**3", None),
        ("2* *3", None),
        ("9**9**9**9", None),
        ("7//2", None),
        ("1_0", None),
        ("0x10", None),
        ("1e3", None),
        ("٥+1", None),
        ("5!", None),
        ("(2)(3)", None),
        ("2(3)", None),
        ("1,2", None),
        ("[1]", None),
        ("1 if 1 else 2", None),
        (BOMB, None),
        ("", None),
        ("(" * 300, None),
        ("-" * 399 + "1", -1),
        ("1+" * 5_000 + "1", None),
        ("9" * 10_000, None),
    ],
)
def test_expressions_are_worked_out_and_never_run(text, value):
    found = work_out(text)
    assert (None if found is None else found.value) == value


def test_expressions_say_what_stands_in_them():
    assert work_out("(3+2)*7-3").used == [3, 2, 7, 3]


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("(3-1)*5", 1),
        ("(3-1)*5=10", 1),
        ("<think>3*5-1=14</think><answer>(3-1)*5</answer>", 1),
        ("let me see\n(3-1)*5\n", 1),
        ("(3-1)*5=11", 0),
        ("10", 0),
        ("5*2", 0),
        ("5*(3-1)*1", 0),
        ("5+3+1+1", 0),
        ("(3-1)*5\nor 7", 0),
        ("<answer>10</answer>", 0),
        ("<answer>(3-1)*5</answer><answer>10</answer>", 0),
        ("3-1*5", 0),
        ("35-5*5", 0),
        ("5**1+5", 0),
        ("", 0),
        (BOMB, 0),
    ],
)
def test_countdown_wants_the_given_numbers(completion, value):
    assert reaches(completion, [1, 3, 5], 10) == value


def test_countdown_may_let_numbers_be():
    assert reaches("5+3", [1, 3, 5], 8, use_all=False) == 1.0
    assert reaches("5+3", [1, 3, 5], 8) == 0.0
    assert reaches("3+3+1+1", [1, 3, 5], 8, use_all=False) == 0.0


@pytest.mark.parametrize("text", ["x**2 + 3*x/4 - sin(x) + C", "-(x**2)", "x**(1/2)", "sqrt(x)*exp(-2.5*x)"])
def test_plain_expressions(text):
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "x.__class__",
        "9**9**9",
        "(x**100)**100",
        "exp(x)**x",
        "x**1e9",
        "open('a')",
        "[x]",
        "lambda x: x",
        "a if b else c",
        "abc(x)",
        "'a'*1000",
        "x; y",
        "x = 1",
        "(" * 500,
        "factorial(9)",
        "f'{x}'",
        "1" + "+1" * 3_000,
        "10**13 + 99999999999999",
    ],
)
def test_expressions_that_a_parser_might_run(text):
    assert not is_plain(text)


def test_rewards_add_up_with_their_weights():
    parts = verifiers("tagged + 0.5*format+0.25 * language")
    assert [weight for _, weight in parts] == [1.0, 0.5, 0.25]
    assert score(parts, "5")("<think>so</think> <answer>5</answer>") == 1.75
    assert score(parts, "5")("<think>so</think> <answer>6</answer>") == 0.75
    assert score(parts, "5")("5") == 0.25
    assert score([(lambda _completion, _answer: None, 1.0)], "5")("5") is None
    assert shown(parts, "5", "so") == "<think>so</think> <answer>5</answer>"
    assert shown(verifiers("boxed"), "5") == r"\boxed{5}"
    assert shown(verifiers("boxed+format"), "5") == r"<think></think> <answer>\boxed{5}</answer>"


def test_what_is_no_reward_is_named():
    with pytest.raises(ValueError, match="has the part 'nmber'; a part is a name or weight"):
        verifiers("nmber")
    with pytest.raises(ValueError, match="the right answer 'five' is no number"):
        last_number("5", "five")


def test_the_prompt_is_not_searched():
    assert score(verifiers("number"), "5")("") == 0.0


def test_overlong_is_dapos_formula():
    # L_max 20, L_cache 4: 0 up to 16, then linear, -1 from 20 on
    assert [overlong(n, 20, 4) for n in (1, 16, 17, 18, 19, 20, 25)] == [0.0, 0.0, -0.25, -0.5, -0.75, -1.0, -1.0]
    with pytest.raises(ValueError, match="cache is 21; it must lie between 1 and the limit, 20"):
        overlong(5, 20, 21)


def test_length_rewards_are_kimis_formula():
    assert length_rewards([10, 20, 30, 10], [True, True, True, False]).tolist() == [0.5, 0.0, -0.5, 0.0]
    assert length_rewards([10, 20, 30], [False, False, False]).tolist() == [0.0, 0.0, -0.5]
    assert length_rewards([7, 7], [True, False]).tolist() == [0.0, 0.0]
    assert length_rewards([], []).tolist() == []


def test_nothing_was_run():
    assert not Path("rlkit-was-here").exists()
