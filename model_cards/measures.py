"""The main numbers of a run in words: what is shown of every step, and what it must beat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


_OURS = (
    MainNumber("eval_loss", "loss, validation", "loss", "validation"),
    MainNumber(
        "eval_in_distribution_accuracy", "accuracy, in distribution", "accuracy", "test"
    ),
    MainNumber(
        "eval_generalization_accuracy", "accuracy, generalization", "accuracy", "generalization"
    ),
    MainNumber(
        "eval_uas_best_head", "UAS, best heads", "uas", "test", "eval_uas_best_offset",
        "the best fixed offset of each relation",
    ),
    MainNumber(
        "eval_uas_single_head", "UAS, one head", "uas", "test", "eval_uas_single_offset",
        "the best fixed offset",
    ),
    MainNumber(
        "eval_uas_atypical", "UAS, uncommon offsets", "uas", "test", "eval_uas_atypical_offset",
        "the best fixed offset",
    ),
    MainNumber(
        "eval_tree_parseval", "parseval F1 of projected trees", "parseval", "test",
        "eval_tree_right_branching", "right-branching trees",
    ),
    MainNumber("eval_pairs_accuracy", "accuracy, minimal pairs", "accuracy"),
)  # fmt: skip
_BY_COLUMN = {number.column: number for number in _OURS}
_TRAINING_LOSS = MainNumber("loss", "loss, training", "loss", "train")
# Numbers about the machine and about the counting, that Trainer logs beside the results.
_TECHNICAL = re.compile(r"runtime|per_second|_time$|tokens_seen|memory|_examples$|_samples$|flos")
_AT_MOST = 6


def main_numbers(steps: Sequence[StepFacts]) -> list[MainNumber]:
    """The numbers that a table of these steps shows, those of this package first.

    A run that logs none of ours but the loss is shown by the first `eval_` columns that it has.
    """
    logged = list(dict.fromkeys(column for step in steps for column in step.metrics))
    shown = [number for number in _OURS if number.column in logged]
    if all(number.column == "eval_loss" for number in shown):
        shown += [number for number in map(_named, logged) if _is_result(number.column)]
    if "loss" in logged and all(number.column != "eval_loss" for number in shown):
        shown.insert(0, _TRAINING_LOSS)
    return shown[:_AT_MOST]


def baselines(
    numbers: Iterable[MainNumber], metrics: Mapping[str, float]
) -> list[tuple[MainNumber, float]]:
    """Every shown number that has a baseline, with what the baseline scores."""
    return [(number, metrics[number.baseline]) for number in numbers if number.baseline in metrics]


def _named(column: str) -> MainNumber:
    title = column.removeprefix("eval_").replace("_", " ")
    return MainNumber(column, title, column.removeprefix("eval_"))


def _is_result(column: str) -> bool:
    known = column in _BY_COLUMN
    return column.startswith("eval_") and not known and not _TECHNICAL.search(column)
