"""Small nets of transformers, a Llama and a GPT-2, and prompts for them."""

import torch
import transformers

from rlkit.policies import hf

V, EOS = 29, 5
PROMPTS = [[1, 2, 3], [4], [6, 7, 8, 9, 10, 11, 1, 2], [9, 9]]


def llama():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.LlamaConfig(vocab_size=V, num_key_value_heads=2, initializer_range=0.3, **shape)
    return hf.Transformer(transformers.LlamaForCausalLM(config))


def gpt2():
    torch.manual_seed(0)
    shape = {"n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.3}
    return hf.Transformer(transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=V, **shape)))
