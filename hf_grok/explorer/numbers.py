"""What the page says of each number: title, unit, range, baseline, and in which table it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hf_grok.metrics import (
    GENERALIZATION,
    NONE,
    PREFIX,
    PROBES,
    TRAINING,
    Measure,
    Metric,
    find_measure,
    headlines,
    key_of,
    owner_of,
)
from hf_grok.report.figures.breakdown import KINDS, WRONG_RULES

TRAINING_PREFIX = "training:"  # before the name of what was logged while training
RELATION = "uas_relation_{}"
PARADIGM = "pairs_{}"
# The panels beside the slider, each of which shows several numbers of one step.
RELATIONS, PARADIGMS, ANSWERS = "relations", "paradigms", "answers"


def describe_numbers(
    columns: Iterable[str], recorded: Mapping[str, Metric] = NONE
) -> dict[str, dict[str, Any]]:
    """Column -> what the page says of it, the main numbers first.

    Args:
        columns: of evaluations, and names of training logs after `TRAINING_PREFIX`.
        recorded: what probes of other packages declared.
    """
    names = list(dict.fromkeys(columns))
    main = [one.column for one in headlines(names, recorded)]
    rest = [name for name in names if name not in main]
    return {name: _describe(name, recorded, main=name in main) for name in [*main, *rest]}


def _describe(column: str, recorded: Mapping[str, Metric], *, main: bool) -> dict[str, Any]:
    if column.startswith(TRAINING_PREFIX):
        name = column.removeprefix(TRAINING_PREFIX)
        title = f"{name.replace('_', ' ')}, training"
        facts = TRAINING.get(name)
        said = {"meaning": facts.meaning, "unit": facts.unit} if facts else {}
        own = {"title": title, "owner": "training", "share": False, "main": False, "lines": []}
        return {**own, **said}
    measure = find_measure(column, recorded)
    if measure is None:
        title = column.removeprefix(PREFIX).replace("_", " ")
        return {"title": title, "owner": "other", "share": False, "main": False, "lines": []}
    metric = measure.metric
    return {
        "title": measure.title,
        "meaning": metric.meaning,
        "unit": metric.unit,
        "owner": _owner(column),
        "share": metric.is_share,
        "log": metric.logarithmic,
        "main": main,
        "lines": [
            {"title": one.title, "column": one.column, "value": one.value}
            for one in measure.baselines
        ],
        **_table_of(measure),
    }


def _owner(column: str) -> str:
    """Heads its part of the list of numbers: the probe that measures it, or the run itself."""
    owner = owner_of(column)
    return "run" if owner == column else owner


def _table_of(measure: Measure) -> dict[str, str]:
    """The table of one step in which the number has a row, and the row's name."""
    name = measure.name
    if key_of(PROBES["uas"], name) == RELATION:
        return {"table": RELATIONS, "row": name.removeprefix(RELATION[:-2])}
    if key_of(PROBES["pairs"], name) == PARADIGM:
        return {"table": PARADIGMS, "row": name.removeprefix(PARADIGM[:-2])}
    kind = measure.column.removeprefix(f"{GENERALIZATION}_")
    if measure.column != kind and kind in KINDS:
        return {"table": ANSWERS, "row": KINDS[kind]}
    if measure.column in WRONG_RULES:
        rule = WRONG_RULES[measure.column].partition(" (")[0]
        return {"table": ANSWERS, "row": f"wrong rule: {rule}"}
    return {}
