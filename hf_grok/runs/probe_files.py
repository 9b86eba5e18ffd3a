"""What probes left in a run's directory beside its metrics: pictures, failures, later numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from hf_grok.errors import UserError
from hf_grok.metrics import Metric, recorded_metrics
from hf_grok.runs.folder import DECLARED_FILE, RESULTS_FILE
from hf_grok.runs.json_lines import Row
from hf_grok.runs.metrics_file import Table, read_lines
from hf_grok.text.json_reading import read_object
from hf_grok.text.printable import listed, quoted

RESULTS_FORMAT = 1
_LISTS = ("rows", "failures", "pictures")

Key: TypeAlias = tuple[str, int]  # probe and step
Pictures: TypeAlias = dict[Key, Mapping[str, Any]]


@dataclass(frozen=True)
class ProbeFailure:
    """A probe that gave no number at a step, and why."""

    probe: str
    step: int
    reason: str


@dataclass
class ProbeRecords:
    """What one file of a run's directory says about its probes.

    Args:
        numbers: columns `eval_<number>` by step; of measuring after training only.
        pictures: what is drawn, by probe and step.
        failures: by probe and step.
        measured: the probes and steps of `numbers`.
        data: probe -> what it looked at, in words.
        metrics: number of a probe of another package -> what the probe declares of it.
        notes: what a reader should know about the file.
    """

    numbers: Table = field(default_factory=Table)
    pictures: Pictures = field(default_factory=dict)
    failures: dict[Key, ProbeFailure] = field(default_factory=dict)
    measured: set[Key] = field(default_factory=set)
    data: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_probe_lines(path: Path) -> ProbeRecords:
    """`probes.jsonl`, as ProbeCallback writes it: one picture or failure a line; none if missing.

    Of two lines on one probe and step the later one counts. A last line that was cut while it was
    written is left out, with a note.

    Raises:
        UserError: for a line that is neither picture nor failure, with file:line.
    """
    records = ProbeRecords()
    if not path.is_file():
        return records
    lines, records.notes = read_lines(path)
    for line in lines:
        key = _key(line)
        records.pictures.pop(key, None)
        records.failures.pop(key, None)
        if "failed" in line.values:
            records.failures[key] = ProbeFailure(*key, _get(line, "failed", str))
        else:
            records.pictures[key] = _get(line, "picture", dict)
    return records


def read_probe_results(path: Path) -> ProbeRecords:
    """`probe_results.json`, as `hf-grok probe RUN_DIR` writes it; nothing if it is missing.

    Revisions without a step belong to no curve and are left out, with a note.

    Raises:
        UserError: for a file that holds no such results; names the entry that is wrong.
    """
    records = ProbeRecords()
    if not path.is_file():
        return records
    content = _content(path)
    rows, failures, pictures = (_entries(path, content, kind) for kind in _LISTS)
    for entry in rows:
        name, step = f"eval_{_get(entry, 'metric', str)}", _key(entry)[1]
        records.numbers.add(entry.place, step, {name: float(_get(entry, "value", (int, float)))})
        records.measured.add(_key(entry))
    for entry in failures:
        records.failures[_key(entry)] = ProbeFailure(*_key(entry), _get(entry, "reason", str))
    for entry in pictures:
        records.pictures[_key(entry)] = _get(entry, "picture", dict)
    records.data = {probe: _data_of(content, probe) for probe, _ in sorted(records.measured)}
    records.metrics = _declared_of(path, content)
    records.notes = [
        *_origin(path, records),
        *_without_step(path, content),
        *_mixed_versions(path, rows),
        *records.numbers.notes,
    ]
    return records


def add_later_numbers(evaluations: Table, later: ProbeRecords) -> list[str]:
    """Put numbers measured after training into the columns that the run does not have itself.

    A column that the run has is left as it is, gaps included: it may have been measured on other
    data, and a curve of both would look like a change of the model.

    Returns:
        Notes on the columns that were left as they are.
    """
    own = {column for row in evaluations.rows.values() for column in row}
    kept: set[str] = set()
    for step, row in later.numbers.rows.items():
        fresh = {column: value for column, value in row.items() if column not in own}
        kept |= row.keys() - fresh.keys()
        if fresh:
            evaluations.rows.setdefault(step, {}).update(fresh)
    if not kept:
        return []
    return [
        f"{listed(sorted(kept))}: measured in the run itself and again afterwards "
        f"({RESULTS_FILE}); the run's own values are used"
    ]


def combine(own: ProbeRecords, later: ProbeRecords) -> tuple[Pictures, tuple[ProbeFailure, ...]]:
    """The run's own pictures of a probe, else the later ones; failures not made good since."""
    drawn = {probe for probe, _ in own.pictures}
    others = {key: picture for key, picture in later.pictures.items() if key[0] not in drawn}
    pictures = {**others, **own.pictures}
    failures = {**later.failures, **own.failures}
    remaining = failures.keys() - later.measured - pictures.keys()
    return dict(sorted(pictures.items())), tuple(failures[key] for key in sorted(remaining))


def _content(path: Path) -> Mapping[str, Any]:
    content = read_object(path, nonfinite=True)
    right = (
        content.get("format") == RESULTS_FORMAT
        and all(isinstance(content.get(kind), list) for kind in _LISTS)
        and isinstance(content.get("probes"), dict)
    )
    if not right:
        raise UserError(
            f"{path}: expected probe results of format {RESULTS_FORMAT}, as `hf-grok probe` "
            "writes them; move the file away, or measure again"
        )
    found: Mapping[str, Any] = content
    return found


def _entries(path: Path, content: Mapping[str, Any], kind: str) -> list[Row]:
    """The entries of one list that have a step."""
    entries = []
    for number, entry in enumerate(content[kind]):
        place = f"{path}, {kind}[{number}]"
        if not isinstance(entry, dict):
            raise UserError(f"{place}: expected an object, got {quoted(entry)}")
        if entry.get("step") is not None:
            entries.append(Row(place, "", entry))
    return entries


def _key(line: Row) -> Key:
    return _get(line, "probe", str), line.step


_WORDS = {str: "a text", dict: "an object", int: "an integer", (int, float): "a number"}


def _get(line: Row, name: str, kind: Any) -> Any:
    value = line.values.get(name)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise UserError(
            f'{line.place}: expected "{name}" to be {_WORDS[kind]}, got {quoted(value)}'
        )
    return value


def read_declared(run: Path) -> dict[str, Metric]:
    """What the probes of other packages declared of their numbers; nothing if none was there.

    Raises:
        UserError: for a file that says no such thing; names the entry that is wrong.
    """
    path = run / DECLARED_FILE
    return recorded_metrics(read_object(path), str(path)) if path.is_file() else {}


def _declared_of(path: Path, content: Mapping[str, Any]) -> dict[str, Metric]:
    declared: dict[str, Metric] = {}
    for probe, about in content["probes"].items():
        metrics = about.get("metrics", {}) if isinstance(about, dict) else {}
        place = f"{path}, metrics of {quoted(probe)}"
        if not isinstance(metrics, dict):
            raise UserError(f"{place}: expected an object, got {quoted(metrics)}")
        declared.update(recorded_metrics(metrics, place))
    return declared


def _data_of(content: Mapping[str, Any], probe: str) -> str:
    about = content["probes"].get(probe)
    if not isinstance(about, dict) or "data" not in about:
        return "data not named"
    return str(about["data"] or "of the weights alone")


def _origin(path: Path, records: ProbeRecords) -> list[str]:
    """Which numbers were measured after training, and on what."""
    steps = {step for _, step in records.measured}
    probes: dict[str, list[str]] = {}
    for probe, data in records.data.items():
        probes.setdefault(data, []).append(probe)
    parts = [f"{', '.join(members)} ({where})" for where, members in probes.items()]
    if not parts:
        return []
    return [
        f"{path}: measured after training, at {len(steps)} step{'s' * (len(steps) != 1)}: "
        f"{'; '.join(parts)}"
    ]


def _without_step(path: Path, content: Mapping[str, Any]) -> list[str]:
    revisions = {str(row.get("revision")) for row in content["rows"] if row.get("step") is None}
    if not revisions:
        return []
    return [
        f"{path}: the names of these revisions say no step, so their numbers are left out: "
        f"{listed(sorted(revisions))}"
    ]


def _mixed_versions(path: Path, rows: Sequence[Row]) -> list[str]:
    """A warning where a probe's numbers changed their meaning half way."""
    versions: dict[str, set[str]] = {}
    for row in rows:
        versions.setdefault(_key(row)[0], set()).add(str(row.values.get("version")))
    return [
        f"{path}: numbers of {probe} are of versions {' and '.join(sorted(found))} of the probe, "
        "which differ: measure all steps again"
        for probe, found in sorted(versions.items())
        if len(found) > 1
    ]
