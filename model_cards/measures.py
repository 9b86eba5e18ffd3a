"""The main numbers of a run in words: what is shown of every step, and what it must beat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hf_grok.metrics import (
    NONE,
    PREFIX,
    VALIDATION_LOSS,
    Metric,
    baseline_of,
    find_metric,
    headlines,
    title_of,
)
from hf_grok.model_cards.facts import StepFacts


@dataclass(frozen=True)
class MainNumber:
    """A column of a run's log that a card shows.

    Attributes:
        column: its name there.
        title: in words.
        kind: the Hub's identifier of such a metric.
        split: of the data that it is measured on; None where that differs.
        baseline: the column that holds what structure-free scores get, "" for none.
        baseline_title: what that is, in words.
    """

    column: str
    title: str
    kind: str
    split: str | None = None
    baseline: str = ""
    baseline_title: str = ""


_TRAINING_LOSS = MainNumber("loss", "loss, training", "loss", "train")
# Numbers about the machine and about the counting, that Trainer logs beside the results.
_TECHNICAL = re.compile(r"runtime|per_second|_time$|tokens_seen|memory|_examples$|_samples$|flos")
_AT_MOST = 6


def main_numbers(
    steps: Sequence[StepFacts], recorded: Mapping[str, Metric] = NONE
) -> list[MainNumber]:
    """The numbers that a table of these steps shows, those of this package first.

    A run that logs no main number but the loss is shown by the first `eval_` columns that it has.

    Args:
        steps: of the series.
        recorded: what the run's own probes declared of their numbers.
    """
    logged = list(dict.fromkeys(column for step in steps for column in step.metrics))
    shown = [
        _declared(column, metric, recorded)
        for column, metric in headlines(logged, recorded).items()
    ]
    if all(number.column == VALIDATION_LOSS for number in shown):
        shown += [_named(column) for column in logged if _is_result(column)]
    if "loss" in logged and all(number.column != VALIDATION_LOSS for number in shown):
        shown.insert(0, _TRAINING_LOSS)
    return shown[:_AT_MOST]


def baselines(
    numbers: Iterable[MainNumber], metrics: Mapping[str, float]
) -> list[tuple[MainNumber, float]]:
    """Every shown number that has a baseline, with what the baseline scores."""
    return [(number, metrics[number.baseline]) for number in numbers if number.baseline in metrics]


def _declared(column: str, metric: Metric, recorded: Mapping[str, Metric]) -> MainNumber:
    kind = metric.kind or column.removeprefix(PREFIX)
    shown = MainNumber(column, title_of(column, metric), kind, metric.split)
    baseline = baseline_of(column, recorded)
    if not isinstance(baseline, str):
        return shown
    about = find_metric(baseline, recorded)
    words = title_of(baseline, about) if about else baseline.removeprefix(PREFIX)
    return replace(shown, baseline=baseline, baseline_title=words)


def _named(column: str) -> MainNumber:
    name = column.removeprefix(PREFIX)
    return MainNumber(column, name.replace("_", " "), name)


def _is_result(column: str) -> bool:
    return column.startswith(PREFIX) and column != VALIDATION_LOSS and not _TECHNICAL.search(column)
