"""The regulariser as a mixin for any Trainer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Trainer
from transformers.utils import logging

from hf_grok.errors import UserError
from hf_grok.sas.annotation import ANNOTATION, NONE
from hf_grok.sas.arguments import SASArguments
from hf_grok.sas.attention import arc_attention_for, set_arc_attention
from hf_grok.sas.checks import (
    check_arcs_seen,
    check_counted_loss,
    check_one_device,
    check_still_a_language_model,
)
from hf_grok.sas.epoch_rows import EpochCallback, EpochRows
from hf_grok.sas.evaluated_loss import LABELS, EvaluatedLoss, check_evaluation, check_shared_loss
from hf_grok.sas.regulariser import BatchArcs, batch_arcs, penalty_share
from hf_grok.sas.step_log import StepLog
from hf_grok.scheme import scheme_mismatch
from hf_grok.shares import RealRows, ignoring, shared_evenly, to_be_wrapped

logger = logging.get_logger(__name__)

ARCS = "sas_arcs_of_batch"
COUNTS = "sas_counts"

if TYPE_CHECKING:
    _Base = Trainer
else:
    _Base = object


class SASMixin(_Base):
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
    train_dataset: Any
    eval_dataset: Any
    data_collator: Any
    _signature_columns: Any

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        gpus = self.args.n_gpu
        if not isinstance(self.args, SASArguments):
            raise UserError(
                f"{type(self).__name__} was given {type(self.args).__name__}: expected "
                "SASTrainingArguments, or arguments of your own that inherit SASArguments"
            )
        self.sas_schedule = self.args.penalty_schedule()
        self.sas_options = self.args.penalty_options()
        self._sas_log = StepLog()
        self._sas_attention: str | None = None
        self._plain_attention: str | None = None
        self._sas_checked = False
        self._real_rows: RealRows | None = None
        self._evaluated_loss: EvaluatedLoss | None = None
        self.add_callback(EpochCallback())
        check_evaluation(self)
        if not self.sas_schedule.is_off:
            check_one_device(gpus)
            check_counted_loss(self)
            mismatch = scheme_mismatch(self.args.sas_scheme, self.args.sas_evaluation_scheme)
            if mismatch:
                logger.warning(mismatch)

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the columns that the collator reads: Trainer drops what the model does not take."""
        super()._set_signature_columns_if_needed()
        kept = getattr(self.data_collator, "columns", ())
        self._signature_columns += [name for name in kept if name not in self._signature_columns]

    def get_train_dataloader(self) -> DataLoader:
        """Trainer's, over rows that know their number and epoch where the collator asks for them.

        Masks drawn from these are a function of the row and the epoch, so a resumed run repeats
        them; drawn from the global generator they would not be.
        """
        self.train_dataset = self._numbered(self.train_dataset)
        with shared_evenly(self.accelerator, self.train_dataset):
            loader = super().get_train_dataloader()
        self._real_rows = RealRows(loader, self.accelerator)
        return loader

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Trainer's, over rows that stay at one epoch: the same pieces are hidden each time."""
        rows = self._numbered(self._evaluated(eval_dataset), True)
        with shared_evenly(self.accelerator, rows):
            return super().get_eval_dataloader(rows)

    def get_test_dataloader(self, test_dataset: Any) -> DataLoader:
        """Trainer's, likewise."""
        rows = self._numbered(test_dataset, True)
        with shared_evenly(self.accelerator, rows):
            return super().get_test_dataloader(rows)

    def _evaluated(self, given: Any) -> Any:
        if isinstance(given, str):
            return self.eval_dataset[given]
        return self.eval_dataset if given is None else given

    def _numbered(self, rows: Any, fixed: bool = False) -> Any:
        """Rows that know their number and epoch, where the collator asks for that."""
        needed = getattr(self.data_collator, "needs_epoch", False)
        return EpochRows(rows, fixed=fixed) if needed and not hasattr(rows, "set_epoch") else rows

    def get_batch_samples(
        self, epoch_iterator: Iterator, num_batches: int, device: torch.device
    ) -> tuple[list, Tensor | int | None]:
        """Trainer's, with the arcs of each micro-batch and their number in the whole batch."""
        real = map(self._without_filling, epoch_iterator)
        samples, items = super().get_batch_samples(real, num_batches, device)
        if not self._sas_checked:
            self.sas_schedule.check_length(self.state.max_steps)
            self._sas_checked = True
        counts = None
        if samples and self.sas_schedule(self.state.global_step):
            arcs = [batch_arcs(_annotation(sample), self.sas_options) for sample in samples]
            counts = self._whole(torch.stack([each.counts for each in arcs]).sum(0).to(device))
            for sample, each in zip(samples, arcs, strict=True):
                sample.update({ARCS: each, COUNTS: counts})
        if not self.sas_schedule.is_off:
            self._sas_log.begin_step(None if counts is None else counts[0])
        return samples, items

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Trainer's, plus lambda x R while the model trains and lambda is not 0."""
        plain = {name: value for name, value in inputs.items() if name not in _OURS}
        strength = self.sas_schedule(self.state.global_step) if model.training else 0.0
        if not strength:
            self.use_own_attention()
            found: Any = super().compute_loss(model, plain, return_outputs, num_items_in_batch)
            if model.training and not self.sas_schedule.is_off:
                loss = found[0] if return_outputs else found
                self._sas_log.add_loss(loss / self._later_divisor(num_items_in_batch))
            return found
        self._attend(self._arc_attention(inputs))
        arcs, counts = _arcs_of(inputs)
        asked = {"sas_pairs": arcs.places, "output_attentions": True}
        if self.sas_options.attention == "post_dropout":
            asked["sas_post_dropout"] = True
        found = super().compute_loss(model, {**plain, **asked}, True, num_items_in_batch)
        loss, outputs = found
        share = penalty_share(self._attentions(outputs), arcs, counts, self.sas_options)
        later = self._later_divisor(num_items_in_batch)
        self._sas_log.add_loss(loss / later)
        self._sas_log.add_penalty(share)
        # Processes' gradients are averaged, and Trainer may yet divide by the accumulation.
        loss = loss + strength * later * self.accelerator.num_processes * share
        return (loss, outputs) if return_outputs else loss

    def train(self, *positional: Any, **named: Any) -> Any:
        """Trainer's; the model is left with the attention that it came with."""
        check_shared_loss(self)
        to_be_wrapped(self.model, self.accelerator)
        try:
            return super().train(*positional, **named)
        finally:
            self.use_own_attention()

    def use_own_attention(self) -> None:
        """Put the attention back that the model came with, for whatever is not a training step."""
        if self._plain_attention is not None:
            self._attend(self._plain_attention)

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], *positional: Any, **named: Any
    ) -> Any:
        """Trainer's, without the annotation and with the model's own attention."""
        self.use_own_attention()
        plain = {name: value for name, value in inputs.items() if name not in _OURS}

        def predict(batch: dict[str, Any]) -> Any:
            return super(SASMixin, self).prediction_step(model, batch, *positional, **named)

        return self._evaluated_loss.step(plain, predict) if self._evaluated_loss else predict(plain)

    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> Any:
        """Trainer's, whose loss is the mean over all labels: see `EvaluatedLoss`."""
        check_evaluation(self)
        self._evaluated_loss = EvaluatedLoss(self, dataloader)
        output = super().evaluation_loop(
            dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
        )
        self._evaluated_loss.put_into(output.metrics, f"{metric_key_prefix}_loss")
        self._evaluated_loss = None
        return output

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's, with the parts of the training loss."""
        parts: dict[str, float] = {}
        if "loss" in logs and not self.sas_schedule.is_off:
            strength = self.sas_schedule(max(self.state.global_step - 1, 0))
            parts = self._sas_log.take(self._gather)
            logs.update({**parts, "sas_lambda": strength})
        super().log(logs, start_time)
        if parts:
            self._refuse(parts)

    def end(self) -> None:
        """Trainer's, once gloo's threads have let go of the last tensors that were gathered.

        They need the interpreter's lock for that, and torch joins them while it holds it: without
        the pause, about one run in ten of two processes ends in that embrace.
        """
        if self.accelerator.num_processes > 1:
            self.accelerator.wait_for_everyone()
            time.sleep(0.2)
        super().end()

    def _refuse(self, parts: dict[str, float]) -> None:
        """Stop a run whose regulariser has nothing to act on, or has undone the language model."""
        step, vocabulary = self.state.global_step, self.model.get_input_embeddings().weight.shape[0]
        check_arcs_seen(parts.get("sas_arcs"), step, self.args.sas_relations)
        if self.sas_schedule.promotes and "lm_loss" in parts:
            check_still_a_language_model(
                parts["lm_loss"],
                vocabulary=vocabulary,
                step=step,
                schedule=self.args.sas_schedule,
                folder=Path(str(self.args.output_dir)),
            )

    def _attend(self, implementation: str) -> None:
        """Put an attention implementation in place, unless it is there."""
        if self.model.config._attn_implementation != implementation:
            self.model.set_attn_implementation(implementation)

    def _arc_attention(self, inputs: dict[str, Any]) -> str:
        """The implementation that gives the attention on arcs, chosen at the first such step."""
        if self._sas_attention is None:
            self._plain_attention = self.model.config._attn_implementation
            self._sas_attention, why = arc_attention_for(
                self.args.sas_implementation,
                self.model,
                device=self.args.device,
                dtype=self._attention_dtype(),
                post_dropout=self.sas_options.attention == "post_dropout",
                length=int(inputs["input_ids"].shape[1]),
            )
            set_arc_attention(self.model, self._sas_attention)
            logger.warning(f"regulariser: attention on arcs from {self._sas_attention} ({why})")
        return self._sas_attention

    def _attention_dtype(self) -> torch.dtype:
        """What attention is computed in: autocast's type, where there is autocast."""
        if self.args.bf16:
            return torch.bfloat16
        return torch.float16 if self.args.fp16 else self.model.dtype

    def _attentions(self, outputs: Any) -> tuple[Tensor, ...]:
        """One tensor a layer, or an error: fused kernels report an empty tuple without a word."""
        found = outputs.get("attentions") if isinstance(outputs, dict) else None
        layers = self.model.config.num_hidden_layers
        if found is None or len(found) != layers:
            raise UserError(
                f"{type(self.model).__name__} reported the attention of {len(found or ())} layers "
                f"of {layers}: the regulariser needs a stock transformer of the library; "
                "sas_implementation='eager' reads the maps of its own attention"
            )
        return tuple(found)

    def _later_divisor(self, num_items: Tensor | int | None) -> int:
        """What `training_step` will divide the loss by, having found it not yet scaled."""
        scaled = self.loss_is_scaled_for_ga
        if scaled is None:
            counted = self.model_accepts_loss_kwargs and num_items is not None
            scaled = counted or self.compute_loss_func is not None
        return 1 if scaled else int(self.current_gradient_accumulation_steps)

    def _without_filling(self, sample: dict[str, Any]) -> dict[str, Any]:
        """A training batch whose rows that only fill the last one up have no label and no arc."""
        real = self._real_rows.of(sample) if self._real_rows is not None else None
        return ignoring(sample, real, _IGNORED) if real is not None else sample

    def _whole(self, counts: Tensor) -> Tensor:
        """Counts summed over processes."""
        if self.accelerator.num_processes == 1:
            return counts
        return self._gather(counts[None]).sum(0)

    def _gather(self, rows: Tensor) -> Tensor:
        gathered: Tensor = self.accelerator.gather(rows)
        return gathered


_OURS = {*ANNOTATION, ARCS, COUNTS}
_IGNORED = {**LABELS, **dict.fromkeys(ANNOTATION, NONE)}


def _annotation(sample: dict[str, Any]) -> dict[str, Tensor]:
    return {name: sample[name] for name in ANNOTATION if name in sample}


def _arcs_of(inputs: dict[str, Any]) -> tuple[BatchArcs, Tensor]:
    if ARCS not in inputs:
        raise UserError(
            "a training batch came without its arcs: a subclass that overrides get_batch_samples "
            "must call super().get_batch_samples"
        )
    return inputs[ARCS], inputs[COUNTS]
