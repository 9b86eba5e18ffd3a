"""What is compared: each function runs in a child process and works when its turn comes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from matrix_floor import finish, multiply
from pacing import Pacer
from plain_loop import PlainTransformer, Size, batches, train
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

import hf_grok.train
from hf_grok.recipes import session
from hf_grok.recipes.arguments import DataArguments
from hf_grok.recipes.data.batches import LengthBucketSampler
from hf_grok.recipes.data.language import load_language
from hf_grok.recipes.trainer.hardware import keep_freed_memory
from hf_grok.recipes.trainer.trainer import GrokTrainer

LANGUAGE = ("question-formation", "--evaluation_examples", "8", "--seed", "0")


def padding_share(lengths: np.ndarray, batch: int, *, bucketed: bool) -> float:
    """Share of an epoch's positions that hold no token."""
    order = np.array(list(LengthBucketSampler(lengths, batch, 0, bucketed=bucketed)))
    rows = lengths[order][: len(order) // batch * batch].reshape(-1, batch)
    return 1 - float(rows.mean() / rows.max(axis=1).mean())


def plain(connection: Connection, size: Size, warm_up: int, threads: int, device: str) -> None:
    """The plain loop; 0 threads leaves torch's own choice."""
    if threads:
        torch.set_num_threads(threads)
    language = load_language(DataArguments(language=LANGUAGE[0], evaluation_examples=8))
    torch.manual_seed(0)
    padding = language.train.padding_id
    lengths = language.train.lengths
    lines = [language.train.batch([index])["input_ids"][0] for index in range(len(lengths))]
    model = PlainTransformer(len(language.tokenizer), size).to(device)
    about = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "padding": padding_share(lengths, size.batch, bucketed=False),
        "threads": torch.get_num_threads(),
        "precision": "fp32",
        "vocabulary": len(language.tokenizer),
        "mean_length": float(lengths.mean()),
    }
    pacer = Pacer(connection, warm_up, about)
    for _ in train(model, batches(lines, size, padding), padding):
        if not pacer.tick():
            return


def floor(connection: Connection, threads: int, *step: Any) -> None:
    """The matrix products of a step alone; 0 threads leaves torch's own choice."""
    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    pacer = Pacer(connection, 5, {"threads": torch.get_num_threads(), "precision": step[3]})
    for _ in multiply(*step):
        if not pacer.tick():
            return


def ours(connection: Connection, size: Size, warm_up: int, options: Sequence[str]) -> None:
    """`hf-grok train`, with one callback more: it keeps the time and waits for its turn."""
    build = session.build_trainer

    def build_timed(*parts: Any) -> GrokTrainer:
        trainer = build(*parts)
        trainer.add_callback(_PacedCallback(connection, warm_up, trainer))
        return trainer

    session.build_trainer = build_timed
    with tempfile.TemporaryDirectory() as folder:
        hf_grok.train.main([*LANGUAGE, *command_line(size), "--output_dir", folder, *options])


def command_line(size: Size) -> list[str]:
    """The options of `hf-grok train` that give a size; no end, no evaluation but the first."""
    return [
        *("--layers", str(size.layers), "--hidden_size", str(size.width)),
        *("--heads", str(size.heads)),
        *("--model_options", f'{{"intermediate_size": {size.inner}}}'),
        *("--per_device_train_batch_size", str(size.batch)),
        *("--max_steps", "10000000", "--evaluations", "0", "--checkpoints", "0"),
        *("--disable_tqdm", "true"),
    ]


class _PacedCallback(TrainerCallback):
    def __init__(self, connection: Connection, warm_up: int, trainer: GrokTrainer) -> None:
        self._connection, self._warm_up, self._trainer = connection, warm_up, trainer

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        trainer = self._trainer
        about = {
            "parameters": trainer.model.num_parameters(),
            "padding": padding_share(
                trainer.train_dataset.lengths,
                args.per_device_train_batch_size,
                bucketed=trainer.args.bucketed_batches,
            ),
            "threads": torch.get_num_threads(),
            "precision": "bf16" if args.bf16 else "fp32",
        }
        self._pacer = Pacer(self._connection, self._warm_up, about)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        finish(args.device.type)
        if not self._pacer.tick():
            control.should_training_stop = True
