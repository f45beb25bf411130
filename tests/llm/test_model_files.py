"""What a run of a language model leaves behind: a model that transformers loads, and a state from which it goes on to the last bit."""

import json

import numpy as np
import pytest
import tokenizers
import torch
import transformers

import rlkit
from rlkit.cli import main
from rlkit.policies import hf
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.llama_files import save as save_llama
from rlkit.policies.tiny_lm import tiny
from rlkit.run.checkpoint import read, save
from rlkit.run.directory import read_run
from rlkit.sample import tasks
from rlkit.sample.language import Language

IDS = torch.tensor([[2, 3, 4, 2, 2, 3]])


def tokenizer():
    vocabulary = {"<end>": 0, "<user>": 1, "a": 2, "b": 3, "=": 4, "?": 5}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, "?"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    made.decoder = tokenizers.decoders.Fuse()
    made.add_special_tokens(["<end>", "<user>"])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<end>",  # noqa: S106 - no password
        pad_token="<end>",  # noqa: S106
        unk_token="?",  # noqa: S106
        chat_template="{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}",
    )


def own(folder):
    save_llama(tiny(6, np.random.default_rng(0), width=16, heads=2, context=32), folder, {"eos_token_id": 0})
    return hf.load(folder)


def gpt2(folder):
    torch.manual_seed(0)
    shape = {"n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0}
    transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=6, **shape)).save_pretrained(folder)
    return hf.load(folder)


def adapted(folder):
    own(folder)
    torch.manual_seed(1)
    return hf.lora(hf.load(folder, own=False), rank=2)


def agent(made, folder, **config):
    model = made(folder)
    tokenizer().save_pretrained(folder)
    language = Language(LanguagePolicy(model), hf.load_tokens(folder), tasks.make("copying", letters="ab", longest=1))
    settings = {"envs": 16, "group": 8, "max_steps": 3, "epochs": 1, "lr": 1e-2, "report": 1, "threads": 1, **config}
    return rlkit.make("grpo", language, seed=0, **settings)


def trained(one, steps=100):
    return [report.scalars for report in one.updates(steps)]


@pytest.mark.parametrize("made", [own, gpt2], ids=lambda made: made.__name__)
def test_transformers_loads_the_model_and_the_tokenizer_of_a_checkpoint(made, tmp_path):
    one = agent(made, tmp_path / "base")
    before = one.policy.model.logits(one.policy.model.hidden(IDS)).detach()
    trained(one)
    save(one, tmp_path / "run" / "checkpoint.npz")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model")
    with torch.no_grad():
        expected = one.policy.model.logits(one.policy.model.hidden(IDS))
        torch.testing.assert_close(theirs(input_ids=IDS).logits, expected, rtol=0, atol=1e-5)
    assert (expected - before).abs().max() > 0.05
    read_again = transformers.AutoTokenizer.from_pretrained(tmp_path / "run" / "model")
    assert read_again.encode("ab=") == [2, 3, 4]
    assert read_again.chat_template == tokenizer().chat_template
    assert (theirs.config.eos_token_id, read_again.eos_token) == (0, "<end>")
    again = hf.load(tmp_path / "run" / "model")  # a later stage may begin with it
    assert torch.equal(again.logits(again.hidden(IDS)), one.policy.model.logits(one.policy.model.hidden(IDS)))


@pytest.mark.parametrize("made", [own, gpt2, adapted], ids=lambda made: made.__name__)
def test_a_run_goes_on_to_the_last_bit_from_these_files(made, tmp_path):
    whole, half = agent(made, tmp_path / "a", kl=0.01), agent(made, tmp_path / "b", kl=0.01)
    reports = trained(whole, 200)
    first = trained(half)
    save(half, tmp_path / "checkpoint.npz")
    other = agent(made, tmp_path / "c", kl=0.01)
    for weight in other.policy.parameters():
        weight.data += 1.0 * weight.requires_grad
    rlkit.load(other, tmp_path / "checkpoint.npz")
    assert first + trained(other) == reports
    for p, q in zip(other.policy.parameters(), whole.policy.parameters(), strict=True):
        assert torch.equal(p, q)


def test_adapters_alone_are_written(tmp_path):
    one = agent(adapted, tmp_path / "base")
    trained(one)
    save(one, tmp_path / "checkpoint.npz")
    files = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= files
    assert "model.safetensors" not in files
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        expected = one.policy.model.logits(one.policy.model.hidden(IDS))
        torch.testing.assert_close(theirs(input_ids=IDS).logits, expected, rtol=0, atol=1e-5)


def test_nothing_is_copied_or_written_twice(tmp_path):
    one = agent(own, tmp_path / "base", kl=0.01)
    assert set(one.views()["optimizer"]) == {"count"}  # nothing is known before the first update
    trained(one)
    seen = one.views()
    assert np.shares_memory(seen["optimizer"]["mean"], one.optimizer.mean.numpy())
    assert all(
        np.shares_memory(x, one.reference.model.state_dict()[name].numpy()) for name, x in seen["reference"].items()
    )
    taken = one.state_dict()
    assert not np.shares_memory(taken["optimizer"]["mean"], one.optimizer.mean.numpy())
    save(one, tmp_path / "checkpoint.npz")
    with np.load(tmp_path / "checkpoint.npz") as content:
        assert not [name for name in content.files if name.startswith("state.policy")]


def test_a_model_in_bfloat16_comes_back(tmp_path):
    def half(folder):
        return own(folder).bfloat16()

    one, other = agent(half, tmp_path / "a"), agent(half, tmp_path / "b")
    trained(one)
    save(one, tmp_path / "checkpoint.npz")
    assert json.loads((tmp_path / "model" / "config.json").read_text())["dtype"] == "bfloat16"
    rlkit.load(other, tmp_path / "checkpoint.npz")
    assert torch.equal(other.optimizer.flat, one.optimizer.flat)
    assert torch.equal(other.optimizer.mean, one.optimizer.mean)
    assert trained(other) == trained(one)


def test_another_model_s_files_are_refused(tmp_path):
    one = agent(own, tmp_path / "a")
    save(one, tmp_path / "checkpoint.npz")
    wider = tiny(6, np.random.default_rng(0), width=32, heads=2, context=32)
    language = Language(LanguagePolicy(wider), hf.load_tokens(tmp_path / "a"), one.sampler.language.task)
    other = rlkit.make("grpo", language, envs=16, group=8, max_steps=3, seed=0)
    with pytest.raises(ValueError, match=r"model.embed_tokens.weight has shape \[6, 16\] in .*model"):
        other.load_state_dict(read(tmp_path / "checkpoint.npz").state)


def test_train_leaves_a_model_and_goes_on_with_a_new_one_from_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own(tmp_path / "base")
    tokenizer().save_pretrained(tmp_path / "base")
    task = ["--task", "copying", "--arg", "letters=ab", "--arg", "longest=1", "--no-show", "--threads", "1"]
    few = ["--max-steps", "3", "--envs", "16", "--steps", "60"]
    assert main(["train", "grpo", *task, *few, "--model", "./base", "--out", "one"]) == 0
    assert main(["train", "grpo", *task, *few, "--model", "one/model", "--out", "two"]) == 0
    assert "model/" in capsys.readouterr().out
    assert read_run("two").model == "one/model"
    theirs = transformers.AutoModelForCausalLM.from_pretrained("two/model")
    found = read("two/checkpoint.npz").state["policy"]
    assert torch.equal(
        theirs.state_dict()["model.embed_tokens.weight"], torch.from_numpy(found["model.embed_tokens.weight"])
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [["--generator", "hf"], ["--arg", "lora=2", "--generator", "hf"], ["--arg", "dtype=auto"]]
)
def test_generator_adapters_and_type_are_chosen_on_the_command_line_and_stay(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own(tmp_path / "base")
    tokenizer().save_pretrained(tmp_path / "base")
    task = ["--task", "copying", "--arg", "letters=ab", "--arg", "longest=1", "--no-show", "--threads", "1"]
    few = ["--max-steps", "3", "--envs", "16", "--model", "./base", "--report", "1", *words]
    assert main(["train", "grpo", *task, *few, "--steps", "100", "--out", "whole"]) == 0
    assert main(["train", "grpo", *task, *few, "--steps", "50", "--out", "half"]) == 0
    assert main(["train", "--resume", "half", "--steps", "100", "--no-show"]) == 0
    one, other = (read(f"{name}/checkpoint.npz").state["policy"] for name in ("whole", "half"))
    assert all((one[name] == other[name]).all() for name in one)
    assert ("lora=2" in words) == (tmp_path / "half" / "model" / "adapter_config.json").is_file()
