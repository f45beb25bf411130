"""Writing and one gradient of SmolLM2: rlkit's Llama beside transformers' own on the same weights, interleaved.

    rlkit get-model smollm2
    python benchmarks/llm_policy.py [--threads 2] [--prompt 39] [--samples 8] [--tokens 16] [--rounds 3]

Processor seconds and wall seconds, the least of the rounds. The floor of writing: every step reads all weights once.
"""

import argparse
import json
import time

import numpy as np
import torch
import transformers

from rlkit.data import Trajectories
from rlkit.policies import hf
from rlkit.policies.language import LanguagePolicy

EOS = 2


def best(rounds, jobs):
    """Time jobs in turn; return the least wall and processor seconds of each."""
    found = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, job in jobs.items():
            wall, processor = time.perf_counter(), time.process_time()
            job()
            found[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {name: tuple(min(x) for x in zip(*times[1:], strict=True)) for name, times in found.items()}


def trajectories(prompts, answers, samples):
    """Rows of equal length."""
    rows = torch.tensor([prompts[i // samples] + answer for i, answer in enumerate(answers)])
    mask = torch.zeros(len(rows), rows.shape[1] - 1, dtype=torch.bool)
    mask[:, len(prompts[0]) - 1 :] = True
    zeros, never = torch.zeros(mask.shape), torch.zeros_like(mask)
    group = torch.arange(len(prompts)).repeat_interleave(samples)
    return Trajectories(rows[:, :-1], rows[:, 1:], rows[:, 1:], zeros, zeros, never, never, mask, group)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("threads", 2), ("prompts", 2), ("prompt", 39), ("samples", 8), ("tokens", 16), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    ask = parser.parse_args()
    torch.set_num_threads(ask.threads)
    own, theirs = hf.load("smollm2"), hf.load("smollm2", own=False).net
    policy = LanguagePolicy(own)
    rng = np.random.default_rng(0)
    prompts = rng.integers(100, 10_000, size=(ask.prompts, ask.prompt)).tolist()
    rows = torch.tensor(prompts).repeat_interleave(ask.samples, 0)
    answers = rng.integers(100, 10_000, size=(len(rows), ask.tokens)).tolist()
    traj = trajectories(prompts, answers, ask.samples)
    never = own.vocabulary  # no token ends a row: every one has the same work to do

    def write():
        policy.generate(prompts, ask.samples, ask.tokens, never, torch.Generator().manual_seed(0))

    def write_theirs(**kwargs):
        config = transformers.GenerationConfig(
            do_sample=True, top_k=0, top_p=1.0, max_new_tokens=ask.tokens, eos_token_id=None, pad_token_id=EOS, **kwargs
        )
        with torch.no_grad():
            theirs.generate(rows, attention_mask=torch.ones_like(rows), generation_config=config)

    def learn():
        loss = policy.evaluate(traj).logprobs.sum()
        torch.autograd.grad(loss, list(policy.parameters()))

    def learn_theirs():
        logits = theirs(traj.obs, logits_to_keep=ask.tokens, use_cache=False).logits
        loss = logits.log_softmax(-1).gather(2, traj.actions[:, -ask.tokens :, None]).sum()
        torch.autograd.grad(loss, list(theirs.parameters()))

    jobs = {"write": write, "write, transformers": write_theirs, "learn": learn, "learn, transformers": learn_theirs}
    for name, (wall, processor) in best(ask.rounds, jobs).items():
        print(json.dumps({"job": name, "wall": round(wall, 3), "processor": round(processor, 3), **vars(ask)}))
    weights = sum(p.numel() * p.element_size() for p in own.parameters())
    block = torch.ones(weights // 4)
    read = best(ask.rounds, {"read": block.sum})["read"][0]
    floor = {"reading the weights": round(read, 4), "of all steps": round(read * ask.tokens, 3), "bytes": weights}
    print(json.dumps({"floor of writing": floor}))


if __name__ == "__main__":
    main()
