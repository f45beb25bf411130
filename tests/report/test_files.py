"""Writing pictures and results: whole files or none, and JSON that any reader takes."""

import json
from pathlib import Path
from unittest.mock import Mock

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from rlkit.report.files import save_picture, save_result, write_atomically


def test_pixels_come_back_as_they_were(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, 3)).astype(np.uint8)
    path = save_picture(pixels, tmp_path / "a.png")
    back = np.rint(matplotlib.image.imread(path) * 255).astype(np.uint8)
    assert np.array_equal(back[..., :3], pixels)


def test_a_figure_is_saved_at_its_own_size(tmp_path):
    path = save_picture(Figure(figsize=(3, 2), dpi=50), tmp_path / "new" / "a.png")
    assert matplotlib.image.imread(path).shape[:2] == (100, 150)


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    first, second = (save_picture(Figure(figsize=(2, 2)), tmp_path / name).read_bytes() for name in ("a.png", "b.png"))
    assert first == second


@pytest.mark.parametrize("pixels", [np.zeros((3, 3), np.uint8), np.zeros((3, 3, 3))])
def test_what_is_no_picture_is_refused(pixels, tmp_path):
    with pytest.raises(ValueError, match="a picture is uint8"):
        save_picture(pixels, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_result_is_plain_json(tmp_path):
    result = {
        "v": np.array([1.0, np.nan]),
        "n": np.int64(3),
        "x": np.float32(0.5),
        "flag": np.bool_(True),
        "bad": float("inf"),
        "where": Path("a/b"),
        "rows": ({"k": (1, 2)},),
        "γ": None,
    }
    path = save_result(result, tmp_path / "a.json")
    assert json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail) == {
        "v": [1.0, None],
        "n": 3,
        "x": 0.5,
        "flag": True,
        "bad": None,
        "where": "a/b",
        "rows": [{"k": [1, 2]}],
        "γ": None,
    }


def test_a_file_is_replaced_in_one_move(tmp_path, monkeypatch):
    target = write_atomically(tmp_path / "a.txt", b"old")
    seen = []
    move = Path.replace

    def watched(self, other):
        seen.append((self.read_bytes(), Path(other).read_bytes(), self.parent == Path(other).parent))
        return move(self, other)

    monkeypatch.setattr(Path, "replace", watched)
    write_atomically(target, b"new")
    assert seen == [(b"new", b"old", True)]  # complete before the move, the old one in place until then
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = write_atomically(tmp_path / "a.txt", b"old")

    monkeypatch.setattr(Path, "replace", Mock(side_effect=OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_others_may_read_what_the_umask_allows(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    assert write_atomically(tmp_path / "a", b"").stat().st_mode == plain.stat().st_mode
