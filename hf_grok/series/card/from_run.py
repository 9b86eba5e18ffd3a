"""From a run's folder to the facts of its card.

What a run of `hf-grok train` leaves (run.json, metrics.jsonl) says most. Of a plain Trainer's run
there are config.json and trainer_state.json; its arguments stand in a pickle, which is not opened,
so whoever trains writes what it knows to RUN/series/about.json, in run.json's layout.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_grok.languages import card_of
from hf_grok.model_cards.facts import (
    AnnotationFacts,
    CostFacts,
    DataFacts,
    Figure,
    ModelFacts,
    RegulariserFacts,
    TrainingFacts,
)
from hf_grok.model_cards.hardware import machine_in_words
from hf_grok.model_cards.series_card import SeriesCard
from hf_grok.runs.notes import RunNotes
from hf_grok.runs.step import NamedStep
from hf_grok.series.code.model_code import MODEL_CODE_FILE, OUR_MODELS, ships_code
from hf_grok.series.local.journal import StepRecord

# Of the model's configuration, what a reader wants to see; the rest is in config.json.
_SHAPE = (
    "hidden_size", "n_embd", "intermediate_size", "n_inner", "num_hidden_layers", "n_layer",
    "num_attention_heads", "n_head", "num_key_value_heads", "max_position_embeddings",
    "n_positions", "vocab_size", "tie_word_embeddings",
)  # fmt: skip
_DATA = ("language", "language_config", "language_options")
_EVALUATION = ("evaluation_examples", "evaluation_seed", "probes", "probe_examples", "probe_every")
# Settings that say where things go and who is told, nothing about the training; a token is one.
_ELSEWHERE = re.compile(
    r"output_dir|logging_dir|run_name|project|report_to|disable_tqdm|push_to_hub.*|hub_.*|"
    r"trackio_.*|log_level.*|cache_dir|resume_from_checkpoint|.*(?:^|_)(?:token|secret|password|key)"
)


def series_card(
    notes: RunNotes,
    records: Iterable[StepRecord],
    *,
    repo_id: str | None = None,
    title: str | None = None,
    licence: str | None = None,
    dataset: str | None = None,
    base_model: str | None = None,
    figures: Sequence[Figure] = (),
    limitations: Sequence[str] = (),
) -> SeriesCard:
    """The card of a series from its run's notes and the journal's rows.

    Args:
        notes: of the run.
        records: of every step that the card lists.
        repo_id: where the series goes.
        title: heading; by default the repository's name, else the folder's.
        licence: as the Hub names it.
        dataset: repository of the data on the Hub.
        base_model: repository of the weights that training began with.
        figures: pictures in the repository.
        limitations: of this run, in words.

    Raises:
        UserError: no records.
    """
    return SeriesCard(
        title=title or (repo_id or notes.name).rpartition("/")[2],
        model=_model(notes, base_model),
        data=_data(notes, dataset),
        training=_training(notes),
        cost=_cost(notes),
        steps=[NamedStep(r.step, r.revision, **r.values()) for r in records],
        repo_id=repo_id,
        regulariser=regulariser(_arguments(notes.about) or {}),
        annotation=AnnotationFacts(**notes.about.get("annotation", {})),
        parent=parent_run(notes.about.get("parent") or {}),
        figures=figures,
        licence=licence,
        limitations=limitations,
        metrics=notes.metrics,
    )


def hyperparameters(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that bear on training: without places, reporters, tokens, data and the penalty.

    They are shown elsewhere on the card, or nowhere.
    """
    shown = {*_DATA, *_EVALUATION}
    return {
        name: value
        for name, value in arguments.items()
        if name not in shown and not name.startswith("sas_") and not _ELSEWHERE.fullmatch(name)
    }


def regulariser(arguments: Mapping[str, Any]) -> RegulariserFacts | None:
    """The `sas_` settings that were given; None for a run that gives no schedule.

    Without a schedule lambda is 0 throughout, and other `sas_` settings mean nothing.
    """
    settings = {name: value for name, value in arguments.items() if name.startswith("sas_")}
    return RegulariserFacts(settings) if "sas_schedule" in settings else None


def parent_run(parent: Mapping[str, Any]) -> dict[str, Any]:
    """What a branch's run.json says of the run that it was branched from, in words, no paths."""
    if not parent:
        return {}
    optimiser = "moments reset" if parent.get("reset_optimizer") else "moments kept"
    facts = {
        "run": Path(str(parent.get("checkpoint", ""))).parent.name or None,
        "step": parent.get("step"),
        "optimiser": optimiser,
        "SHA-256 of the weights": parent.get("weights_sha256"),
        "settings that differ": parent.get("different"),
    }
    return {name: value for name, value in facts.items() if value}


def _arguments(about: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments that are not at their defaults, those that are 0 or no among them."""
    if "arguments" not in about:
        return None
    bound = about.get("bound_arguments", {})
    given = {**about["arguments"], **{k: v for k, v in bound.items() if v is not None}}
    return {name: value for name, value in given.items() if not _follows(name, value, given)}


def _follows(name: str, value: Any, given: Mapping[str, Any]) -> bool:
    """Whether transformers settles a value so by itself, from a default of none or other settings.

    It reads none as no for these: a run that says neither has them all the same.
    """
    if name.endswith("_checkpointing") or name == "debug":
        return not value
    if name == "do_eval":
        return bool(value) == (given.get("eval_strategy", "no") != "no")
    return name == "dataloader_pin_memory" and not value and bool(given.get("use_cpu"))


def _model(notes: RunNotes, base_model: str | None) -> ModelFacts:
    config, about = notes.config, notes.about.get("model", {})
    kind = config.get("model_type")
    return ModelFacts(
        architecture=next(iter(config.get("architectures") or ()), None),
        model_type=kind,
        shape={name: config[name] for name in _SHAPE if config.get(name) is not None},
        parameters=about.get("parameters"),
        needs_hf_grok=kind in OUR_MODELS and not ships_code(config),
        code_file=MODEL_CODE_FILE if ships_code(config) else None,
        base_model=base_model,
        from_scratch=True if "recipe" in notes.about and base_model is None else None,
    )


def _data(notes: RunNotes, dataset: str | None) -> DataFacts:
    arguments, data = _arguments(notes.about) or {}, notes.about.get("data", {})
    name = str(arguments.get("language") or data.get("name") or dataset or "")
    language = card_of(name)
    return DataFacts(
        name=name,
        described=data.get("described", ""),
        config=arguments.get("language_config") or data.get("config"),
        split=data.get("split"),
        options=arguments.get("language_options") or {},
        command=data_command(arguments) if language else None,
        hub_id=dataset or data.get("hub_id"),
        fingerprint=data.get("fingerprint"),
        train_examples=data.get("train_examples"),
        evaluation={key: arguments[key] for key in _EVALUATION if key in arguments},
        language=language,
    )


def data_command(arguments: Mapping[str, Any]) -> str:
    """The `hf-grok data` command that makes a recipe's data."""
    words = ["hf-grok", "data", str(arguments["language"])]
    if arguments.get("language_config"):
        words += ["--config", str(arguments["language_config"])]
    for name, value in (arguments.get("language_options") or {}).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*words, "--out", "DIR"])


def _training(notes: RunNotes) -> TrainingFacts:
    about, arguments = notes.about, _arguments(notes.about)
    recipe, scale = about.get("recipe", ""), about.get("scale")
    last = max((int(row.get("step", 0)) for row in notes.history), default=None)
    settings = None if arguments is None else hyperparameters(arguments)
    step = about.get("steps") or notes.state.get("global_step") or last
    planned = notes.state.get("max_steps") or (arguments or {}).get("max_steps")
    # The last push comes just before run.json says that the run is finished.
    trained = _runs(notes) and planned is not None and (step or 0) >= planned
    return TrainingFacts(
        recipe=recipe if scale in (None, "file") else f"{recipe} ({scale})",
        settings=settings,
        chosen=about.get("chosen", {}),
        seeds=_seeds(about),
        versions=about.get("versions", {}),
        status=None if trained else about.get("status"),
        step=step,
        max_steps=planned,
        started=about.get("started"),
        finished=about.get("finished"),
    )


def _runs(notes: RunNotes) -> bool:
    return bool(notes.about.get("status") == "running")


def _seeds(about: Mapping[str, Any]) -> dict[str, int]:
    arguments = _arguments(about) or {}
    options = arguments.get("language_options") or {}
    language = str(arguments.get("language", ""))
    named = {
        "training": about.get("seed", arguments.get("seed")),
        "order of the data": arguments.get("data_seed"),
        "data": options.get("seed", 0 if card_of(language) else None),
        "evaluated examples": arguments.get("evaluation_seed"),
    }
    return {name: seed for name, seed in named.items() if seed is not None}


def _cost(notes: RunNotes) -> CostFacts:
    about = notes.about
    runtimes = [row["train_runtime"] for row in notes.history if "train_runtime" in row]
    flos = [row["total_flos"] for row in notes.history if "total_flos" in row]
    return CostFacts(
        # What run.json says while the run goes on is the time of its earlier processes.
        seconds=(not _runs(notes) and about.get("seconds")) or sum(runtimes) or None,
        flos=max([*flos, notes.state.get("total_flos") or 0]) or None,
        hardware=machine_in_words(about.get("machine", {})),
        processes=about.get("chosen", {}).get("processes"),
    )
