"""What is marked on curves: crossings of accuracies, and onsets."""

from __future__ import annotations

from typing import Any

from hf_grok.dynamics.curves import Crossing
from hf_grok.explorer.reading import Explored
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION, headlines
from hf_grok.report.figures.onset_marks import found_onsets, study_onsets

ONSETS = {"acceleration": "onset (speeds up most)", "crossing": "onset (stays beyond its baseline)"}


def marks_of(one: Explored) -> dict[str, list[dict[str, Any]]]:
    """Column -> its marks, by step: what each is, at which step, between which it may lie."""
    main = headlines(one.group.columns, one.group.recorded)
    found = {measure.column: _onsets(one, measure.column) for measure in main}
    for column, crossing in _crossings(one):
        found.setdefault(column, []).append(
            {
                "what": f"first at {crossing.threshold:g} or above",
                "step": crossing.step,
                "from": crossing.step if crossing.previous is None else crossing.previous,
                "to": crossing.step,
            }
        )
    return {
        column: sorted(marks, key=lambda mark: mark["step"])
        for column, marks in found.items()
        if marks
    }


def _onsets(one: Explored, column: str) -> list[dict[str, Any]]:
    found = found_onsets(study_onsets(one.group, column))
    return [
        {"what": ONSETS[rule], "step": onset.step, "from": interval[0], "to": interval[1]}
        for rule, onset, interval in found
    ]


def _crossings(one: Explored) -> list[tuple[str, Crossing]]:
    if one.summary is None:
        return []
    listed = [(IN_DISTRIBUTION, one.summary.saturation)]
    listed += [(GENERALIZATION, crossing) for crossing in one.summary.crossings]
    return [(column, crossing) for column, crossing in listed if crossing is not None]
