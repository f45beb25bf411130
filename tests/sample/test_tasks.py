"""Tasks: the gold answer earns the most, for many seeds of all of them; what is held out is never trained on; bad input is named."""

import json
from fractions import Fraction

import numpy as np
import pytest

from rlkit.sample import tasks
from rlkit.sample.tasks import Finite, Question
from rlkit.sample.text.expressions import work_out
from rlkit.sample.text.letters import Spelled
from rlkit.sample.text.templates import R1

SEEDS = range(200)
CASES = [
    ("addition", {}, 1.0),
    ("addition", {"digits": 2, "template": "chat"}, 1.0),
    ("addition", {"digits": 50, "terms": 20}, 1.0),
    ("addition", {"template": "r1", "reward": "tagged + 0.5*format"}, 1.5),
    ("subtraction", {"digits": 3, "template": "question"}, 1.0),
    ("multiplication", {"low": 2, "high": 9, "template": "chat", "reward": "boxed"}, 1.0),
    ("division", {"digits": 2}, 1.0),
    ("arithmetic", {"digits": 1, "terms": 4, "template": "r1", "reward": "tagged+format+0.1*language"}, 2.1),
    ("countdown", {}, 1.0),
    ("countdown", {"terms": 4, "high": 99, "template": "r1", "reward": "0.1*format"}, 1.1),
    ("countdown", {"use_all": False, "template": "chat"}, 1.0),
    ("copying", {"letters": "abc"}, 1.0),
    ("copying", {"letters": "xyz01", "longest": 12, "template": "chat"}, 1.0),
    ("reversing", {"letters": "ab", "shortest": 3, "longest": 5}, 1.0),
    ("counting", {"letters": "abc", "longest": 6, "template": "question"}, 1.0),
]


def rng(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("name", "arguments", "top"), CASES)
def test_the_gold_answer_earns_the_most(name, arguments, top):
    task = tasks.make(name, **arguments)
    for seed in SEEDS:
        problem = task.start(rng(seed))
        turn = problem.answer(problem.gold)
        assert turn.reward == pytest.approx(top), problem
        assert turn.reply is None
        assert problem.answer("").reward < top
        assert problem.answer("what?").reward < top


@pytest.mark.parametrize(("name", "arguments"), [case[:2] for case in CASES])
def test_the_same_random_numbers_give_the_same_problem(name, arguments):
    task, again = tasks.make(name, **arguments), tasks.make(name, **arguments)
    prompts = [task.start(rng(seed)).prompt for seed in SEEDS]
    assert prompts == [again.start(rng(seed)).prompt for seed in SEEDS]
    assert len(set(prompts)) > 5


@pytest.mark.parametrize("name", ["addition", "multiplication", "countdown", "copying", "reversing", "counting"])
def test_held_out_problems_are_others(name):
    sides = [{tasks.make(name, held_out=side).start(rng(seed)).prompt for seed in SEEDS} for side in (False, True)]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]


@pytest.mark.parametrize("name", ["addition", "multiplication", "division", "copying", "reversing", "counting"])
def test_start_draws_from_the_list_of_all_problems(name):
    task = tasks.make(name, **({"letters": "ab"} if "ing" in name else {"digits": 1, "high": 3, "low": 1}))
    assert isinstance(task, Finite)
    listed = [problem.prompt for problem in task.problems()]
    assert len(set(listed)) == len(listed)
    generator = rng(0)
    counts = dict.fromkeys(listed, 0)
    for _ in range(200 * len(listed)):
        counts[task.start(generator).prompt] += 1  # a KeyError for one that is not listed
    assert min(counts.values()) > 130  # of 200 expected: five standard deviations
    assert max(counts.values()) < 275


def test_the_list_is_that_of_the_side():
    everything, train, held = (
        {problem.prompt for problem in tasks.make("addition", held_out=side).problems()} for side in (None, False, True)
    )
    assert len(everything) == 100
    assert train | held == everything
    assert not train & held
    assert 10 <= len(held) <= 30


def test_prompts_are_those_of_the_templates():
    def first(name, **arguments):
        return tasks.make(name, **arguments).problems()[-1].prompt

    assert first("addition") == "9+9="
    assert first("addition", template="chat") == "<|im_start|>user\nWhat is 9 + 9?<|im_end|>\n<|im_start|>assistant\n"
    assert first("addition", template="Q {question} {x} A ") == "Q What is 9 + 9? {x} A "
    assert first("addition", template="r1") == R1.replace("{question}", "What is 9 + 9?")
    assert first("addition", template="r1").endswith("User: What is 9 + 9?. Assistant:")
    assert first("copying", letters="ab") == "bbb="
    assert first("counting", letters="ab") == "b:bbb="


def test_results_of_division_are_whole():
    task = tasks.make("arithmetic", digits=2, terms=3)
    for seed in SEEDS:
        problem = task.start(rng(seed))
        assert work_out(problem.prompt.rstrip("=")).value == Fraction(problem.gold)


def test_dense_letters_add_up_to_one():
    (problem,) = [one for one in tasks.make("copying", letters="ab", dense=True).problems() if one.prompt == "aba="]
    assert isinstance(problem, Spelled)
    assert [problem.progress(text) for text in ("", "a", "ab", "aba", "abab", "b", "bba")] == [
        0,
        0.25,
        0.5,
        0.75,
        0.75,
        0,
        0,
    ]
    assert problem.answer("aba").reward == 0.25
    assert problem.answer("ab").reward == 0.0


def test_a_jsonl_file(tmp_path):
    file = tmp_path / "some.jsonl"
    rows = [{"question": f"What is {i} + {i}?", "answer": f"{i} + {i} = {2 * i}\n#### {2 * i:,}"} for i in range(600)]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    task = tasks.make(f"jsonl:{file}", template="r1", reward="tagged+format")
    assert [problem.answer(problem.gold).reward for problem in task.problems()] == [2.0] * 600
    assert task.problems()[3].prompt == R1.replace("{question}", "What is 3 + 3?")
    assert task.problems()[599].gold == "<think>599 + 599 = 1198</think> <answer>1,198</answer>"
    assert isinstance(task.start(rng(0)), Question)
    train, held = (tasks.make(f"jsonl:{file}", held_out=side).problems() for side in (False, True))
    assert len(train) + len(held) == 600
    assert 80 < len(held) < 160


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "1", "answer": ', "line 3 is no JSON"),
        ("[" * 100_000, "line 3 is no JSON"),
        ("\xff", "line 3 is no JSON"),
        ('{"question": "1"}', "line 3 has no field 'answer' but question"),
        ("[1, 2]", "line 3 has no field 'question' but list"),
        ('{"question": null, "answer": "1"}', "line 3: question is None; it must be text or a number"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, message):
    file = tmp_path / "broken.jsonl"
    file.write_bytes(b'{"question": "1", "answer": 1}\n\n' + line.encode("latin-1"))
    with pytest.raises(ValueError, match=f"broken.jsonl, {message}"):
        tasks.make(f"jsonl:{file}")


def test_a_file_without_questions_is_named(tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(ValueError, match=r"empty.jsonl holds no questions"):
        tasks.make(f"jsonl:{tmp_path / 'empty.jsonl'}")
    with pytest.raises(ValueError, match=r"there is no file '.*none.jsonl'"):
        tasks.make(f"jsonl:{tmp_path / 'none.jsonl'}")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("adition", {}, "there is no task 'adition'; did you mean addition"),
        ("jsonl:", {}, "there is no task 'jsonl:'"),
        ("addition", {"digit": 2}, "does not take these arguments: .*'digit'; it takes digits, terms, low"),
        ("addition", {"digits": 0}, "digits is 0 and terms 2"),
        ("addition", {"low": 5, "high": 4}, "numbers go from 5 to 4"),
        ("addition", {"template": "chats"}, "template is 'chats'; choose one of plain, question, chat, r1"),
        ("addition", {"reward": "right"}, "the reward 'right' has the part 'right'"),
        ("countdown", {"terms": 1}, "terms is 1; 2 to 8 numbers"),
        ("countdown", {"low": 0}, "numbers go from 0 to 9"),
        ("copying", {"letters": "aa"}, "letters is 'aa'; give each letter once"),
        ("copying", {"shortest": 4}, "words have 4 to 3 letters"),
        ("counting", {"dense": True}, "dense rewards are for copying and reversing"),
        ("env:GridWorld-v0", {"view": "map"}, "view is 'map'; choose one of 'ansi', 'coordinates', 'observation'"),
        ("env:GridWorld-v0", {"turns": 0}, "turns is 0"),
        ("env:GridWorld-v0", {"actions": ("up", "down")}, r"actions is \('up', 'down'\); GridWorld-v0 has 5 of them"),
        ("env:Pendulum-v1", {"view": "observation"}, "to be played in words they must be Discrete"),
        ("env:CartPole-v1", {"view": "coordinates"}, "is no grid of rows and columns; take the view 'observation'"),
    ],
)
def test_what_makes_no_task_is_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        tasks.make(name, **arguments)


def test_too_many_problems_are_not_listed():
    with pytest.raises(ValueError, match="there are 810,000 problems; at most 20,000 can be listed"):
        tasks.make("addition", digits=3).problems()


def test_a_side_without_problems_is_named():
    with pytest.raises(ValueError, match="no problem is on this side"):
        tasks.make("copying", letters="a", longest=1, held_out=True).problems()
    with pytest.raises(ValueError, match="none of 10,000 problems drawn was held out"):
        tasks.make("copying", letters="a", longest=1, held_out=True).start(rng(0))


def test_a_reward_of_ones_own():
    task = tasks.make("addition", reward=lambda completion, answer: float(len(completion) == len(answer)))
    problem = task.problems()[0]
    assert problem.answer("7").reward == 1.0
    assert problem.answer("77").reward == 0.0
