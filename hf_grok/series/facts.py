"""What a run's history says of one step: pure functions of Trainer's log_history."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

LAMBDA_KEY = "sas_lambda"
# What they are where run.json leaves them out: the defaults of TrainingArguments.
TRAINERS_BATCH = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 1}
TOKEN_KEYS = ("num_input_tokens_seen", "eval_tokens_seen")

History = Sequence[Mapping[str, Any]]


def metrics_at(history: History, step: int) -> dict[str, float]:
    """Every finite number logged at `step`; of a key logged twice, the later value."""
    found: dict[str, float] = {}
    for row in history:
        if row.get("step") == step:
            found.update({key: value for key, value in row.items() if _is_number(value)})
    found.pop("step", None)
    return found


def lambda_at(history: History, step: int) -> float | None:
    """The `sas_lambda` logged at `step`: that of the update before it; None where there is none."""
    return metrics_at(history, step).get(LAMBDA_KEY)


def tokens_seen(counted: int, history: History, step: int) -> int | None:
    """Tokens trained on up to `step`: Trainer's own count, else what was logged at that step.

    Args:
        counted: `state.num_input_tokens_seen`; 0 where Trainer was not asked to count.
        history: `state.log_history`.
        step: optimiser step.
    """
    if counted > 0 or step == 0:
        return counted
    at_step = metrics_at(history, step)
    return next((int(at_step[key]) for key in TOKEN_KEYS if key in at_step), None)


def data_position(step: int, total_batch: int) -> int:
    """step * total batch: examples read, where every batch is full.

    Args:
        step: optimiser step.
        total_batch: examples per optimiser step, over devices, processes and accumulation.
    """
    return step * total_batch


def recorded_batch(about: Mapping[str, Any]) -> int | None:
    """Examples per optimiser step, by what a run left of itself; None where it does not say.

    A run of `hf-grok train` names its processes and the settings that are not at their defaults;
    CheckpointSeriesCallback leaves the product.

    Args:
        about: as in run.json or series/about.json.
    """
    if "examples_per_step" in about:
        return int(about["examples_per_step"])
    processes = about.get("chosen", {}).get("processes")
    if processes is None or "arguments" not in about:
        return None
    settings = {**TRAINERS_BATCH, **about.get("bound_arguments", {}), **about["arguments"]}
    if settings.get("auto_find_batch_size"):  # which may have trained with another one
        return None
    return int(processes) * math.prod(int(settings[name]) for name in TRAINERS_BATCH)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
