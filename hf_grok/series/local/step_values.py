"""What a run's history says of one step: pure functions of Trainer's log_history."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hf_grok.metrics import SAS_LAMBDA
from hf_grok.runs.epochs import Epoch, rows_in_epoch
from hf_grok.runs.step import StepValues

# What they are where run.json leaves them out: the defaults of TrainingArguments.
TRAINERS_BATCH = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 1}
TOKEN_KEYS = ("num_input_tokens_seen", "eval_tokens_seen")

History = Sequence[Mapping[str, Any]]
Strength = Callable[[int], float]


def values_at(
    step: int, state: Mapping[str, Any], epoch: Epoch | None, strength: Strength | None
) -> StepValues:
    """What is known of a step.

    Args:
        step: optimiser step.
        state: Trainer's state, as its object's attributes or as trainer_state.json has them.
        epoch: one pass over the data; None where nobody knows.
        strength: of the regulariser in the update before a step; None where only what was logged
            at the step tells it.
    """
    history = state.get("log_history", [])
    return StepValues(
        lambda_=strength(step) if strength else lambda_at(history, step),
        tokens_seen=tokens_seen(int(state.get("num_input_tokens_seen", 0)), history, step),
        data_position=data_position(step, epoch),
        metrics=metrics_at(history, step),
    )


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
    return metrics_at(history, step).get(SAS_LAMBDA)


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


def data_position(step: int, epoch: Epoch | None) -> int | None:
    """Examples read in the first `step` steps; None where an epoch's length is not known."""
    if step == 0:
        return 0
    return None if epoch is None else epoch.read(step)


def recorded_epoch(about: Mapping[str, Any]) -> Epoch | None:
    """The epoch of a run, by what the run left of itself; None where it does not say.

    CheckpointSeriesCallback leaves it as it was; a run of `hf-grok train` names the rows of its
    data, its processes and the settings that are not at their defaults.

    Args:
        about: as in run.json or series/about.json.
    """
    if "epoch" in about:
        return None if about["epoch"] is None else Epoch(**about["epoch"])
    processes, rows = about.get("chosen", {}).get("processes"), about.get("data", {})
    if processes is None or "arguments" not in about or "train_examples" not in rows:
        return None
    settings = {**TRAINERS_BATCH, **about.get("bound_arguments", {}), **about["arguments"]}
    # The first may have trained with another batch, the second shares out its batches otherwise.
    if settings.get("auto_find_batch_size") or settings.get("accelerator_config"):
        return None
    batch, accumulated = (int(settings[name]) for name in TRAINERS_BATCH)
    examples = rows_in_epoch(
        int(rows["train_examples"]),
        batch,
        int(processes),
        drop_last=bool(settings.get("dataloader_drop_last")),
    )
    return Epoch(examples, batch * int(processes) * accumulated) if examples else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
