"""What a repository holds of a series already, as the index on its `main` says.

The journal of a run may be gone while its series is on the Hub, and somebody may give the same
repository to two runs. The first goes on without losing a step; the second is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hf_grok.series.errors import PushingStopsError
from hf_grok.series.local.journal import DONE, State, StepRecord
from hf_grok.series.local.manifest import Absent, Index, IndexEntry, Manifest
from hf_grok.series.naming import RevisionTemplate


def check_same_series(
    index: Index, template: RevisionTemplate, records: Iterable[StepRecord], repository: str
) -> None:
    """Refuse a repository that holds the series of another run.

    Args:
        index: of the repository's `main`.
        template: names of this run's branches.
        records: of this run's journal.
        repository: for the message.

    Raises:
        PushingStopsError: its branches are called otherwise; a step has other weights there than
            here; it has no step in common with this run, so that nobody can tell.
    """
    own = "push to a repository of its own"
    if index.template != template.text:
        raise PushingStopsError(
            f"{repository} holds a series whose branches are called {index.template!r}, and these "
            f"would be {template.text!r}: give it that template, or {own}"
        )
    here = {record.step: record for record in records if record.weights}
    common = [entry for entry in index.steps if entry.step in here]
    for entry in common:
        if dict(entry.weights) != here[entry.step].weights:
            raise PushingStopsError(
                f"{repository} holds the series of another run: its {entry.revision} has other "
                f"weights than step {entry.step} of this one. Two runs are no series: {own}"
            )
    if here and index.steps and not common:
        raise PushingStopsError(
            f"{repository} holds a series ({_span(index.steps)}), and no step of it is in this "
            f"run's journal, so it may be another run's: {own}"
        )


def missing_here(index: Index | None, records: Iterable[StepRecord]) -> list[IndexEntry]:
    """What the index lists and the journal does not know, by step."""
    known = {record.step for record in records}
    return [] if index is None else [entry for entry in index.steps if entry.step not in known]


def record_of(entry: IndexEntry, manifest: Manifest | None, repository: str) -> StepRecord:
    """A row such as the journal would have of a step that only the repository knows."""
    record = StepRecord(entry.step, entry.revision, State.VERIFIED, repository=repository)
    if manifest is None:
        return record
    return replace(record, files=manifest.files, **manifest.values())


def index_of(
    template: str,
    records: Iterable[StepRecord],
    beside: Iterable[IndexEntry] = (),
    annotation: Mapping[str, str | None] | None = None,
) -> Index:
    """The index of the steps that are on the Hub, and of those that never came so far, by step.

    Args:
        template: names of the branches.
        records: of the journal.
        beside: entries of an earlier index that the journal does not know.
        annotation: schemes of the run's arcs.
    """
    rows = list(records)
    entries: Mapping[int, IndexEntry] = {
        **{entry.step: entry for entry in beside},
        **{
            r.step: IndexEntry(r.step, r.revision, r.weights, r.pages)
            for r in rows
            if r.state in DONE
        },
    }
    kinds = {State.REFUSED: "refused", State.SAVED: "missing"}
    absent = [Absent(r.step, r.revision, kinds[r.state]) for r in rows if r.state in kinds]
    steps = tuple(entries[step] for step in sorted(entries))
    return Index(template, steps, tuple(absent), annotation or {})


def _span(entries: tuple[IndexEntry, ...]) -> str:
    names = [entry.revision for entry in entries]
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
