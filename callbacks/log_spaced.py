"""Evaluations and checkpoints at log-spaced steps, the first and the last step included."""

from __future__ import annotations

from typing import Any, TypeAlias

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from hf_grok.errors import UserError
from hf_grok.runs.epochs import Seen
from hf_grok.runs.schedule import AmountSchedule, StepSchedule, in_steps, parse_schedule

Schedule: TypeAlias = StepSchedule | AmountSchedule


class LogSpacedCallback(TrainerCallback):
    """Evaluate and save at 0, 1, 2, 4, ... then every N, and at the last step.

    Works on the plain `Trainer`, with `eval_strategy="no"` and `save_strategy="no"` (another
    strategy would add steps of its own, and is refused). Everything follows from
    `state.global_step`: there is nothing to restore on resume. In a hyperparameter search the
    checkpoints, step 0 among them, lie in each trial's own folder.

    Args:
        trainer: whose run it is; step 0 cannot be had through a callback's control alone.
        evaluate: schedule of the evaluations, a `StepSchedule` or its text form ("log:250"), or
            amounts of words or tokens ("words:1M,2M"): then the first step at which so many are
            seen is due.
        save: schedule of the checkpoints; None saves none.
        seen: "words" or "tokens" -> how many a run has seen, as a function of the step: what a
            schedule of amounts asks. Trainer's batches are rows of any length, so it cannot know.

    Raises:
        UserError: an empty or unsorted schedule; when training begins, amounts that nobody counts,
            that the run does not reach or of which one step passes two; a trainer with strategies
            of its own, or with `load_best_model_at_end`, which would load none.

    Example:
        >>> args = TrainingArguments("run", eval_strategy="no", save_strategy="no")
        >>> trainer = Trainer(model, args, train_dataset=rows, eval_dataset=rows)
        >>> trainer.add_callback(LogSpacedCallback(trainer, "log:250", save="every:2000"))
    """

    def __init__(
        self,
        trainer: Trainer,
        evaluate: Schedule | str | None = "log:250",
        save: Schedule | str | None = None,
        *,
        seen: Seen | None = None,
    ) -> None:
        self._trainer, self._seen = trainer, seen or {}
        self._asked = [parse_schedule(e) if isinstance(e, str) else e for e in (evaluate, save)]
        self.evaluate, self.save = (
            None if isinstance(one, AmountSchedule) else one for one in self._asked
        )
        check_arguments(trainer.args)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Evaluate and save step 0, which Trainer's own control offers no way to ask for.

        A run that goes on from a checkpoint of step 0 has done so: its history says it.

        Raises:
            UserError: the arguments are no longer what they were, as in a search over them.
        """
        check_arguments(args)
        self.evaluate, self.save = (
            None if one is None else in_steps(one, self._seen, state.max_steps)
            for one in self._asked
        )
        if state.global_step > 0 or has_evaluation(state):
            return
        if self.evaluate is not None and not args.eval_on_start:
            self._trainer.evaluate()
        if self.save is not None:
            trial = getattr(self._trainer, "_trial", None)
            self._trainer._save_checkpoint(self._trainer.model_wrapped, trial=trial)
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


def has_evaluation(state: TrainerState) -> bool:
    """Whether anything was evaluated; other callbacks may have logged what else they like."""
    return any(name.startswith("eval_") for row in state.log_history for name in row)


def check_arguments(args: TrainingArguments) -> None:
    """Refuse what would choose steps too, or would do nothing without strategies of Trainer's own.

    Raises:
        UserError: it is asked for.
    """
    for option in ("eval_strategy", "save_strategy"):
        chosen = getattr(args, option)
        if chosen != "no":
            raise UserError(
                f'{option}="{getattr(chosen, "value", chosen)}" and LogSpacedCallback would both '
                f'choose steps: set {option}="no"'
            )
    if args.load_best_model_at_end:
        raise UserError(
            "load_best_model_at_end does nothing beside LogSpacedCallback: Trainer keeps account "
            "of the best checkpoint only where save_strategy is its own. Set it to False and load "
            "the checkpoint that trainer.state.log_history shows to be best, or leave the "
            'callback out and set eval_strategy and save_strategy to "steps"'
        )
