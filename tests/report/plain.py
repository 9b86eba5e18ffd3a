"""A stock Trainer on parsed sentences: small enough for seconds, long enough for a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from hf_grok.callbacks import ProbeCallback
from hf_grok.models import word_level_tokenizer

NOUNS, VERBS = ("newt", "ape", "jay", "eel"), ("smiles", "waits", "sings", "naps")
WORDS = ("the", *NOUNS, *VERBS, ".")


def sentences() -> list[dict[str, Any]]:
    """Every "the N V ." with its dependency heads and its binary tree."""
    return [
        {
            "words": ["the", noun, verb, "."],
            "heads": [2, 3, 0, 3],
            "deprels": ["det", "nsubj", "root", "punct"],
            "spans": [[0, 3], [0, 2]],
        }
        for noun, verb in product(NOUNS, VERBS)
    ]


def plain_trainer(folder: Path, **changes: Any) -> Trainer:
    """GPT-2 of two layers under transformers.Trainer, with probes of ours at each evaluation."""
    torch.manual_seed(0)
    tokenizer = word_level_tokenizer(WORDS)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=16, n_embd=16, n_layer=2, n_head=2,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    ids = [tokenizer(" ".join(row["words"]))["input_ids"] for row in sentences()]
    rows = [{"input_ids": torch.tensor(row), "labels": torch.tensor(row)} for row in ids]
    settings: Mapping[str, Any] = {
        "max_steps": 24, "learning_rate": 5e-3, "per_device_train_batch_size": 8,
        "eval_strategy": "steps", "eval_steps": 2, "logging_steps": 2, "save_steps": 16,
        "eval_on_start": True, "report_to": "none", "disable_tqdm": True, "use_cpu": True,
        "seed": 3,
    }  # fmt: skip
    trainer = Trainer(
        model=GPT2LMHeadModel(config),
        args=TrainingArguments(output_dir=str(folder), **{**settings, **changes}),
        train_dataset=rows,
        eval_dataset=rows[:6],
        processing_class=tokenizer,
    )
    probes: Sequence[Any] = ("uas", "tree", "norm")
    trainer.add_callback(ProbeCallback(trainer, probes, sentences()))
    return trainer
