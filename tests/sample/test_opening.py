"""A run's folder stands for the model that it has taught, letters and all."""

import json
from dataclasses import replace

import pytest
import torch

import rlkit
from rlkit.run.directory import begin
from rlkit.sample.opening import PRINTABLE, open_corpus, open_model
from rlkit.sample.studies import Answer
from rlkit.sample.tokenizers import Letters, read_letters


@pytest.fixture
def run(tmp_path):
    """A run of SFT on a tiny model."""
    opened = open_corpus("tiny", "")
    corpus = replace(opened, data=[Answer("ab=", "ba")])
    agent = rlkit.make("sft", corpus, batch=1)
    list(agent.updates(2))
    begin(tmp_path / "run", agent, 2, {})
    return agent, tmp_path / "run"


def test_a_runs_folder_is_its_model(run):
    agent, folder = run
    ids = torch.tensor([[1, 2, 3, 4]])
    for name in (folder, folder / "model"):
        speech = open_model(str(name))
        assert isinstance(speech.tokenizer, Letters)
        assert speech.tokenizer.encode("ab=") == Letters(PRINTABLE).encode("ab=")
        assert torch.equal(speech.model.hidden(ids), agent.net.model.hidden(ids))


def test_letters_stand_beside_their_model(run):
    _, folder = run
    found = read_letters(folder / "model")
    assert found is not None
    assert json.loads((folder / "model" / "config.json").read_text())["eos_token_id"] == found.eos
    assert read_letters(folder) is None


def test_a_model_of_letters_takes_no_adapters(run):
    _, folder = run
    with pytest.raises(ValueError, match="reads letters"):
        open_model(str(folder), lora=4)
    with pytest.raises(ValueError, match="reads letters"):
        open_model("tiny", own=False)


def test_a_llama_may_compute_its_layers_again_and_no_other_model_may(tmp_path):
    assert open_model("tiny", checkpointing=True).model.checkpointing
    assert not open_model("tiny").model.checkpointing
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(vocab_size=96, n_positions=32, n_embd=8, n_layer=1, n_head=2)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<end>": 0, "a": 1}, unk_token="<end>"))  # noqa: S106 - no password
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>").save_pretrained(tmp_path)  # noqa: S106
    with pytest.raises(ValueError, match="rlkit's own Llama without adapters; budget=N bounds the memory"):
        open_model(str(tmp_path), checkpointing=True)
