"""The Trainer that runs recipes: stock, but for how it reads, evaluates and keeps checkpoints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import Dataset
from transformers import (
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import rotate_checkpoints

from hf_grok.errors import UserError
from hf_grok.evaluation.runner import run_probes
from hf_grok.masking import IGNORED
from hf_grok.probes import Probe
from hf_grok.recipes.arguments import GrokTrainingArguments
from hf_grok.recipes.data.batches import LengthBucketSampler, TokenSequences, first_of
from hf_grok.recipes.trainer.loss_sums import load_loss_sums, save_loss_sums
from hf_grok.recipes.trainer.masked_head import head_at
from hf_grok.recipes.trainer.pooled_dropout import MaskPools
from hf_grok.recipes.trainer.progress import Progress
from hf_grok.runs.epochs import TOKENS, WORDS, Seen, examples_read
from hf_grok.runs.manifest import (
    discard,
    last_whole_checkpoint,
    told_if_not_written,
    write_manifest,
)
from hf_grok.runs.record import sync_tables
from hf_grok.sas.mixin import SASMixin


class TrainingDivergedError(UserError):
    """The loss or the weights are no longer finite."""


def data_seed(arguments: GrokTrainingArguments) -> int:
    """What the order of the data, and what is masked of them, are drawn by."""
    return arguments.seed if arguments.data_seed is None else arguments.data_seed


class _GoOnAdding(TrainerCallback):
    """Puts the sums of the losses back, once Trainer has set its own to nothing."""

    def __init__(self, trainer: GrokTrainer) -> None:
        self._trainer = trainer

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        trainer = self._trainer
        if trainer.gone_on_from is not None:
            load_loss_sums(trainer, trainer.gone_on_from)
        trainer._first_since_log = trainer._globalstep_last_logged + 1


class GrokTrainer(SASMixin, Trainer):
    """Trainer with the regulariser, exact evaluations and whole checkpoints.

    - Batches are cut from tensors in memory, of like length, in an order that is a function of
      (seed, epoch).
    - `evaluate` runs the recipe's measures, which are probes, over all ranks and without a trace.
      Their numbers go where Trainer's own do: log_history, reporters, `metric_for_best_model`; with
      those of callbacks, a round of evaluation is one row.
    - A checkpoint carries a manifest, written last; one that cannot be written is taken away, and
      none is written once the loss is not finite.

    Args:
        measures: what is measured at each evaluation.
        mask_pools: pools of dropout masks of the model, if it has any.
        **kwargs: as for `transformers.Trainer`.
    """

    args: GrokTrainingArguments
    model: PreTrainedModel
    train_dataset: TokenSequences
    # A checkpoint whose optimiser is not taken over, but for its learning rate.
    forget_moments_of: Path | None = None
    # The checkpoint that training goes on from.
    gone_on_from: Path | None = None
    _first_since_log = 1
    _parameters: int | None = None
    # What a round of evaluation has logged so far.
    _row: dict[str, float] | None = None

    def __init__(
        self, *, measures: Sequence[Probe], mask_pools: MaskPools | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_collator=first_of, **kwargs)
        self.measures = measures
        self.mask_pools = mask_pools
        self.add_callback(_GoOnAdding(self))
        self.progress = Progress(self.model)

    def _get_train_sampler(self, train_dataset: Dataset[Any] | None = None) -> LengthBucketSampler:
        together = self._rows_together()
        return LengthBucketSampler(
            self.train_dataset.lengths,
            together,
            data_seed(self.args),
            bucketed=self.args.bucketed_batches,
            tell_epoch=self.train_dataset.set_epoch,
        )

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The mixin's; with `sparse_prediction`, of logits at masked tokens alone."""
        if not (self.args.sparse_prediction and model.training):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels = inputs["labels"]
        masked = labels != IGNORED
        with head_at(self.accelerator.unwrap_model(model), masked):
            return super().compute_loss(
                model,
                {**inputs, "labels": labels[masked][None]},
                return_outputs,
                num_items_in_batch,
            )

    def training_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Trainer's own, stopping at the first loss that is not finite."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        # On an accelerator, looking at the loss would wait for it: log() looks there.
        if loss.device.type == "cpu":
            self._refuse_loss(loss.item(), f"at step {self.state.global_step + 1}")
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's own, stopping at a logged loss that is not finite."""
        if self._row is not None:
            self._row.update(logs)
            return
        if "train_loss" in logs:
            # Trainer's is the mean over the steps since the run was last resumed.
            logs["train_loss"] = self._total_loss_scalar / max(self.state.global_step, 1)
        super().log(logs, start_time)
        if "loss" in logs:
            first = self._first_since_log
            self._first_since_log = self.state.global_step + 1
            self._refuse_loss(logs["loss"], f"in steps {first} to {self.state.global_step}")

    def _refuse_loss(self, loss: float, when: str) -> None:
        if not math.isfinite(loss):
            raise TrainingDivergedError(
                f"the loss is {loss} {when}. {self.last_kept()} "
                "Lower learning_rate, lengthen warmup_steps, or train in fp32."
            )

    def last_kept(self) -> str:
        """What there is to go on from, as a sentence."""
        kept = last_whole_checkpoint(Path(str(self.args.output_dir)), say=lambda _: None)
        return f"The last good checkpoint is {kept}." if kept else "No checkpoint was saved yet."

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Run the measures and log them; the same numbers on every rank."""
        if eval_dataset is not None:
            raise UserError(
                "GrokTrainer evaluates its measures: build a probe over the other data, and use "
                "hf_grok.evaluation.runner.run_probes"
            )
        self._refuse_weights()
        self.use_own_attention()
        probed = run_probes(self.model, self.measures, self.accelerator, isolated=False)
        measured = {**probed.numbers, **self._progress()}
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in measured.items()}
        with self._one_row():
            self.log(metrics)
            self.control = self.callback_handler.on_evaluate(
                self.args, self.state, self.control, metrics
            )
        return metrics

    @contextmanager
    def _one_row(self) -> Iterator[None]:
        """What is logged inside is logged as one row."""
        self._row = {}
        try:
            yield
        finally:
            row, self._row = self._row, None
            self.log(row)

    def _refuse_weights(self) -> None:
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                raise TrainingDivergedError(
                    f"{name} is not finite at step {self.state.global_step}. {self.last_kept()}"
                )

    def _rows_together(self) -> int:
        """Rows of one batch over all processes, which share the one batch if they split it."""
        processes = 1 if self.accelerator.split_batches else self.args.world_size
        return int(self.args.train_batch_size) * processes

    @property
    def seen(self) -> Seen:
        """Tokens, and words where the data know them, that are read by a step: pure functions."""
        data = self.train_dataset
        counts = {TOKENS: data.lengths} | ({} if data.words is None else {WORDS: data.words})
        return {unit: partial(self._read, each) for unit, each in counts.items()}

    def _read(self, counts: NDArray[np.int64], step: int) -> int:
        sampler = self._get_train_sampler()
        return sampler.read(counts, examples_read(step, len(sampler), self._rows_a_step()))

    def _rows_a_step(self) -> int:
        return self._rows_together() * self.args.gradient_accumulation_steps

    def _progress(self) -> dict[str, float]:
        batch = self._rows_a_step()
        sampler = self._get_train_sampler()
        return self.progress.measure(self.model, sampler, self.state.global_step, batch)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        folder = Path(self._get_output_dir(trial)) / f"checkpoint-{self.state.global_step}"
        self._refuse_weights()
        limit = self.args.save_total_limit
        try:
            with told_if_not_written(folder, self.last_kept):
                if self.args.should_save:
                    discard(folder)  # of an earlier start, which could not be gone on from
                self.accelerator.wait_for_everyone()
                super()._save_checkpoint(model, trial)
                save_loss_sums(self, folder)
                self.accelerator.wait_for_everyone()
                if self.args.should_save:
                    sync_tables(folder.parent)
                    write_manifest(folder)
                    rotate_checkpoints(
                        output_dir=str(folder.parent),
                        save_total_limit=limit,
                        best_model_checkpoint=self.state.best_model_checkpoint,
                        use_mtime=True,
                    )
        finally:
            self.args.save_total_limit = limit

    def _save_rng_state(self, output_dir: str) -> None:
        super()._save_rng_state(output_dir)
        # Nothing older is removed before the new checkpoint is whole. By now Trainer has saved the
        # arguments; rotating is the next thing that it would read this one for.
        self.args.save_total_limit = None

    def _run_epoch(self, *positional: Any, **named: Any) -> None:
        """Trainer's own, unless the run had come to its end: Trainer would train one step more."""
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
        if not self.control.should_training_stop:
            super()._run_epoch(*positional, **named)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        forget = checkpoint is not None and Path(checkpoint) == self.forget_moments_of
        if forget and self.optimizer is not None:
            # AdamW makes moments, and their count of steps, anew for a parameter that has none.
            self.optimizer.state.clear()

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """6 x parameters x tokens, without counting the parameters anew at each step."""
        if self._parameters is None:
            self._parameters = self.model.num_parameters(exclude_embeddings=True)
        return 6 * int(inputs["input_ids"].numel()) * self._parameters
