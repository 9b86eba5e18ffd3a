"""The evaluation loss of a Trainer as one mean over labels, however many processes took part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from hf_grok.errors import UserError
from hf_grok.masking import IGNORED
from hf_grok.measurement.shares import RealRows, ignoring, local_sum, summed
from hf_grok.measurement.tally import Tally

LABELS = {"labels": IGNORED, "shift_labels": IGNORED}
Step = Callable[[dict[str, Any]], tuple[Any, Any, Any]]


class EvaluatedLoss:
    """loss = (sum over rows and their labels of each label's loss) / number of labels; nats.

    Trainer repeats each process's batch mean for every row of a batch, so that batches of few
    labels weigh as much as others, the last one too much, and rows that fill it up twice. Here sums
    and counts are added over batches and processes, and what fills up counts for nothing.

    Args:
        trainer: whose evaluation it is.
        loader: of the evaluation.
    """

    def __init__(self, trainer: Any, loader: Any) -> None:
        self._trainer = trainer
        self._real = RealRows(loader, trainer.accelerator)
        self._shifts = _predicts_from_second(trainer)
        self._losses: list[Tensor] = []
        self._counts: list[Tensor] = []

    def step(self, batch: Mapping[str, Any], predict: Step) -> tuple[Any, Any, Any]:
        """Trainer's `prediction_step` by `predict`, with its loss taken into account."""
        labelled = ignoring(batch, self._real.of(batch), LABELS)
        with _own_batch_alone(self._trainer.args):
            loss, logits, labels = predict(dict(labelled))
            counted = self._trainer._get_num_items_in_batch([labelled], self._trainer.args.device)
        if loss is not None:
            self._add(loss, labelled, counted)
        return loss, logits, labels

    def _add(self, loss: Tensor, batch: Mapping[str, Any], counted: Any) -> None:
        labels = self._count(batch)
        # What Trainer has counted is what the loss was divided by, where it is divided at all.
        divisor = labels if counted is None else torch.as_tensor(counted, device=loss.device)
        # A mean over no label is no number, and adds nothing.
        self._losses.append(torch.where(labels > 0, loss.float() * divisor, 0.0))
        self._counts.append(labels)

    def _count(self, batch: Mapping[str, Any]) -> Tensor:
        device = self._trainer.args.device
        labels = batch.get("shift_labels", batch.get("labels"))
        if not isinstance(labels, Tensor):
            first = next(values for values in batch.values() if isinstance(values, Tensor))
            return torch.tensor(len(first), device=device)
        if "shift_labels" not in batch and self._shifts and labels.ndim > 1:
            labels = labels[..., 1:]
        return labels.ne(IGNORED).sum().to(device)

    def put_into(self, metrics: dict[str, float] | None, name: str) -> None:
        """Put the loss in place of Trainer's, where there is one; the same on every process."""
        own = Tally({"loss": (local_sum(self._losses), local_sum(self._counts))})
        total = summed(own, self._trainer.accelerator).ratios()
        if metrics is not None and name in metrics and total:
            metrics[name] = total["loss"]


def check_evaluation(trainer: Any) -> None:
    """Refuse, before the first step, evaluations whose loss would depend on the processes.

    Raises:
        UserError: labels of other names, of which nothing says that a row does not count; batches
            that cannot be split over the processes; several GPUs in one process.
    """
    processes = trainer.accelerator.num_processes
    if trainer.args.n_gpu > 1:
        raise UserError(
            f"{trainer.args.n_gpu} GPUs in one process each give a mean of their own part, so the "
            "evaluation loss would depend on their number: start one process a GPU (accelerate "
            "launch, torchrun), or show it one (CUDA_VISIBLE_DEVICES=0)"
        )
    if processes == 1 or trainer.eval_dataset is None:
        return
    if "labels" not in trainer.label_names:
        raise UserError(
            f"the labels are {', '.join(trainer.label_names) or 'none'}: on {processes} processes "
            "the evaluation loss is counted by the column 'labels' (-100 where there is none)"
        )
    size = trainer.args.eval_batch_size
    if trainer.args.accelerator_config.split_batches and size % processes:
        raise UserError(
            f"split_batches cannot split an evaluation batch of {size} over {processes} processes: "
            f"set per_device_eval_batch_size to a multiple of {processes}"
        )


def check_shared_loss(trainer: Any) -> None:
    """Refuse, before the first step, a training loss that would depend on the processes.

    Raises:
        UserError: it is a mean over each process's batch, whatever number of labels that has.
    """
    processes = trainer.accelerator.num_processes
    own = trainer.compute_loss_func is not None or trainer.label_smoother is not None
    if processes > 1 and not own and not trainer.model_accepts_loss_kwargs:
        raise UserError(
            f"the loss of {type(trainer.model).__name__} is a mean over each of {processes} "
            "processes' batches, and the mean of those depends on their number: pass a "
            "compute_loss_func that divides by num_items_in_batch (masked models: "
            "hf_grok.sas.token_mean_loss)"
        )


@contextmanager
def _own_batch_alone(args: Any) -> Iterator[None]:
    """Have Trainer count and divide by the labels of this process's batch alone."""
    before = args.average_tokens_across_devices
    args.average_tokens_across_devices = False
    try:
        yield
    finally:
        args.average_tokens_across_devices = before


def _predicts_from_second(trainer: Any) -> bool:
    """Whether the first label of a row is given, not predicted.

    Trainer goes by the name of the class's loss, which GPT-2 and others lack: their loss is then
    the library's causal one.
    """
    if trainer.compute_loss_func is not None or trainer._loss_shifts_labels:
        return bool(trainer._loss_shifts_labels)
    bare = trainer.accelerator.unwrap_model(trainer.model)
    bare = bare.get_base_model() if hasattr(bare, "get_base_model") else bare
    return type(bare).__name__ in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
