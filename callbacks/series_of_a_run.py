"""What a series takes of a Trainer: a step's values, its epoch, the model; and runs it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn
from transformers import TrainerState, TrainingArguments

from hf_grok.callbacks.loader_epoch import loader_epoch
from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.runs.epochs import Epoch, Seen
from hf_grok.runs.step import StepValues
from hf_grok.series.errors import SeriesError
from hf_grok.series.local.step_values import recorded_epoch, values_at
from hf_grok.series.naming import STEP, RevisionTemplate


def present_values(args: TrainingArguments, state: TrainerState, epoch: Epoch | None) -> StepValues:
    """What Trainer's state says of the present step; plain numbers."""
    return values_at(state.global_step, vars(state), epoch, strength_before(args))


def epoch_of_run(
    args: TrainingArguments, state: TrainerState, loader: Any, earlier: Mapping[str, Any]
) -> tuple[Epoch | None, str]:
    """What a pass over the data reads, from the run's first step on; None, and why, if unknown.

    Args:
        args: of the run.
        state: where training begins now.
        loader: of the training data.
        earlier: what the run has left of itself before.
    """
    epoch = loader_epoch(loader, args)
    if epoch is None:
        return None, "the data have no length, or batches of no known size"
    if state.global_step == 0:
        return epoch, ""
    if "epoch" in earlier and recorded_epoch(earlier) != epoch:
        return None, "the run is resumed with other batches than it began with"
    steps, ragged = -(-epoch.examples // epoch.per_step), epoch.examples % epoch.per_step
    if args.ignore_data_skip and ragged and state.global_step % steps:
        return None, "ignore_data_skip began an epoch again, and its last batch is not full"
    return epoch, ""


def export_model(model: nn.Module, tokenizer: Any, folder: Path) -> None:
    """Write a model as Trainer would, without touching its weights, modes or random numbers.

    Raises:
        SeriesError: it has no save_pretrained, so nobody could load what was written.
    """
    bare: Any = getattr(model, "_orig_mod", model)  # of torch.compile
    if not hasattr(bare, "save_pretrained"):
        raise SeriesError(
            f"step 0 is not saved: {type(bare).__name__} has no save_pretrained; a series holds "
            "models that from_pretrained can load"
        )
    shutil.rmtree(folder, ignore_errors=True)
    with watching(bare):
        bare.save_pretrained(folder)
        if hasattr(tokenizer, "save_pretrained"):
            tokenizer.save_pretrained(folder)


def strength_before(args: TrainingArguments) -> Callable[[int], float] | None:
    """lambda before a step, as the arguments tell it; None where it is off or not theirs."""
    made = getattr(args, "penalty_schedule", None)
    schedule: Any = None if made is None else made()
    return None if schedule is None or schedule.is_off else schedule.before


def refuse_unknown_amount(template: RevisionTemplate, seen: Seen) -> None:
    """Raises UserError for names by words or tokens of which nobody knows how many were seen."""
    unit = template.field
    if unit != STEP and unit not in seen:
        raise UserError(
            f"revision={template.text!r} names a step by the {unit} seen, and nobody says how many "
            f"they are: pass seen={{{unit!r}: a function of the step}}, such as lambda step: step "
            "* rows_a_batch * words_a_row for packed rows; hf-grok train knows its own"
        )


def refuse_search(state: TrainerState) -> None:
    """Raises UserError in a hyperparameter search."""
    if state.is_hyper_param_search:
        raise UserError(
            "a hyperparameter search trains many runs, and a series is of one: leave "
            "CheckpointSeriesCallback out of the search, and add it to the Trainer that trains "
            "with what was found"
        )


def refuse_sharded(args: TrainingArguments) -> None:
    """Raises UserError where no process has the whole model."""
    if args.fsdp or args.deepspeed:
        raise UserError(
            "step 0 cannot be saved by one process where the model is sharded (FSDP, DeepSpeed): "
            "pass step_zero=False and save step 0 with Trainer"
        )
