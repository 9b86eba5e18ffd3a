"""What the Hub reads of a series: the YAML at the head of its card, and `.eval_results` files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from huggingface_hub import EvalResult, EvalResultEntry, ModelCardData, eval_result_entries_to_yaml
from huggingface_hub.utils import yaml_dump

from hf_grok.errors import UserError
from hf_grok.metrics import Measure
from hf_grok.model_cards.dataset_card import MARKER
from hf_grok.runs.step import NamedStep

if TYPE_CHECKING:
    from hf_grok.model_cards.series_card import SeriesCard

TAGS = (MARKER, "training-dynamics", "checkpoint-series")
REGULARISED = "syntactic-attention-regularisation"
EVAL_RESULTS = ".eval_results"


def series_metadata(card: SeriesCard) -> dict[str, Any]:
    """The metadata of a series' main page, with the last step's main numbers as `model-index`."""
    language = card.data.language.language if card.data.language else ""
    results = list(_results(card)) if card.data.name else []  # results are of a data set
    data = ModelCardData(
        library_name="transformers",
        license=card.licence,
        language=language or None,
        pipeline_tag=card.model.task.pipeline_tag,
        base_model=card.model.base_model,
        datasets=[card.data.hub_id] if card.data.hub_id else None,
        tags=series_tags(card),
        model_name=card.title if results else None,
        eval_results=results or None,
    )
    return data.to_dict()


def step_metadata(card: SeriesCard) -> dict[str, Any]:
    """The metadata of one step's page: the series' own without results, which are of `main`."""
    kept = ("library_name", "license", "language", "pipeline_tag", "base_model", "datasets", "tags")
    whole = series_metadata(card)
    return {key: whole[key] for key in kept if key in whole}


def series_tags(card: SeriesCard) -> list[str]:
    """Tags that any series has, and those of its language and regulariser."""
    language = card.data.language
    grokking, own = (language.model_tags, language.tags) if language else ((), ())
    regularised = [REGULARISED] if card.regulariser else []
    return [*TAGS, *grokking, *regularised, *own]


def eval_result_files(card: SeriesCard) -> dict[str, str]:
    """Path in the repository -> text of the newer form of the last step's results.

    That form names a data set of the Hub, a "benchmark" whose page lists the models; the results
    of a data set that is not there stay in the `model-index`.

    Raises:
        UserError: the card names no data set of the Hub.
    """
    if card.data.hub_id is None:
        raise UserError(
            f"{EVAL_RESULTS} files name a data set of the Hub, and this series' data has no "
            "repository there: push it (hf-grok data NAME --push REPO) and give its name"
        )
    entries = [
        EvalResultEntry(
            dataset_id=card.data.hub_id,
            task_id=number.name,
            value=value,
            date=card.training.finished,
            notes=f"step {card.last.step}",
        )
        for number, value in reportable(card.numbers, card.last)
    ]
    if not entries:
        return {}
    name = card.data.hub_id.rpartition("/")[2]
    text = yaml_dump(eval_result_entries_to_yaml(entries), sort_keys=False)
    return {f"{EVAL_RESULTS}/{name}.yaml": text}


def reportable(numbers: Sequence[Measure], step: NamedStep) -> Iterator[tuple[Measure, float]]:
    """The numbers of a step that were measured on held-out data and are finite."""
    for number in numbers:
        value = step.metrics.get(number.column)
        if value is not None and number.metric.split != "train" and math.isfinite(value):
            yield number, value


def _results(card: SeriesCard) -> Iterator[EvalResult]:
    task = card.model.task
    for number, value in reportable(card.numbers, card.last):
        yield EvalResult(
            task_type=task.pipeline_tag or "other",
            task_name=task.words,
            dataset_type=card.data.hub_id or card.data.name,
            dataset_name=card.data_title,
            dataset_config=card.data.config,
            # Of other data than ours nobody said which split was measured.
            dataset_split=number.metric.split if card.data.language else None,
            metric_type=number.kind,
            metric_name=f"{number.title} (step {card.last.step})",
            metric_value=value,
        )
