"""Refuse what cannot run, before data are generated and before a folder is made."""

from __future__ import annotations

import math

from hf_grok._optional import import_optional
from hf_grok.callbacks.dashboards.shown import check_detail
from hf_grok.errors import UserError
from hf_grok.masking import check_shares
from hf_grok.recipes.architecture import check_options, plain_config
from hf_grok.recipes.objective import check_model_speaks, is_masked
from hf_grok.recipes.probes import chosen_probes
from hf_grok.recipes.recipe import Settings
from hf_grok.recipes.trainer.hardware import (
    choose_attention,
    choose_dropout_masks,
    choose_precision,
)
from hf_grok.recipes.unheeded import refuse_unheeded
from hf_grok.runs.schedule import parse_schedule
from hf_grok.sas.checks import check_clamp
from hf_grok.text.json_reading import read_options

SHORTEST_ROW = 8
_BELOW_ONE = math.nextafter(1.0, 0.0)
_MORE = (0, math.inf, "0 or more")
_FRACTION = (0, _BELOW_ONE, "0 or more, and below 1")
_COUNT = (1, math.inf, "1 or more")
# Argument -> least and greatest value, and both in words. torch takes a negative weight decay,
# under which weights grow, without a word.
RANGES = {
    "learning_rate": _MORE,
    "weight_decay": _MORE,
    "max_grad_norm": (0, math.inf, "0 (gradients are not clipped) or more"),
    "warmup_steps": _MORE,
    "adam_beta1": _FRACTION,
    "adam_beta2": _FRACTION,
    "adam_epsilon": _MORE,
    "label_smoothing_factor": _FRACTION,
    "per_device_train_batch_size": _COUNT,
    "gradient_accumulation_steps": _COUNT,
    "max_steps": _MORE,
    "threads": (0, math.inf, "0 (chosen by width and batch) or more"),
    "stop_after": (0, math.inf, "0 (never) or more steps"),
    "probe_examples": (1, math.inf, "at least 1 sentence; --probes none turns the probes off"),
    "probe_pairs": (
        *(1, math.inf),
        "at least 1 pair a paradigm; leave pairs out of --probes to score none",
    ),
    "probe_every": (1, math.inf, "at least 1 step"),
}


def check_settings(settings: Settings) -> None:
    """Look at every value that needs neither the data nor the model.

    Raises:
        UserError: a value outside what is allowed, two values that exclude each other, or a
            reporter that is not installed.
    """
    training = settings.training
    refuse_unheeded(settings)
    check_ranges(settings)
    check_detail(settings.probes.probe_detail)
    check_clamp(training)
    choose_precision(training.precision, training.device)
    choose_attention(settings.model.attention, training.device)
    masks = choose_dropout_masks(settings.model.dropout_masks, training.device)
    if training.sparse_prediction and not is_masked(settings.model.model):
        raise UserError(
            f"sparse_prediction is for masked language models, and {settings.model.model} is a "
            "causal one, which predicts every token: leave it away"
        )
    options = read_options("model_options", settings.model.model_options)
    check_options(plain_config(settings.model.model), options)
    _check_masking(settings)
    if settings.data.data:
        check_corpus(settings)
    else:
        check_language(settings)
    for schedule in (training.evaluations, training.checkpoints):
        parse_schedule(schedule)
    for option in ("eval_strategy", "save_strategy"):
        if getattr(training, option) != "no":
            raise UserError(
                f"{option} and the schedules of --evaluations and --checkpoints would both choose "
                f"steps: leave {option} alone"
            )
    if training.bf16 or training.fp16:
        raise UserError(
            "precision has one switch here: say --precision bf16 (or fp32, or auto) instead of "
            "--bf16 or --fp16"
        )
    # The older of its two names: TrainingArguments sets both alike from release 5.23 on.
    if training.gradient_checkpointing and masks == "pooled":
        raise UserError(
            "activation checkpointing runs the forward pass twice, and pooled dropout masks would "
            "differ: train with --dropout_masks drawn"
        )
    if "trackio" in (training.report_to or ()):
        import_optional("trackio", extra="trackio", purpose="reports to trackio")


def check_ranges(settings: Settings) -> None:
    """Look at every argument of RANGES.

    Raises:
        UserError: one lies outside, or is no number; says what was expected.
    """
    for name, (least, greatest, words) in RANGES.items():
        value = getattr(settings.group(name), name)
        if value is not None and not least <= float(value) <= greatest:
            raise UserError(f"{name}={value}: expected {words}")


def check_language(settings: Settings) -> None:
    """A language that the model can learn.

    Raises:
        UserError: there is neither a language nor a corpus; a model that cannot learn it.
    """
    data = settings.data
    if not data.language:
        raise UserError(
            f"{settings.recipe.name} learns a parsed corpus, or a language, and neither is named: "
            "say --data FOLDER (hf-grok data parse makes one of raw text), or --language NAME"
        )
    check_model_speaks(settings.model.model, data.language)
    chosen_probes(settings.probes.probes, data.language)


def check_corpus(settings: Settings) -> None:
    """No language beside the corpus, and rows with room for words.

    Raises:
        UserError: there is one; rows too short.
    """
    data = settings.data
    if data.language:
        raise UserError(
            f"language={data.language} and data={' '.join(data.data)}: a run learns the one or the "
            "other: leave one away"
        )
    if data.row_tokens < SHORTEST_ROW:
        raise UserError(f"row_tokens={data.row_tokens}: expected {SHORTEST_ROW} at least")


def _check_masking(settings: Settings) -> None:
    """Shares in range, and no worker that would outlive the epoch whose masks it draws."""
    data = settings.data
    check_shares(data.mask_share, data.mask_random, data.mask_kept, prefix="mask_")
    if settings.training.dataloader_persistent_workers and is_masked(settings.model.model):
        raise UserError(
            "dataloader_persistent_workers keeps workers that never hear of a new epoch and would "
            "mask the same words in each: leave it off"
        )
