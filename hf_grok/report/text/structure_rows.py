"""What probes measured, as rows of the table of numbers, and which of them failed, in words."""

from __future__ import annotations

from hf_grok.dynamics import Run
from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.curves import highest, lowest
from hf_grok.metrics import Baseline
from hf_grok.report.groups import Group
from hf_grok.report.probe_metrics import Family, families, paradigms
from hf_grok.report.style import numerals
from hf_grok.report.text.tables import NOTHING, Cell, Row
from hf_grok.runs.probe_files import ProbeFailure

MEANING = (
    "{metric} at the last step that was probed; below it the best of all steps, and what scores "
    "without the model's structure"
)
PARADIGM_MEANING = (
    "share of this paradigm's pairs whose grammatical sentence is the likelier, at the last step "
    "that was probed; below it the highest of all steps"
)
SHOWN_STEPS = 4


def structure_rows(group: Group) -> list[Row]:
    """Last and best value of each main number of a probe, with the baseline to beat."""
    return [
        Row(
            family.title,
            MEANING.format(metric=family.measures[0].name),
            tuple(_cell(run, family) for run in group.runs),
        )
        for family in families(group.columns, group.recorded)
        if family.headline
    ]


def paradigm_rows(group: Group) -> list[Row]:
    """Last and best accuracy of each paradigm of minimal pairs: their mean hides them."""
    named = [Family(f"pairs: {one.title}", (one,)) for one in paradigms(group.columns)]
    return [
        Row(family.title, PARADIGM_MEANING, tuple(_cell(run, family) for run in group.runs))
        for family in named
    ]


def failed_probes(group: Group) -> list[str]:
    """One sentence for each probe of each run that failed at some step."""
    return [
        _told(group.labels[place] if len(group.runs) > 1 else "", failures)
        for place, run in enumerate(group.runs)
        for failures in _by_probe(run)
    ]


def _cell(run: Run, family: Family) -> Cell:
    measure = family.measures[0]
    if not _has(run, measure.column):
        return NOTHING
    steps, values = curve(run.evaluations, measure.column)
    best = (lowest if measure.metric.direction == "fall" else highest)(steps, values)
    remark = f"best {family.say(best.value)} at {numerals.step(best.step)}"
    level = _level(run, measure.baselines[0]) if measure.baselines else None
    if level is not None:
        remark += f"; {measure.baselines[0].label} {family.say(level)}"
    return Cell(family.say(float(values[-1])), remark)


def _level(run: Run, baseline: Baseline) -> float | None:
    """A baseline at the last step at which it was measured."""
    if baseline.value is not None or not _has(run, baseline.column):
        return baseline.value
    return float(curve(run.evaluations, baseline.column)[1][-1])


def _has(run: Run, column: str) -> bool:
    return column in run.evaluations.columns and bool(run.evaluations[column].notna().any())


def _by_probe(run: Run) -> list[list[ProbeFailure]]:
    """The failures of each probe, in the order of steps."""
    found: dict[str, list[ProbeFailure]] = {}
    for failure in sorted(run.failures, key=lambda one: one.step):
        found.setdefault(failure.probe, []).append(failure)
    return [found[probe] for probe in sorted(found)]


def _told(label: str, failures: list[ProbeFailure]) -> str:
    steps = [numerals.step(failure.step) for failure in failures]
    if len(steps) > SHOWN_STEPS:
        steps = [*steps[: SHOWN_STEPS - 1], f"{len(steps) - SHOWN_STEPS + 1} more"]
    where = f"step{'s' * (len(failures) > 1)} {numerals.spoken_list(steps)}"
    opening = f"{label[:1].upper()}{label[1:]}: the" if label else "The"
    reason = failures[0].reason.strip().rstrip(".")
    because = f". At the first of them: {reason}" if len(failures) > 1 else f": {reason}"
    return (
        f"{opening} probe {failures[0].probe} failed at {where}, where its curves have no value"
        f"{because}."
    )
