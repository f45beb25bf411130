"""Llama: transformers' numbers, and files that go back and forth between the two."""

import numpy as np
import pytest
import torch
import transformers

from rlkit.policies.llama import Llama, LlamaConfig
from rlkit.policies.llama_files import load, save
from rlkit.policies.tiny_lm import tiny


def theirs(*, tied=True, head_dim=None, kv_heads=2, theta=5_000.0):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        head_dim=head_dim,
        max_position_embeddings=64,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_theta": theta, "rope_type": "default"},
        tie_word_embeddings=tied,
        initializer_range=0.3,
    )
    return transformers.LlamaForCausalLM(config).eval()


@pytest.mark.parametrize(
    "shape", [{}, {"tied": False}, {"head_dim": 6}, {"kv_heads": 4}, {"kv_heads": 1, "theta": 1e5}], ids=str
)
def test_logits_are_transformers_and_files_go_both_ways(tmp_path, shape):
    reference = theirs(**shape)
    reference.save_pretrained(tmp_path / "theirs")
    ours = load(tmp_path / "theirs")
    ids = torch.randint(50, (3, 20), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = reference(ids).logits
        torch.testing.assert_close(ours.logits(ours.hidden(ids)), expected, rtol=0, atol=1e-5)
    save(ours, tmp_path / "ours", {"eos_token_id": 7})
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours").eval()
    assert again.config.eos_token_id == 7
    with torch.no_grad():
        torch.testing.assert_close(again(ids).logits, expected, rtol=0, atol=1e-6)


def test_its_gradient_is_transformers(tmp_path):
    reference = theirs()
    reference.save_pretrained(tmp_path)
    ours = load(tmp_path)
    ids = torch.randint(50, (3, 20), generator=torch.Generator().manual_seed(1))
    reference(ids).logits.logsumexp(-1).sum().backward()
    ours.logits(ours.hidden(ids)).logsumexp(-1).sum().backward()
    torch.testing.assert_close(ours.embedding.grad, reference.model.embed_tokens.weight.grad, rtol=1e-4, atol=1e-4)
    q = reference.model.layers[1].self_attn.q_proj.weight.grad
    torch.testing.assert_close(ours.layers[1].qkv.grad[: len(q)], q, rtol=1e-4, atol=1e-4)


def test_weights_are_drawn_by_numpy_and_alike():
    first, second, other = (tiny(11, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.embedding, other.embedding)
    assert abs(float(first.layers[0].gate_up.detach().std()) - 0.02) < 0.002


def test_shapes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="heads is 4 and kv_heads 3"):
        LlamaConfig(9, 32, 1, 4, 3, 32, 16)
    with pytest.raises(ValueError, match="an even number"):
        LlamaConfig(9, 12, 1, 4, 4, 32, 16)
    with pytest.raises(ValueError, match="layers is 0"):
        LlamaConfig(9, 32, 0, 4, 4, 32, 16)


def test_what_is_no_llama_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"is no model: it holds no config\.json"):
        load(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match="of a 'gpt2' model"):
        load(tmp_path)
    save(Llama(LlamaConfig(9, 32, 1, 4, 4, 32, 16), np.random.default_rng(0)), tmp_path)
    text = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace('"vocab_size": 9', '"vocab_size": 10'))
    with pytest.raises(ValueError, match=r"embed_tokens.weight has shape \[9, 32\].*asks for \[10, 32\]"):
        load(tmp_path)
    (tmp_path / "config.json").write_text(text.replace('"rope_type": "default"', '"rope_type": "yarn"'))
    with pytest.raises(ValueError, match="'yarn'"):
        load(tmp_path)
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="holds no"):
        load(tmp_path)


def test_layers_that_are_computed_again_give_the_same_gradient_and_remember_less():
    nets = [tiny(11, np.random.default_rng(0), width=16, layers=3) for _ in range(2)]
    nets[1].checkpointing = True
    ids = torch.arange(10).view(2, 5)
    gradients, kept = [], []
    for net in nets:
        storages = {}

        def note(tensor, storages=storages):
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            loss = net.logits(net.hidden(ids)).logsumexp(-1).sum()
        gradients.append(torch.autograd.grad(loss, list(net.parameters())))
        kept.append(sum(storages.values()))
    for one, again in zip(*gradients, strict=True):
        assert torch.equal(one, again)
    assert kept[1] < 0.6 * kept[0]
