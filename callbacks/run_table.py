"""The run's own table: every logged row, on disk as it comes."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from hf_grok.runs.record import RunRecord


class RunTableCallback(TrainerCallback):
    """Appends what Trainer logs to the run's metrics.jsonl; process zero only.

    Args:
        record: of the run.
    """

    def __init__(self, record: RunRecord) -> None:
        self._record = record

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the row that Trainer has just put into its history.

        Not the history's last one: a callback before this one may have logged a row of its own.
        """
        if state.is_world_process_zero:
            self._record.append({**(logs or {}), "step": state.global_step})
