"""What a callback has to know of the Trainer that it sits in, whosever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerState, TrainingArguments
from transformers.trainer_utils import default_compute_objective

# Trainer logs both once a run: after its last evaluation, before it loads the best model.
RUN_TOTALS = frozenset({"train_loss", "total_flos"})


def run_folder(trainer: Trainer) -> Path:
    """Where a run's checkpoints go: `output_dir`, and in a search the trial's folder below it."""
    return Path(trainer._get_output_dir(getattr(trainer, "_trial", None)))


def holds_best_model(args: TrainingArguments, state: TrainerState) -> bool:
    """Whether a trainer that has trained holds other weights than those of its last step.

    `load_best_model_at_end` puts the best checkpoint in their place.
    """
    best = state.best_model_checkpoint
    loaded = args.load_best_model_at_end and best is not None
    return bool(loaded and state.best_global_step != state.global_step)


def best_metric(args: TrainingArguments) -> str | None:
    """`metric_for_best_model` as it is called in the metrics; None where there is none."""
    name = args.metric_for_best_model
    return name if name is None or name.startswith("eval_") else f"eval_{name}"


def sums_all_metrics(trainer: Trainer) -> bool:
    """Whether whatever `evaluate` returns is added up: a search with Trainer's own objective."""
    objective = getattr(trainer, "compute_objective", None)
    return trainer.hp_search_backend is not None and objective is default_compute_objective


def is_sharded(trainer: Trainer) -> bool:
    """Whether no process has the whole model (FSDP, ZeRO stage 3, tensor parallelism)."""
    plugin = getattr(trainer.accelerator.state, "deepspeed_plugin", None)
    zero3 = plugin is not None and plugin.zero_stage == 3
    model: Any = trainer.model
    tokens = any(type(parameter).__name__ == "DTensor" for parameter in model.parameters())
    return bool(trainer.is_fsdp_enabled or zero3 or tokens)
