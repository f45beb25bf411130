"""The HTML page: self-contained, escaped, in order, and clear about what cannot be shown."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from rlkit.report.files import save_picture, save_result
from rlkit.report.page import report

VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that every tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert not reader.open
    return reader


def picture(path, height=4, width=4):
    return save_picture(np.full((height, width, 3), 200, np.uint8), path)


def test_everything_is_inside(tmp_path):
    png = picture(tmp_path / "a.png")
    save_result({"title": "A", "caption": "https://example.org is only text"}, tmp_path / "a.json")
    page = report(tmp_path)
    assert page == tmp_path / "report.html"
    reader = read(page)
    assert all(link.startswith(("data:", "#")) for link in reader.links)
    assert "script" not in reader.tags
    assert not re.search(r"@import|url\(|https?://(?!example)", page.read_text(encoding="utf-8"))
    (source,) = [link for link in reader.links if link.startswith("data:image/png")]
    assert base64.b64decode(source.split(",")[1]) == png.read_bytes()


def test_light_and_dark_wide_and_narrow(tmp_path):
    picture(tmp_path / "a.png")
    text = report(tmp_path).read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in text
    assert 'name="viewport"' in text


def test_all_text_is_escaped(tmp_path):
    evil = '<script>alert("x")</script>&'
    save_result(
        {
            "title": evil,
            "caption": evil,
            "group": evil,
            "table": [{evil: evil}],
            "scalars": {evil: evil, "nested": {evil: [evil]}},
            evil: evil,
        },
        tmp_path / "a.json",
    )
    picture(tmp_path / "a.png")
    reader = read(report(tmp_path, title=evil))
    assert "script" not in reader.tags
    assert reader.words.count(evil) >= 7


def test_titles_captions_tables_and_numbers_are_shown(tmp_path):
    save_result(
        {
            "title": "Book",
            "caption": "figure 3.4",
            "table": [{"planner": "vi", "sweeps": 12345}, {"planner": "pi", "bound": 1e-9}],
            "scalars": {"gamma": 0.9},
            "value": list(range(100)),
            "optimal": True,
        },
        tmp_path / "a.json",
    )
    words = read(report(tmp_path)).words
    for shown in (
        "Book",
        "figure 3.4",
        "planner",
        "vi",
        "12\u202f345",
        "1e−09",
        "–",
        "gamma",
        "0.9",
        "100 values",
        "yes",
    ):
        assert shown in words


def test_a_table_given_as_columns_and_rows(tmp_path):
    save_result({"table": {"columns": ["k", "v"], "rows": [[0, 1.5], [1, -2.0]]}}, tmp_path / "a.json")
    reader = read(report(tmp_path))
    assert reader.tags.count("tr") == 3
    assert "−2" in reader.words


def test_groups_and_order(tmp_path):
    (tmp_path / "later").mkdir()
    save_result({"title": "third", "order": 2, "group": "G1"}, tmp_path / "a.json")
    save_result({"title": "second", "order": 1, "group": "G2"}, tmp_path / "b.json")
    save_result({"title": "first", "order": 0, "group": "G1"}, tmp_path / "c.json")
    picture(tmp_path / "later" / "loose_picture.png")
    words = read(report(tmp_path)).words
    places = [words.index(word) for word in ("first", "third", "second", "loose picture")]
    assert places == sorted(places)
    headings = [word for word in words if word in {"G1", "G2", "later"}]
    assert headings == ["G1", "G2", "later"] * 2  # once in the links, once as headings


def test_pictures_alone_and_results_alone(tmp_path):
    picture(tmp_path / "only_picture.png")
    save_result({"scalars": {"x": 1}}, tmp_path / "only-words.json")
    reader = read(report(tmp_path))
    assert {"only picture", "only words"} <= set(reader.words)
    assert reader.tags.count("img") == 1


def test_wide_pictures_take_the_whole_row(tmp_path):
    picture(tmp_path / "a.png", 10, 40)
    picture(tmp_path / "b.png", 10, 10)
    assert report(tmp_path).read_text(encoding="utf-8").count("<article class=wide>") == 1


def test_a_second_report_replaces_the_first(tmp_path):
    picture(tmp_path / "a.png")
    first = report(tmp_path).read_bytes()
    assert report(tmp_path).read_bytes() == first


def test_hidden_files_are_left_out(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / ".b.png.part").write_bytes(b"half")
    (tmp_path / ".hidden.json").write_text("{")
    assert read(report(tmp_path)).tags.count("article") == 1


def test_nothing_to_show(tmp_path):
    with pytest.raises(ValueError, match="nothing to show"):
        report(tmp_path)
    with pytest.raises(ValueError, match="is not a directory"):
        report(tmp_path / "missing")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.json", "{", "a.json is not JSON"),
        ("a.json", json.dumps([1]), "a.json holds a list"),
        ("a.json", json.dumps({"table": [1]}), "a.json: its table"),
        ("a.json", json.dumps({"table": "x"}), "a.json: its table"),
        ("a.png", "no picture", "a.png is not a PNG"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, complaint):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=complaint):
        report(tmp_path)
