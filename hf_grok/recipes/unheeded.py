"""Arguments that a run would read, record and do nothing with, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator

from hf_grok.errors import UserError
from hf_grok.models.subword_tokenizer import KINDS, WORDPIECE
from hf_grok.recipes.arguments import GrokTrainingArguments
from hf_grok.recipes.objective import is_masked
from hf_grok.recipes.recipe import FILE_SCALE, Settings
from hf_grok.runs.record import default_of

_STEPS = "say --evaluations, such as every:500"
_ALONE = "evaluations choose their batches themselves: leave it away"
_ORDER = "the order of the data is the recipe's: say --bucketed_batches"
# Of Trainer, in every recipe.
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
_HELD_OUT = ("validation_share", "validation_seed")
_OF_A_CORPUS = (
    *("validation_data", "probe_data", *_HELD_OUT),
    *("tokenizer", "vocabulary_size", "lowercase", "row_tokens"),
)
_OF_A_LANGUAGE = ("language_config", "language_options")
_OF_MASKS = ("mask_share", "mask_random", "mask_kept")


def refuse_unheeded(settings: Settings) -> None:
    """Refuse an argument that would be read, recorded and done nothing with.

    Raises:
        UserError: names it and what to say instead, or who heeds it.
    """
    _refuse_trainers(settings)
    own = settings.recipe.values if settings.recipe.scale == FILE_SCALE else {}
    for name, who in _out_of_place(settings):
        if (name in settings.overrides or name in own) and not _at_default(settings, name):
            raise UserError(f"{name}: only {who} heeds it: leave it away")


def _out_of_place(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every argument that this run does not heed, and what would."""
    data, model = settings.data, settings.model.model
    if data.data:
        yield from ((name, "a run on a language (--language)") for name in _OF_A_LANGUAGE)
        if data.validation_data:
            yield from ((name, "a corpus without --validation_data") for name in _HELD_OUT)
        if data.tokenizer != WORDPIECE:
            yield "lowercase", "a wordpiece tokenizer that is trained on the corpus"
        if data.tokenizer not in KINDS:
            trained = " or ".join(KINDS)
            yield "vocabulary_size", f"a tokenizer that is trained on the corpus ({trained})"
    elif data.language:
        yield from ((name, "a run on a corpus (--data)") for name in _OF_A_CORPUS)
    if not is_masked(model):
        yield from ((name, f"a masked language model ({model} is none)") for name in _OF_MASKS)


def _at_default(settings: Settings, name: str) -> bool:
    group = settings.group(name)
    return bool(getattr(group, name) == default_of(type(group).__dataclass_fields__[name]))


def _refuse_trainers(settings: Settings) -> None:
    for name in (*settings.recipe.values, *settings.overrides):
        if name not in INSTEAD:
            continue
        value = getattr(settings.training, name)
        if value != default_of(GrokTrainingArguments.__dataclass_fields__[name]):
            raise UserError(f"{name}={value}: recipes do not heed it. Instead, {INSTEAD[name]}")
