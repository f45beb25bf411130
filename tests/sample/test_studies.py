"""Files of what was written: every name that a field may have, what comes back, and every mistake with its line."""

import json

import pytest

import rlkit
from rlkit.sample.studies import Answer, Pair, Verdict, read, write
from tests.agents.studying import corpus

ITEMS = [
    [Answer("1 + 1 =", "2"), Answer("\u00e9\u2028?", 'a "b"\n')],
    [Pair("a", "b", "c", 0.5), Pair("a", "", "c")],
    [Verdict("a", "b", True), Verdict("a", "c", False)],
]


@pytest.mark.parametrize("items", ITEMS)
def test_what_is_written_is_read_back(items, tmp_path):
    path = tmp_path / "deep" / "some.jsonl"
    assert write(path, items) == 2
    found, places = read(path, type(items[0]))
    assert found == items
    assert places == [f"{path}, line 1", f"{path}, line 2"]


def test_fields_have_the_names_of_gsm8k_and_of_trl(tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_text('\n{"question": "q", "answer": "so #### 4", "more": [1]}\n\n')
    assert read(path, Answer) == ([Answer("q", "so #### 4")], [f"{path}, line 2"])
    path.write_text('{"prompt": "q", "completion": "a", "label": false}')
    assert read(path, Verdict)[0] == [Verdict("q", "a", False)]
    path.write_text('{"prompt": "q", "chosen": "a", "rejected": "b", "margin": 2}')
    assert read(path, Pair)[0] == [Pair("q", "a", "b", 2.0)]


MISTAKES = [
    ('{"prompt": "a", "answer": "b"}\n{"prompt": "a"', Answer, "line 2 is no JSON"),
    ('{"prompt": "a", "answer": "b"}\n\n["a"]', Answer, "line 3 is list, no object with prompt, answer"),
    ('{"prompt": "a"}', Answer, "line 1 has no field 'answer' but prompt"),
    ("{}", Answer, "line 1 has no field 'prompt' but none"),
    ('{"prompt": "a", "chosen": "b"}', Pair, "line 1 has no field 'rejected' but prompt, chosen"),
    ('{"prompt": "a", "answer": 3}', Answer, "line 1: answer is 3; it must be text"),
    ('{"prompt": "a", "answer": "b", "label": 1}', Verdict, "line 1: label is 1; it must be true or false"),
    ('{"prompt": "a", "chosen": "b", "rejected": "c", "margin": "d"}', Pair, "margin is 'd'; it must be a number"),
    ("\n \n", Answer, "holds no lines; each is to be an object with prompt, answer"),
    ("", Answer, "holds no lines"),
]


@pytest.mark.parametrize(("text", "kind", "message"), MISTAKES)
def test_mistakes_are_named_with_their_line(text, kind, message, tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read(path, kind)


def test_bytes_that_are_no_text_and_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_bytes(b'{"prompt": "\xff"}')
    with pytest.raises(ValueError, match="line 1 is no JSON"):
        read(path, Answer)
    with pytest.raises(ValueError, match="there is no file"):
        read(tmp_path / "other.jsonl", Answer)


def test_an_agent_reads_a_file_and_names_the_line_that_does_not_fit(tmp_path):
    path = tmp_path / "some.jsonl"
    lines = [{"prompt": "ab+", "answer": "cd"}, {"prompt": "a", "answer": "b" * 120}]
    path.write_text("\n".join(map(json.dumps, lines[:1])))
    agent = rlkit.make("sft", corpus("sft", data=[]), data=path, template="{question}=")
    assert agent.config.data == str(path)
    assert agent.lesson.table[0][0].prompt == [0, 1, 8, 9]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(ValueError, match="line 2 has 1 tokens of prompt and 121 of answer"):
        rlkit.make("sft", corpus("sft", data=[]), data=path)
    with pytest.raises(ValueError, match="the corpus holds 5 items: leave one of them out"):
        rlkit.make("sft", corpus("sft"), data=path)


def test_a_model_by_name_reads_the_letters_of_its_file(tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps({"question": "\u00e4?", "answer": "x" * 400}))
    agent = rlkit.make("sft", "tiny", data=path)
    assert "\u00e4" in agent.acting._language.tokenizer.letters
    assert next(agent.updates(1)).step == 1
