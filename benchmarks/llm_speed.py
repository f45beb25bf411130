"""Training steps of language models beside TRL: the same weights, the same work, fresh processes in turn, float32.

    rlkit get-model smollm2
    python benchmarks/llm_speed.py [--only grpo grpo-long grpo-tiny sft ...] [--shared]

TRL's bf16 and gradient checkpointing are off, and no answer may end before its limit on either side. The first step of a process makes
ready and is not counted. Refuses to time a machine whose load exceeds the threads; --shared measures all the same, and says so: then
seconds of the processor are what two sides can be compared by.
"""

import argparse
import importlib.metadata
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from zlib import crc32

BEGIN = time.perf_counter()
HERE = Path(__file__).parent
ROWS = {  # agent, model, rows of a step, tokens of a prompt, samples, tokens of an answer, least ratio asked for
    "grpo": ("grpo", "smollm2", 16, 39, 8, 16, 2.5),
    "grpo-long": ("grpo", "smollm2", 32, 200, 16, 32, 4.0),
    "grpo-tiny": ("grpo", "tiny", 64, 12, 8, 32, 1.7),
    "sft": ("sft", "smollm2", 4, 32, 1, 96, 1.35),
    "dpo": ("dpo", "smollm2", 2, 32, 1, 96, 1.8),
    "dpo-precomputed": ("dpo", "smollm2", 2, 32, 1, 96, 1.0),
    "reward_model": ("reward_model", "smollm2", 2, 32, 1, 96, 1.35),
    "sft-tiny": ("sft", "tiny", 64, 16, 1, 48, 1.35),
    "dpo-tiny": ("dpo", "tiny", 32, 16, 1, 48, 1.8),
    "reward_model-tiny": ("reward_model", "tiny", 32, 16, 1, 48, 1.35),
}


def reward(text: str) -> float:
    """A reward that differs between answers, so that every group teaches."""
    return crc32(text.encode()) % 1000 / 1000


def asked(name: str, threads: int, steps: int, folder: str) -> dict:
    """What both sides are to do, with texts whose tokens are counted."""
    from rlkit.policies.hf import load_tokens
    from rlkit.policies.known import find

    agent, model, batch, prompt, samples, tokens, _ = ROWS[name]
    place = find(model) if model == "smollm2" else tiny(Path(folder) / "tiny")
    encode = load_tokens(place).encode
    texts = [
        text(encode, model, n, size) for n, size in ((n, tokens if n % 3 else prompt) for n in range(3 * 8 * batch))
    ]
    items = [texts[3 * i : 3 * i + 3] for i in range(8 * batch)]
    if agent == "grpo":
        data = [{"prompt": one[0]} for one in items]
    elif agent == "sft":
        data = [{"prompt": one[0], "completion": one[1]} for one in items]
    else:
        data = [{"prompt": one[0], "chosen": one[1], "rejected": one[2]} for one in items]
    work = {"agent": agent, "model": str(place), "batch": batch, "samples": samples, "tokens": tokens, "data": data}
    return work | {"threads": threads, "steps": steps, "folder": folder, "precompute": name.endswith("precomputed")}


def text(encode, model: str, number: int, size: int) -> str:
    """A text of that many tokens, another one for each number."""
    words = ("sun", "tree", "water", "stone", "river", "house", "night", "light", "road", "hand")
    rng = number * 7919 + 1
    found = "" if model == "smollm2" else f"t{number % 97}"
    while len(encode(found)) < size:
        rng = (rng * 1103515245 + 12345) % 2**31
        found += f" {words[rng // 65536 % 10]}" if model == "smollm2" else f" t{rng // 65536 % 97}"
    return found


def tiny(folder: Path) -> Path:
    """Write a Llama of 4 layers of 128 with 128 tokens, and a tokenizer that knows them as t0 .. t127."""
    import numpy as np
    import tokenizers
    import transformers

    from rlkit.policies.llama_files import save
    from rlkit.policies.tiny_lm import tiny as build

    if not folder.is_dir():
        net = build(128, np.random.default_rng(0), width=128, layers=4, kv_heads=4, context=256)
        save(net, folder, {"eos_token_id": 127, "pad_token_id": 127})
        known = {f"t{i}": i for i in range(127)} | {"<end>": 127}
        words = tokenizers.Tokenizer(tokenizers.models.WordLevel(known, unk_token="t0"))  # noqa: S106 - no password
        words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
        made = transformers.PreTrainedTokenizerFast(
            tokenizer_object=words, **dict.fromkeys(("eos_token", "pad_token"), "<end>")
        )
        made.save_pretrained(folder)
    return folder


def ours(ask: dict) -> None:
    """Do the work with rlkit, in this process."""
    import numpy as np
    import torch

    import rlkit
    from rlkit.policies.generate import generate
    from rlkit.policies.hf import load_tokens
    from rlkit.policies.language import LanguagePolicy
    from rlkit.policies.llama_files import load
    from rlkit.sample.corpus import Corpus
    from rlkit.sample.language import Language
    from rlkit.sample.studies import Answer, Pair
    from rlkit.sample.text.problem import Question

    torch.set_num_threads(ask["threads"])
    policy, tokenizer = LanguagePolicy(load(Path(ask["model"]))), load_tokens(ask["model"])
    common = {"lr": 1e-6, "threads": ask["threads"], "report": 1}
    if ask["agent"] == "grpo":

        class Prompts:
            """The prompts, drawn at random."""

            def start(self, rng: np.random.Generator) -> Question:
                return Question(ask["data"][rng.integers(len(ask["data"]))]["prompt"], None, reward)

        def endless(prompts, samples, limit, _, generator):
            return generate(policy.model, prompts, samples, limit, -1, generator, policy.transform)

        policy.sample = endless
        config = {"envs": ask["batch"], "batch": ask["batch"], "group": ask["samples"], "max_steps": ask["tokens"]}
        world = Language(policy, tokenizer, Prompts())
        agent = rlkit.make("grpo", world, **common, **config, epochs=1, how="token", advantage="sample")
        steps = (ask["steps"] + 1) * ask["batch"] * ask["tokens"]
    else:
        kind = Answer if ask["agent"] == "sft" else Pair
        items = [kind(*one.values()) for one in ask["data"]]
        agent = rlkit.make(ask["agent"], Corpus(policy, tokenizer, items), **common, batch=ask["batch"])
        steps = ask["steps"] + 1
    setup = time.perf_counter() - BEGIN
    marks = []
    for _ in agent.updates(steps):
        marks.append((time.perf_counter(), time.process_time()))
        if len(marks) == ask["steps"]:
            break
    wall, processor = ([b - a for a, b in pairwise(x)] for x in zip(*marks, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"setup": setup, "wall": wall, "processor": processor, "peak": peak}))


def run(command: list[str], ask: dict) -> dict:
    """Do the work in a fresh process."""
    environment = os.environ | {"OMP_NUM_THREADS": str(ask["threads"]), "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, *command]
    done = subprocess.run(words, input=json.dumps(ask), capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4, help="of a process, the first of which is not counted")
    parser.add_argument("--repeats", type=int, default=3, help="processes of each side")
    parser.add_argument("--shared", action="store_true", help="measure although other programs are at work")
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.ours:
        ours(json.load(sys.stdin))
        return
    load = os.getloadavg()[0]
    if load > args.threads and not args.shared:
        raise SystemExit(f"the load is {load:.1f}, and {args.threads} threads are to be timed: wait, or take --shared")
    versions = {name: importlib.metadata.version(name) for name in ("rlkit", "torch", "transformers", "trl")}
    state = f"shared with other programs, load {load:.1f}: compare processor seconds" if load > args.threads else "idle"
    print(f"{versions}, {args.threads} threads, the machine {state}")
    print(
        f"{'':18}{'seconds a step':>22}{'ratio':>7}{'processor':>18}{'ratio':>7}{'asked':>7}{'MB':>14}{'share':>7}{'set-up':>14}"
    )
    for name in args.only:
        found = {"rlkit": [], "TRL": []}
        with tempfile.TemporaryDirectory() as folder:
            ask = asked(name, args.threads, args.steps, folder)
            for _ in range(args.repeats):
                found["TRL"].append(run([str(HERE / "llm_peers.py")], ask))
                found["rlkit"].append(run([str(HERE / "llm_speed.py"), "--ours"], ask))
        show(name, found, {"threads": args.threads, "load": load, "versions": versions})


def show(name: str, found: dict[str, list[dict]], about: dict) -> None:
    """Print a row of the table, and the same as a line of JSON."""
    of = {
        side: {key: median([x for one in runs for x in one[key]]) for key in ("wall", "processor")}
        | {key: median([one[key] for one in runs]) for key in ("setup", "peak")}
        for side, runs in found.items()
    }
    own, theirs = of["rlkit"], of["TRL"]
    ratio = {key: theirs[key] / own[key] for key in ("wall", "processor")}
    pairs = [f"{own[key]:.2f} / {theirs[key]:.2f}" for key in ("wall", "processor", "setup")]
    print(
        f"{name:18}{pairs[0]:>22}{ratio['wall']:7.2f}{pairs[1]:>18}{ratio['processor']:7.2f}{ROWS[name][-1]:7.2f}"
        f"{own['peak']:7.0f}/{theirs['peak']:6.0f}{own['peak'] / theirs['peak']:7.2f}{pairs[2]:>14}"
    )
    print(json.dumps({"row": name, "rlkit": own, "trl": theirs, "asked": ROWS[name][-1]} | about), flush=True)


if __name__ == "__main__":
    main()
