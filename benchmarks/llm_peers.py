"""TRL's side of `llm_speed.py`: one trainer in one process, which reads what to do as JSON, and prints what it took as JSON.

float32, without gradient checkpointing, as the comparison asks; all else as TRL has it.
"""

import json
import resource
import sys
import time
from itertools import pairwise

BEGIN = time.perf_counter()


def main(ask: dict) -> None:
    import torch

    torch.set_num_threads(ask["threads"])
    import transformers
    from datasets import Dataset
    from llm_speed import reward

    clock = [time.perf_counter() - BEGIN]  # only of the imports so far

    class Watch(transformers.TrainerCallback):
        """Notes when each step is over."""

        def __init__(self):
            self.wall, self.processor = [], []

        def on_train_begin(self, *_, **__):
            clock[0] = time.perf_counter() - BEGIN
            self.mark()

        def on_step_end(self, *_, **__):
            self.mark()

        def mark(self):
            self.wall.append(time.perf_counter())
            self.processor.append(time.process_time())

    watch = Watch()
    tokenizer = transformers.AutoTokenizer.from_pretrained(ask["model"])
    common = {
        "output_dir": ask["folder"],
        "per_device_train_batch_size": ask["batch"],
        "max_steps": ask["steps"],
        "learning_rate": 1e-6,
        "bf16": False,
        "gradient_checkpointing": False,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "logging_steps": 1,
        "disable_tqdm": True,
        "seed": 0,
    }
    data = Dataset.from_list(ask["data"])
    given = {"train_dataset": data, "processing_class": tokenizer, "callbacks": [watch]}
    load = transformers.AutoModelForCausalLM.from_pretrained
    if ask["agent"] == "grpo":
        from trl import GRPOConfig, GRPOTrainer

        config = GRPOConfig(
            **common,
            num_generations=ask["samples"],
            max_completion_length=ask["tokens"],
            generation_kwargs={"min_new_tokens": ask["tokens"], "top_k": 0},
        )
        judge = lambda completions, **_: [reward(text) for text in completions]  # noqa: E731
        trainer = GRPOTrainer(load(ask["model"], dtype=torch.float32), judge, args=config, **given)
    elif ask["agent"] == "sft":
        from trl import SFTConfig, SFTTrainer

        trainer = SFTTrainer(
            load(ask["model"], dtype=torch.float32), args=SFTConfig(**common, max_length=None), **given
        )
    elif ask["agent"] == "dpo":
        from trl import DPOConfig, DPOTrainer

        config = DPOConfig(**common, max_length=None, precompute_ref_log_probs=ask["precompute"])
        trainer = DPOTrainer(load(ask["model"], dtype=torch.float32), args=config, **given)
    else:
        from trl import RewardConfig, RewardTrainer

        net = transformers.AutoModelForSequenceClassification.from_pretrained(
            ask["model"], num_labels=1, dtype=torch.float32
        )
        net.config.pad_token_id = tokenizer.pad_token_id
        trainer = RewardTrainer(net, args=RewardConfig(**common, max_length=None), **given)
    trainer.train()
    wall, processor = ([b - a for a, b in pairwise(x[1:])] for x in (watch.wall, watch.processor))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"setup": clock[0], "wall": wall, "processor": processor, "peak": peak}))


if __name__ == "__main__":
    main(json.load(sys.stdin))
