"""The main numbers of a run in words: what is shown of every step, and what it must beat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hf_grok.metrics import NONE, PREFIX, VALIDATION_LOSS, Measure, Metric, headlines
from hf_grok.runs.step import NamedStep

_TRAINING_LOSS = Measure(
    "loss", Metric("loss of training", "nats", kind="loss", split="train"), "loss, training"
)
# Numbers about the machine and about the counting, that Trainer logs beside the results.
_TECHNICAL = re.compile(r"runtime|per_second|_time$|tokens_seen|memory|_examples$|_samples$|flos")
_AT_MOST = 6


def main_numbers(
    steps: Sequence[NamedStep], recorded: Mapping[str, Metric] = NONE
) -> list[Measure]:
    """The numbers that a table of these steps shows, those of this package first.

    A run that logs no main number but the loss is shown by the first `eval_` columns that it has.

    Args:
        steps: of the series.
        recorded: what the run's own probes declared of their numbers.
    """
    logged = list(dict.fromkeys(column for step in steps for column in step.metrics))
    shown = headlines(logged, recorded)
    if all(number.column == VALIDATION_LOSS for number in shown):
        shown += [_named(column) for column in logged if _is_result(column)]
    if "loss" in logged and all(number.column != VALIDATION_LOSS for number in shown):
        shown.insert(0, _TRAINING_LOSS)
    return shown[:_AT_MOST]


def baselines(
    numbers: Iterable[Measure], metrics: Mapping[str, float]
) -> list[tuple[Measure, float]]:
    """Every shown number of which something else scores the same, with what that scores."""
    return [
        (number, metrics[number.baseline.column])
        for number in numbers
        if number.baseline is not None and number.baseline.column in metrics
    ]


def _named(column: str) -> Measure:
    title = column.removeprefix(PREFIX).replace("_", " ")
    return Measure(column, Metric(title, ""), title)


def _is_result(column: str) -> bool:
    return column.startswith(PREFIX) and column != VALIDATION_LOSS and not _TECHNICAL.search(column)
