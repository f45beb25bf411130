"""Models of transformers as policies: GPT-2, which has absolute positions, Llama, adapters; tokenizers; and what is refused."""

import warnings

import numpy as np
import pytest
import tokenizers
import torch
import transformers

from rlkit.policies import hf
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.llama import Llama
from rlkit.policies.llama_files import save
from rlkit.policies.tiny_lm import tiny
from tests.policies.token_rows import random_rows, trajectories

V, EOS = 29, 5


def gpt2(folder):
    torch.manual_seed(0)
    shape = {"n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.3}
    config = transformers.GPT2Config(vocab_size=V, bos_token_id=EOS, eos_token_id=EOS, **shape)
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return hf.load(folder)


def llama(folder):
    save(tiny(V, np.random.default_rng(0), scale=8.0), folder, {"eos_token_id": EOS})
    return hf.load(folder, own=False)


@pytest.fixture(scope="module", params=[gpt2, llama], ids=["gpt2", "llama"])
def model(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("model"))


def plain(model, traj):
    """Each row alone through transformers' own forward, nothing given but its tokens."""
    expected = torch.zeros(traj.mask.shape)
    for b, mask in enumerate(traj.mask):
        size = int(mask.nonzero().max()) + 1
        with torch.no_grad():
            logs = model.net(input_ids=traj.obs[b : b + 1, :size]).logits.log_softmax(-1)[0]
        expected[b, :size] = logs.gather(1, traj.actions[b, :size, None])[:, 0]
    return torch.where(traj.mask, expected, 0)


@pytest.mark.parametrize("padding", [0, EOS])
def test_it_says_what_transformers_says_of_each_row_alone(model, padding):
    drawn = random_rows(np.random.default_rng(1), V, turns=2)
    traj = trajectories(drawn, width=40, padding=padding)
    found = LanguagePolicy(model).evaluate(traj).logprobs
    assert found.min() < -4.0
    torch.testing.assert_close(found, plain(model, traj), rtol=0, atol=5e-6)


def test_what_it_writes_evaluate_confirms_and_dropout_stays_off(model):
    policy, prompts = LanguagePolicy(model), [[1, 2, 3], [4], [6, 7, 8, 9, 10, 11]]
    found = policy.sample(prompts, 4, 12, EOS, torch.Generator().manual_seed(0))
    again = policy.sample(prompts, 4, 12, EOS, torch.Generator().manual_seed(0))
    assert [one.ids for one in found] == [one.ids for one in again]
    assert len({len(one.ids) for one in found}) > 1
    rows = [
        (i // 4, prompts[i // 4] + one.ids, [False] * len(prompts[i // 4]) + [True] * len(one.ids))
        for i, one in enumerate(found)
    ]
    traj = trajectories(rows)
    model.train()
    logprobs = policy.evaluate(traj).logprobs
    expected = torch.tensor([x for one in found for x in one.logprobs])
    torch.testing.assert_close(logprobs[traj.mask].detach(), expected, rtol=0, atol=1e-5)


def test_rlkits_llama_and_transformers_write_the_same(tmp_path):
    theirs, ours = llama(tmp_path), hf.load(tmp_path)
    assert isinstance(ours, Llama)
    assert isinstance(theirs, hf.Transformer)
    first, second = (
        LanguagePolicy(one).generate([[1, 2, 3], [4]], 5, 9, EOS, torch.Generator().manual_seed(0))
        for one in (theirs, ours)
    )
    assert [ids for ids, _ in first] == [ids for ids, _ in second]


def test_adapters_learn_alone_and_begin_as_nothing(tmp_path):
    traj = trajectories(random_rows(np.random.default_rng(1), V))
    base = llama(tmp_path)
    before = LanguagePolicy(base).evaluate(traj).logprobs.detach()
    policy = LanguagePolicy(hf.lora(base, rank=2))
    learning = [p for p in policy.parameters() if p.requires_grad]
    assert sum(p.numel() for p in learning) < sum(p.numel() for p in policy.parameters()) / 5
    logprobs = policy.evaluate(traj).logprobs
    torch.testing.assert_close(logprobs.detach(), before)
    logprobs.sum().backward()
    torch.optim.SGD(learning, 0.1).step()
    assert (policy.evaluate(traj).logprobs - before).abs().max() > 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft looks for the base model where there is no network
        policy.model.save(tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    with pytest.raises(ValueError, match="peft does not know Llama"):
        hf.lora(tiny(V, np.random.default_rng(0)))


class Softcapped(transformers.GPT2LMHeadModel):
    """A model that changes its logits after the head."""

    def forward(self, *args, **kwargs):
        found = super().forward(*args, **kwargs)
        found.logits = 0.5 * torch.tanh(found.logits)
        return found


def test_a_model_that_does_more_than_its_head_is_refused():
    config = transformers.GPT2Config(
        vocab_size=V, n_positions=64, n_embd=32, n_layer=1, n_head=4, initializer_range=0.3
    )
    with pytest.raises(ValueError, match="Softcapped does not heed masks and positions, or changes logits"):
        hf.Transformer(Softcapped(config))


def words(eos="<end>"):
    vocabulary = {"<end>": 0, "<user>": 1, "a": 2, "b": 3, "+": 4, "?": 5}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, "?"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    made.decoder = tokenizers.decoders.Fuse()
    made.add_special_tokens(["<end>", "<user>"])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token=eos, unk_token="?")  # noqa: S106 - no password


def test_a_tokenizer_and_its_chat_template(tmp_path):
    own = words()
    own.chat_template = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}+{% endif %}"
    own.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    tokens = hf.load_tokens(tmp_path)
    assert (tokens.eos, tokens.size) == (0, 6)
    assert tokens.encode("a+b<end>") == [2, 4, 3, 0]
    assert tokens.decode([2, 4, 3, 0]) == "a+b"
    text = tokens.chat([{"role": "user", "content": "ab"}])
    assert text == "<user>ab+"
    assert tokens.encode(text) == [1, 2, 3, 4]


def test_a_tokenizer_without_an_end_or_a_template_is_refused():
    with pytest.raises(ValueError, match="has no EOS token"):
        hf.Tokens(words(eos=None))
    with pytest.raises(ValueError, match="has no chat template"):
        hf.Tokens(words()).chat([])


def test_paths_that_are_no_models_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ValueError, match="is no model: it holds no config"):
        hf.load(tmp_path)
    with pytest.raises(ValueError, match="/nowhere/at/all is no folder with a model"):
        hf.load("/nowhere/at/all")
    with pytest.raises(ValueError, match="fetch it once with: rlkit get-model smollm2"):
        hf.load("smollm2")

    def offline(*_, **__):
        raise OSError("no such thing\nand no network")

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", offline)
    with pytest.raises(ValueError, match="nobody/nothing is no model that transformers finds"):
        hf.load("nobody/nothing")
    with pytest.raises(ValueError, match="dtype is 'int4'"):
        hf.load("smollm2x", "int4")
    save(tiny(V, np.random.default_rng(0)), tmp_path / "bare")
    with pytest.raises(ValueError, match="has no tokenizer"):
        hf.load_tokens(tmp_path / "bare")
