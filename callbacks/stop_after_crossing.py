"""End a run a while after it has generalised: for demonstrations, never for statistics."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from hf_grok.errors import UserError


class StopAfterCrossingCallback(TrainerCallback):
    """Stop, and save, at the first evaluation `steps` after `metric` first reached `threshold`.

    A run stopped at its success makes every curve look like success: use it to show one, and
    `max_steps` alone where runs are counted. When to stop follows from `log_history`, so a resumed
    run stops where it would have.

    Args:
        metric: its name in `log_history`.
        threshold: to reach.
        steps: to go on for after that.

    Raises:
        UserError: `steps` below 1.
    """

    def __init__(self, metric: str, threshold: float, steps: int) -> None:
        if steps < 1:
            raise UserError(f"stop {steps} steps after crossing: expected at least 1")
        self.metric, self.threshold, self.steps = metric, threshold, steps

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """A run that was stopped at the checkpoint that it is resumed from stays stopped."""
        evaluated = any(
            self.metric in row and row["step"] == state.global_step for row in state.log_history
        )
        if evaluated and self._is_over(state):
            control.should_training_stop = True

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Look whether the crossing is far enough behind."""
        if self._is_over(state):
            control.should_training_stop = True
            control.should_save = True

    def _is_over(self, state: TrainerState) -> bool:
        crossing = self._crossing(state)
        return crossing is not None and state.global_step >= crossing + self.steps

    def _crossing(self, state: TrainerState) -> int | None:
        reached = (
            int(row["step"])
            for row in state.log_history
            if row.get(self.metric, float("-inf")) >= self.threshold
        )
        return next(reached, None)
