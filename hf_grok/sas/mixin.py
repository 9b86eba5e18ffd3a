"""The regulariser as a mixin for any Trainer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging

from hf_grok.annotation.scheme import agreed_scheme, scheme_mismatch
from hf_grok.errors import UserError
from hf_grok.measurement.shares import to_be_wrapped
from hf_grok.metrics import LM_LOSS, SAS_ARCS, SAS_LAMBDA
from hf_grok.sas.arguments import SASArguments
from hf_grok.sas.attention.backbone import language_model
from hf_grok.sas.attention.run import RunAttention
from hf_grok.sas.batches.epoch_rows import EpochCallback
from hf_grok.sas.batches.keys import ANNOTATION, WORD_OF
from hf_grok.sas.batches.rows_of_others import rows_as_wanted
from hf_grok.sas.checks import (
    check_annotated,
    check_arcs_seen,
    check_clamp,
    check_one_device,
    check_rows_are_not_joined,
    check_still_a_language_model,
)
from hf_grok.sas.losses.counted import LossMeasure
from hf_grok.sas.losses.evaluated import check_evaluation, check_shared_loss
from hf_grok.sas.options import CLAMPED
from hf_grok.sas.regulariser import BatchArcs, batch_arcs, clamped, penalty_share
from hf_grok.sas.step_log import StepLog
from hf_grok.sas.whole_batch import WholeBatch

logger = logging.get_logger(__name__)

ARCS = "sas_arcs_of_batch"
COUNTS = "sas_counts"


class SASMixin(WholeBatch):
    """loss = LM loss + lambda(global_step) x R, for `class Mine(SASMixin, TheirTrainer)`.

    - lambda > 0 suppresses the attention on arcs of syntax, lambda < 0 promotes it
      (`sas_schedule`); R is the mean over arcs of the greatest attention on the arc, over layers
      and heads, of the whole batch: over accumulation and processes, so lambda means the same in
      each.
    - At steps with lambda = 0 the run is the plain Trainer's, bit for bit; evaluation always is.
    - `log` adds `lm_loss`, `sas_penalty` (R), `sas_lambda` and `sas_arcs` (arcs a step) beside
      Trainer's `loss`, which is what the optimiser sees.

    The arguments must inherit `SASArguments` (as `SASTrainingArguments` does), and batches carry
    the annotation that `hf_grok.sas.ArcCollator` makes of rows with words, heads and deprels.

    Raises:
        UserError: arguments without the `sas_` fields; several GPUs in one process; a model whose
            attention cannot be read; a loss that would change with accumulation.
        LanguageModelDivergedError: promoting attention has driven the language model beyond a
            uniform guess; the last checkpoint was written before.

    Source: Chen et al. 2024 (arXiv 2309.07311); the normalisation over arcs, the fused path and
        the contrast are ours.
    """

    args: Any
    model: Any

    def __init__(self, *positional: Any, **named: Any) -> None:
        positional, named = rows_as_wanted(type(self), positional, named)
        super().__init__(*positional, **named)
        gpus = self.args.n_gpu
        if not isinstance(self.args, SASArguments):
            raise UserError(
                f"{type(self).__name__} was given {type(self.args).__name__}: expected "
                "SASTrainingArguments, or arguments of your own that inherit SASArguments"
            )
        self.args.sas_scheme = agreed_scheme(
            self.args.sas_scheme, getattr(self.train_dataset, "scheme", None), "sas_scheme"
        )
        self._forget()
        self._sas_run: RunAttention | None = None
        self.add_callback(_RunCallback(self))
        check_evaluation(self)
        if not self.sas_schedule.is_off:
            check_one_device(gpus)
            mismatch = scheme_mismatch(self.args.sas_scheme, self.args.sas_evaluation_scheme)
            if mismatch:
                logger.warning(mismatch)

    def _read_settings(self) -> None:
        self.sas_schedule = self.args.penalty_schedule()
        self.sas_options = self.args.penalty_options()
        if not self.sas_schedule.is_off:
            check_rows_are_not_joined(self.args)
            check_clamp(self.args)

    def _forget(self) -> None:
        """Nothing is known of the run yet but its settings."""
        self._read_settings()
        self._sas_log = StepLog()
        self._counted_loss = LossMeasure(self._gather)
        self._sas_proved = False

    def begin_run(self) -> None:
        """Start afresh: `train` begins, once more, or with a smaller batch after running out.

        A search may have changed the settings and the model.
        """
        self._end_run()
        self._forget()
        if not self.sas_schedule.is_off:
            dtype = torch.bfloat16 if self.args.bf16 else torch.float16 if self.args.fp16 else None
            self._sas_run = RunAttention(self.model, self.args, self.args.device, dtype)

    def _end_run(self) -> None:
        if self._sas_run is not None:
            self._sas_run.close()
            self._sas_run = None

    def get_batch_samples(
        self, epoch_iterator: Iterator, num_batches: int, device: torch.device
    ) -> tuple[list, Tensor | int | None]:
        """Trainer's, with the arcs of each micro-batch and their number in the whole batch."""
        real = map(self._without_padding, epoch_iterator)
        samples, items = super().get_batch_samples(real, num_batches, device)
        if samples and not self._sas_proved:
            self._prove(samples[0])
        counts = None
        if samples and self.sas_schedule(self.state.global_step):
            arcs = [batch_arcs(_annotation(sample), self.sas_options) for sample in samples]
            counts = self._whole(torch.stack([each.counts for each in arcs]).sum(0).to(device))
            for sample, each in zip(samples, arcs, strict=True):
                sample.update({ARCS: each, COUNTS: counts})
        if not self.sas_schedule.is_off:
            self._sas_log.begin_step(None if counts is None else counts[0])
        return samples, items

    def _prove(self, sample: dict[str, Any]) -> None:
        """Refuse, before the first step, a run whose penalty would be wrong at a later one."""
        self.sas_schedule.check_length(self.state.max_steps)
        if self._sas_run is not None:
            check_annotated(sample)
            self._sas_run.prove(int(sample[WORD_OF].shape[1]))
        self._sas_proved = True

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Trainer's, plus lambda x R while the model trains and lambda is not 0."""
        run = self._sas_run if model.training else None
        plain, adds = _without_ours(inputs), not self.sas_schedule.is_off
        if run is None:
            if model.training and adds:
                raise UserError(
                    "the loss of a training step was asked for outside of train(), which proves "
                    "and installs the regulariser: call train(), or put the model into evaluation "
                    "mode for its loss alone"
                )
            self.use_own_attention()
            if model.training:
                self._measure_loss(model, plain, num_items_in_batch, adds)
            found: Any = super().compute_loss(model, plain, return_outputs, num_items_in_batch)
            return found
        self._measure_loss(model, plain, num_items_in_batch, adds)
        later = self._later_divisor(num_items_in_batch)
        strength = self.sas_schedule(self.state.global_step)
        arcs, counts = _arcs_of(inputs) if strength else (None, None)
        run.attend(bool(strength))
        asked = run.asked(arcs.places) if arcs is not None else {}
        with run.capture.asking(inputs[WORD_OF].shape, **asked):
            found = super().compute_loss(model, plain, return_outputs, num_items_in_batch)
        loss = found[0] if return_outputs else found
        self._sas_log.add_loss(loss / later)
        if arcs is None or counts is None:
            return found
        share = run.share(lambda read: penalty_share(read, arcs, counts, self.sas_options))
        if self.sas_options.arcs == CLAMPED:
            share = clamped(share, self._whole)
        self._sas_log.add_penalty(share)
        # Processes' gradients are averaged, and Trainer may yet divide by the accumulation.
        loss = loss + strength * later * self.accelerator.num_processes * share
        return (loss, *found[1:]) if return_outputs else loss

    def train(self, *positional: Any, **named: Any) -> Any:
        """Trainer's; the model is left with the attention that it came with."""
        check_shared_loss(self)
        to_be_wrapped(self.model, self.accelerator)
        try:
            return super().train(*positional, **named)
        finally:
            self._end_run()

    def use_own_attention(self) -> None:
        """Put the attention back that the model came with, for whatever is not a training step."""
        if self._sas_run is not None:
            self._sas_run.attend(False)

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], *positional: Any, **named: Any
    ) -> Any:
        """Trainer's, without the annotation and with the model's own attention."""
        self.use_own_attention()
        return super().prediction_step(model, _without_ours(inputs), *positional, **named)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's, with the parts of the training loss."""
        parts: dict[str, float] = {}
        if "loss" in logs and not self.sas_schedule.is_off:
            strength = self.sas_schedule.before(self.state.global_step)
            parts = self._sas_log.take(self._gather)
            logs.update({**parts, SAS_LAMBDA: strength})
        super().log(logs, start_time)
        if parts:
            self._refuse(parts)

    def _refuse(self, parts: dict[str, float]) -> None:
        """Stop a run whose regulariser has nothing to act on, or has undone the language model."""
        step, model = self.state.global_step, language_model(self.model)
        embeddings: Any = model.get_input_embeddings()
        check_arcs_seen(parts.get(SAS_ARCS), step, self.args.sas_relations)
        if self.sas_schedule.promotes and LM_LOSS in parts:
            check_still_a_language_model(
                parts[LM_LOSS],
                vocabulary=embeddings.weight.shape[0],
                step=step,
                schedule=self.args.sas_schedule,
                folder=Path(str(self.args.output_dir)),
            )


_OURS = {*ANNOTATION, ARCS, COUNTS}


def _without_ours(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name not in _OURS}


def _annotation(sample: dict[str, Any]) -> dict[str, Tensor]:
    return {name: sample[name] for name in ANNOTATION if name in sample}


def _arcs_of(inputs: dict[str, Any]) -> tuple[BatchArcs, Tensor]:
    if ARCS not in inputs:
        raise UserError(
            "a training batch came without its arcs: a subclass that overrides get_batch_samples "
            "must call super().get_batch_samples"
        )
    return inputs[ARCS], inputs[COUNTS]


class _RunCallback(EpochCallback):
    """Tells the trainer that a run begins, wherever it begins, and its rows the epoch."""

    def __init__(self, trainer: SASMixin) -> None:
        self._trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Before the first step, each time."""
        self._trainer.begin_run()
