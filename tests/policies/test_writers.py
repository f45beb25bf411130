"""Other engines that write: the log-probabilities of what they drew are the trainer's, and nothing but what was asked for is done to logits."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import rlkit
from rlkit.cli import main
from rlkit.policies import hf
from rlkit.policies.language import LanguagePolicy
from rlkit.policies.llama_files import fill
from rlkit.policies.tiny_lm import tiny
from rlkit.policies.writers import writer
from rlkit.run.directory import read_run
from rlkit.run.log import read_log
from rlkit.sample import tasks
from rlkit.sample.language import Language
from rlkit.sample.tokenizers import Letters
from tests.policies.hf_nets import EOS, PROMPTS, V, gpt2, llama
from tests.policies.token_rows import trajectories


def adapted():
    found = hf.lora(llama(), rank=2)
    for name, weight in found.net.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return found


def write(policy, seed=0, samples=5, limit=8):
    return policy.sample(PROMPTS, samples, limit, EOS, torch.Generator().manual_seed(seed))


def rows_of(found):
    each = len(found) // len(PROMPTS)
    return [
        (i // each, PROMPTS[i // each] + one.ids, [False] * len(PROMPTS[i // each]) + [True] * len(one.ids))
        for i, one in enumerate(found)
    ]


CASES = [
    ("hf", gpt2, {}),
    ("hf", llama, {"temperature": 0.8, "top_k": 12, "top_p": 0.9}),
    *(
        pytest.param(*case, marks=pytest.mark.slow)
        for case in (
            ("hf", llama, {}),
            ("hf", gpt2, {"temperature": 0.7}),
            ("hf", adapted, {}),
            ("hf-continuous", llama, {}),
            ("hf-continuous", llama, {"temperature": 0.7, "top_k": 9}),
        )
    ),
]


@pytest.mark.parametrize(("name", "made", "transform"), CASES, ids=lambda part: getattr(part, "__name__", str(part)))
def test_log_probabilities_are_the_trainer_s(name, made, transform):
    model = made()
    # what a model's own file would do to its logits, unasked: none of it may happen
    traps = {"repetition_penalty": 5.0, "min_new_tokens": 6, "suppress_tokens": [1, 2], "no_repeat_ngram_size": 1}
    for key, value in traps.items():
        setattr(hf.hf_files.base(model.net).generation_config, key, value)
    policy = LanguagePolicy(model, **transform, writer=writer(name))
    found = write(policy)
    assert [one.ids for one in found] == [one.ids for one in write(policy)]
    assert [one.ids for one in found] != [one.ids for one in write(policy, seed=1)]
    assert len(found) == 20
    lengths = [len(one.ids) for one in found]
    assert min(lengths) < 6
    assert all(EOS not in one.ids[:-1] and (len(one.ids) == 8 or one.ids[-1] == EOS) for one in found)
    assert {1, 2} & {token for one in found for token in one.ids}
    traj = trajectories(rows_of(found))
    drawn = torch.tensor([x for one in found for x in one.logprobs])
    with torch.no_grad():
        again = policy.evaluate(traj).logprobs[traj.mask]
    torch.testing.assert_close(again, drawn, rtol=0, atol=1e-5)
    if "top_k" in transform:
        kept = [one.allowed for one in found]
        assert all(sets.shape == (len(one.ids), V) for sets, one in zip(kept, found, strict=True))
        assert all(sets[range(len(one.ids)), one.ids].all() for sets, one in zip(kept, found, strict=True))
        assert max(int(sets.sum(1).max()) for sets in kept) <= transform["top_k"]
    assert hf.hf_files.base(model.net).generation_config.repetition_penalty == 5.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hf", "hf-continuous"])
def test_tokens_come_as_often_as_they_should(name):
    policy = LanguagePolicy(llama(), writer=writer(name))
    count = 3_000 if name == "hf" else 600
    found = policy.sample([[1, 2]], count, 1, EOS, torch.Generator().manual_seed(0))
    with torch.no_grad():
        p = policy.model.logits(policy.model.hidden(torch.tensor([[1, 2]])))[0, -1].softmax(-1)
    share = torch.bincount(torch.tensor([one.ids[0] for one in found]), minlength=V) / count
    assert ((share - p).abs() < 4.5 * (p * (1 - p) / count).sqrt() + 1e-9).all()


def test_torch_s_own_random_numbers_are_left_alone():
    policy = LanguagePolicy(gpt2(), writer=writer("hf"))
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    write(policy)
    assert torch.rand(1) == expected


def test_what_cannot_write_is_refused(capsys):
    own = tiny(V, np.random.default_rng(0))
    for name in ("hf", "hf-continuous"):
        with pytest.raises(ValueError, match="writes with models of transformers, not with Llama: load the model with"):
            write(LanguagePolicy(own, writer=writer(name)))
    with pytest.raises(ValueError, match="generator is 'sglang'; choose one of 'own', 'hf', 'hf-continuous', 'vllm'"):
        writer("sglang")
    with pytest.raises(ValueError, match="prompt 0 has 60 tokens, and 8 may follow; the model's context is 64"):
        LanguagePolicy(gpt2(), writer=writer("hf")).sample([[1] * 60], 1, 8, EOS, torch.Generator())
    if "vllm" not in sys.modules:
        with pytest.raises(ValueError, match="needs vLLM, not installed here: pip install vllm"):
            writer("vllm")
        assert main("train grpo --task addition --model tiny --generator vllm".split()) == 2  # noqa: SIM905
        assert "pip install vllm" in " ".join(capsys.readouterr().err.split())


class Engine:
    """Stands in for vLLM: it loads the folder that it is given, and draws with noise on the logits, as other kernels would."""

    def __init__(self, model, **settings):
        self.folder, self.settings, self.calls = model, settings, []
        self.net = tiny(LETTERS.size, np.random.default_rng(1), width=16, layers=1, heads=2, kv_heads=1)
        fill(self.net, hf.Path(model))
        ENGINES.append(self)

    def generate(self, prompts, asked, *, use_tqdm):
        assert not use_tqdm
        self.calls.append((prompts, asked))
        policy = LanguagePolicy(self.net, asked.temperature * 1.05)
        ids = [prompt["prompt_token_ids"] for prompt in prompts]
        stop = asked.stop_token_ids[0]
        found = policy.sample(ids, asked.n, asked.max_tokens, stop, torch.Generator().manual_seed(asked.seed))
        outputs = [
            SimpleNamespace(
                token_ids=one.ids,
                logprobs=[{i: SimpleNamespace(logprob=x)} for i, x in zip(one.ids, one.logprobs, strict=True)],
            )
            for one in found
        ]
        return [SimpleNamespace(outputs=outputs[i * asked.n : (i + 1) * asked.n]) for i in range(len(prompts))]

    def collective_rpc(self, name):
        assert name == "reload_weights"
        fill(self.net, hf.Path(self.folder))

    def reset_prefix_cache(self):
        self.calls.append("reset")


LETTERS, ENGINES = Letters("0123456789+="), []


@pytest.fixture
def _vllm(monkeypatch):
    ENGINES.clear()
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace(LLM=Engine, SamplingParams=SimpleNamespace))


@pytest.mark.usefixtures("_vllm")
def test_vllm_s_log_probabilities_are_its_own_and_are_corrected_for():
    model = tiny(LETTERS.size, np.random.default_rng(0), width=16, layers=1, heads=2, kv_heads=1, scale=6.0)
    policy = LanguagePolicy(model, writer=writer("vllm"))
    language = Language(policy, LETTERS, tasks.make("addition"))
    settings = {"envs": 16, "group": 4, "max_steps": 4, "epochs": 1, "lr": 1e-2, "report": 1, "threads": 1}
    with pytest.raises(
        ValueError, match="are not the trainer's; take grpo with recompute=True, and correction='token-tis'"
    ):
        rlkit.make("grpo", language, **settings)
    agent = rlkit.make("grpo", language, **settings, kl=0.1, recompute=True, correction="token-tis", seed=0)
    reports = [report.scalars for report in agent.updates(200)]
    assert all(report["kl_sampler"] > 1e-6 for report in reports)
    assert all(report["weight"] <= report["weight_raw"] + 1e-6 for report in reports)
    (engine,) = ENGINES  # one, though the policy was copied as a reference
    assert engine.settings["logprobs_mode"] == "processed_logprobs"
    assert engine.calls.count("reset") >= len(reports) - 2
    (prompts, asked) = engine.calls[0]
    assert (asked.n, asked.top_k, asked.logprobs, asked.stop_token_ids) == (4, -1, 0, [LETTERS.eos])
    assert len(prompts) == 4
    policy.sample([[1]], 1, 1, LETTERS.eos, torch.Generator())
    for own, theirs in zip(model.parameters(), engine.net.parameters(), strict=True):
        assert torch.equal(own, theirs)  # the weights are those of now


@pytest.mark.usefixtures("_vllm")
def test_on_the_command_line_the_correction_is_on_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(Engine, "__init__", mirror)
    words = "train grpo --task addition --model tiny --generator vllm --max-steps 3 --envs 8 --steps 60 --threads 1 --no-show"
    assert main([*words.split(), "--report", "1", "--out", str(tmp_path / "run")]) == 0
    config = read_run(tmp_path / "run").config
    assert (config["recompute"], config["correction"]) == (True, "token-tis")
    assert all(line.report.scalars["kl_sampler"] > 0.0 for line in read_log(tmp_path / "run"))


def mirror(self, model, **settings):
    """Make the stand-in for whatever Llama lies in the folder."""
    self.folder, self.settings, self.calls, self.net = model, settings, [], hf.load(model)
