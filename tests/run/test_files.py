"""Files that are replaced: the old content or the new, whatever happens in between."""

import signal
import subprocess
import sys

import pytest

from rlkit.run.files import replacing


def test_a_file_is_written_and_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "deep" / "a.bin"
    for content in (b"old", b"new"):
        with replacing(path) as file:
            file.write(content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(TypeError, match="bytes"), replacing(path) as file:
        file.writelines([b"ne", "w"])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    script = (
        "import os, signal, sys\n"
        "from rlkit.run.files import replacing\n"
        "with replacing(sys.argv[1]) as file:\n"
        "    file.write(b'ne'); file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    dead = subprocess.run([sys.executable, "-c", script, str(path)], check=False)  # noqa: S603 - our own interpreter
    assert dead.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
