"""Arguments of Trainer that a recipe's run does not heed, and what does the same there."""

from __future__ import annotations

from hf_grok.errors import UserError
from hf_grok.recipes.arguments import GrokTrainingArguments
from hf_grok.recipes.recipe import Settings
from hf_grok.runs.record import default_of

_STEPS = "say --evaluations, such as every:500"
_ALONE = "evaluations choose their batches themselves: leave it away"
_ORDER = "the order of the data is the recipe's: say --bucketed_batches"
INSTEAD = {
    "num_train_epochs": "a run's length is counted in steps: say --max_steps",
    "eval_steps": _STEPS,
    "eval_delay": _STEPS,
    "eval_on_start": "step 0 is evaluated always: leave it away",
    "save_steps": "say --checkpoints, such as every:500",
    "save_only_model": "no run could be resumed from such checkpoints: leave it away",
    "ignore_data_skip": "a resumed run would read other data than it should: leave it away",
    "resume_from_checkpoint": "say --resume, or --from-checkpoint for a run that branches off",
    "auto_find_batch_size": "the batch is part of the run: say --per_device_train_batch_size, and "
    "--gradient_accumulation_steps where memory is short",
    "load_best_model_at_end": "the final model is the last step's, and every checkpoint is kept: "
    "take the best one from there",
    "train_sampling_strategy": _ORDER,
    "length_column_name": _ORDER,
    "dataloader_drop_last": "every line is read in every epoch: leave it away",
    "per_device_eval_batch_size": _ALONE,
    "eval_accumulation_steps": _ALONE,
    "eval_do_concat_batches": _ALONE,
    "eval_use_gather_object": _ALONE,
    "batch_eval_metrics": _ALONE,
    "prediction_loss_only": _ALONE,
    "do_train": "hf-grok train trains: leave it away",
    "do_eval": _STEPS,
    "do_predict": "use hf-grok probe, or transformers, on the model that was trained",
}


def refuse_unheeded(settings: Settings) -> None:
    """Refuse an argument that would be read, recorded and done nothing with.

    Raises:
        UserError: names it and what to say instead.
    """
    for name in (*settings.recipe.values, *settings.overrides):
        if name not in INSTEAD:
            continue
        value = getattr(settings.training, name)
        if value != default_of(GrokTrainingArguments.__dataclass_fields__[name]):
            raise UserError(f"{name}={value}: recipes do not heed it. Instead, {INSTEAD[name]}")
