"""Evaluations and checkpoints at log-spaced steps, the first and the last step included."""

from __future__ import annotations

from typing import Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from hf_grok.errors import UserError
from hf_grok.schedule import StepSchedule


class LogSpacedCallback(TrainerCallback):
    """Evaluate and save at 0, 1, 2, 4, ... then every N, and at the last step.

    Works on the plain `Trainer`, with `eval_strategy="no"` and `save_strategy="no"` (another
    strategy would add steps of its own, and is refused). Everything follows from
    `state.global_step`: there is nothing to restore on resume.

    Args:
        trainer: whose run it is; step 0 cannot be had through a callback's control alone.
        evaluate: schedule of the evaluations, a `StepSchedule` or its text form ("log:250").
        save: schedule of the checkpoints; None saves none.

    Raises:
        UserError: an empty or unsorted schedule; a trainer with strategies of its own.

    Example:
        >>> trainer.add_callback(LogSpacedCallback(trainer, "log:250", save="every:2000"))
    """

    def __init__(
        self,
        trainer: Trainer,
        evaluate: StepSchedule | str | None = "log:250",
        save: StepSchedule | str | None = None,
    ) -> None:
        self._trainer = trainer
        self.evaluate = StepSchedule.parse(evaluate) if isinstance(evaluate, str) else evaluate
        self.save = StepSchedule.parse(save) if isinstance(save, str) else save
        for option in ("eval_strategy", "save_strategy"):
            chosen = getattr(trainer.args, option)
            if chosen != "no":
                raise UserError(
                    f'{option}="{chosen.value}" and LogSpacedCallback would both choose steps: '
                    f'set {option}="no"'
                )

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Evaluate and save step 0, which Trainer's own control offers no way to ask for.

        A run that goes on from a checkpoint of step 0 has done so: its history says it.
        """
        if state.global_step > 0 or state.log_history:
            return
        if self.evaluate is not None:
            self._trainer.evaluate()
        if self.save is not None:
            self._trainer._save_checkpoint(self._trainer.model_wrapped, trial=None)
            self._trainer.callback_handler.on_save(args, state, control)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Ask for the evaluation and the checkpoint that are due at this step."""
        step, last = state.global_step, state.max_steps
        if self.evaluate is not None and self.evaluate.due(step, last):
            control.should_evaluate = True
        if self.save is not None and self.save.due(step, last):
            control.should_save = True
