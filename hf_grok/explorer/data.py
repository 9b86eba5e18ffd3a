"""Everything that a page shows, as one object of plain JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hf_grok.explorer.arrivals import LEVEL, arrivals_of
from hf_grok.explorer.curves import table_of, training_table
from hf_grok.explorer.intervals import counts_of, examples_of, interval_table
from hf_grok.explorer.marks import marks_of
from hf_grok.explorer.missing import missing_parts
from hf_grok.explorer.notes import page_notes
from hf_grok.explorer.numbers import describe_numbers
from hf_grok.explorer.pictures import TREE, UAS, maps_of, pictured_steps, trees_of
from hf_grok.explorer.reading import Explored
from hf_grok.explorer.thinning import kept_pictures
from hf_grok.metrics import headlines
from hf_grok.report.style.drawing import linear_until
from hf_grok.report.text.run_prose import describe_status
from hf_grok.version import __version__

# What a page may hold: about 10 MB of numbers, and 12 MB of pictures.
MOST_NUMBERS = 1_500_000
MOST_PICTURES = 12_000_000  # characters
MOST_ROWS, FEWEST_ROWS = 2_000, 60
FEWEST_PICTURES = 4

Marks = Mapping[str, Sequence[Mapping[str, Any]]]


def page_data(shown: Sequence[Explored], notes: Sequence[str] = ()) -> dict[str, Any]:
    """The runs, what their numbers are, and what is said of all of them.

    Args:
        shown: at least one run, as `read_explored` gives them.
        notes: what a reader should know of runs that are not shown.

    Raises:
        UserError: pictures that are in no known form; a number of a probe whose package does not
            load.
    """
    labels = data_labels(shown)
    marks = [marks_of(one) for one in shown]
    rows = _most_rows(shown)
    pictures = _most_pictures(shown)
    names = _names(shown)
    told = zip(shown, names, labels, marks, strict=True)
    runs = [_run(one, name, label, found, rows, pictures) for one, name, label, found in told]
    tables = [run[part] for run in runs for part in ("evaluations", "training")]
    columns = [name for table in tables for name in table["columns"]]
    recorded = {name: metric for one in shown for name, metric in one.run.metrics.items()}
    last = max(run["evaluations"]["steps"][-1] for run in runs)
    return {
        "made_by": f"hf-grok {__version__}",
        "title": _title(shown),
        "runs": runs,
        "numbers": describe_numbers(columns, recorded),
        "intervals": _intervals(shown),
        "arrivals": {"level": LEVEL, "curves": arrivals_of(shown, labels)},
        "linear_until": linear_until(last),
        "notes": [*page_notes(shown, names, labels, runs), *notes],
    }


def data_labels(shown: Sequence[Explored]) -> list[str]:
    """What each run was trained on: its recipe, and a number where one recipe had several data.

    A run that records no fingerprint of its data is told apart by its recipe alone.
    """
    prints: dict[str, list[str]] = {}
    for one in shown:
        known = prints.setdefault(one.run.recipe, [])
        if (found := _fingerprint(one)) not in known:
            known.append(found)
    return [
        one.run.recipe
        if len(prints[one.run.recipe]) == 1
        else f"{one.run.recipe}, data {1 + prints[one.run.recipe].index(_fingerprint(one))}"
        for one in shown
    ]


def _fingerprint(one: Explored) -> str:
    data = one.run.info.get("data")
    return str(data.get("fingerprint", "")) if isinstance(data, Mapping) else ""


def _names(shown: Sequence[Explored]) -> list[str]:
    """The runs' own names; with their folders where two have the same."""
    names = [one.run.name for one in shown]
    return [
        name if names.count(name) == 1 else str(one.run.path)
        for one, name in zip(shown, names, strict=True)
    ]


def _run(
    one: Explored, name: str, data: str, marks: Marks, rows: int, pictures: int
) -> dict[str, Any]:
    marked = {mark["step"] for found in marks.values() for mark in found}
    steps = {
        probe: kept_pictures(every, pictures, marked)
        for probe, every in pictured_steps(one.run).items()
    }
    frame = one.run.evaluations
    before = frame.index.searchsorted(sorted(marked), side="right") - 1
    always = {*frame.index[before], *steps[TREE], *steps[UAS]}
    main = [measure.column for measure in headlines(one.group.columns, one.run.metrics)]
    arguments = one.run.info.get("arguments", {})
    return {
        "name": name,
        "data": data,
        "arm": one.arm,
        "depth": one.run.layers,
        "seed": one.run.seed,
        "status": one.run.status,
        "evaluations": table_of(frame, rows, main=main, always=always),
        "training": training_table(one.run.training, rows),
        "marks": marks,
        "examples": _examples(one, arguments),
        "trees": trees_of(one.run, steps[TREE]) if steps[TREE] else None,
        "maps": maps_of(one.run, steps[UAS]) if steps[UAS] else None,
        "missing": missing_parts(one),
        "notes": [*filter(None, [describe_status(one.run)]), *one.run.notes],
    }


def _examples(one: Explored, arguments: Mapping[str, Any]) -> dict[str, int]:
    """Column -> of how many each of its values is a count."""
    found = {}
    for column in one.group.columns:
        examples = examples_of(column, arguments)
        values = one.run.evaluations[column].to_numpy(dtype=np.float64)
        if examples is not None and counts_of(values, examples) is not None:
            found[column] = examples
    return found


def _intervals(shown: Sequence[Explored]) -> dict[str, dict[str, list[float]]]:
    """Examples -> count -> interval, of every count that a curve has."""
    counts: dict[int, set[int]] = {}
    for one in shown:
        for column, examples in _examples(one, one.run.info.get("arguments", {})).items():
            values = one.run.evaluations[column].to_numpy(dtype=np.float64)
            counts.setdefault(examples, set()).update(counts_of(values, examples) or ())
    return {str(examples): interval_table(found, examples) for examples, found in counts.items()}


def _most_rows(shown: Sequence[Explored]) -> int:
    columns = sum(one.run.evaluations.shape[1] for one in shown)
    return int(np.clip(MOST_NUMBERS // max(1, columns), FEWEST_ROWS, MOST_ROWS))


def _most_pictures(shown: Sequence[Explored]) -> int:
    """How many steps of each run's pictures fit, by the size of its last ones."""
    size = 0
    for one in shown:
        steps = pictured_steps(one.run)
        for probe, read in ((TREE, trees_of), (UAS, maps_of)):
            if steps[probe]:
                size += len(json.dumps(read(one.run, steps[probe][-1:]), separators=(",", ":")))
    return max(FEWEST_PICTURES, MOST_PICTURES // max(1, size))


def _title(shown: Sequence[Explored]) -> str:
    if len(shown) == 1:
        return shown[0].group.title
    recipes = dict.fromkeys(one.run.recipe for one in shown)
    return f"{', '.join(recipes)}: {len(shown)} runs"
