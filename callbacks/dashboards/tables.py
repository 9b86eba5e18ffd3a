"""Tables of one round of probes: a row a relation, a kind, a paradigm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hf_grok.metrics import Level, Metric, key_of
from hf_grok.probes import Probe

DIGITS = 4


@dataclass(frozen=True)
class Table:
    """Rows under headings, ready to be shown.

    Attributes:
        name: "<probe>/<what a row is>", such as "uas/relation".
        columns: headings, that of the row's name first.
        rows: a name and its numbers each; None where a number is missing.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]

    def as_markdown(self) -> str:
        """For where only text can be shown: shares with three digits."""
        lines = [self.columns, tuple("---" for _ in self.columns), *map(_texts, self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def round_tables(numbers: Mapping[str, float], probes: Sequence[Probe]) -> list[Table]:
    """A table for each probe whose scores come in parts ("uas_relation_{}"), best part first.

    Scores of the same parts stand beside each other, each with its baseline, if it has one, and by
    how much it is above it.

    Args:
        numbers: of one round, as the probes name them.
        probes: that gave them.
    """
    return [
        _table(numbers, probe, keys) for probe in probes for keys in _same_parts(numbers, probe)
    ]


def _same_parts(numbers: Mapping[str, float], probe: Probe) -> list[list[str]]:
    """The patterns of a probe's scores, those of the same parts together."""
    groups: dict[frozenset[str], list[str]] = {}
    for key, metric in probe.metrics.items():
        parts = frozenset(_parts(numbers, probe, key))
        if _is_score(metric) and parts:
            groups.setdefault(parts, []).append(key)
    return list(groups.values())


def _is_score(metric: Metric) -> bool:
    return metric.is_share and metric.higher_is_better is True


def _parts(numbers: Mapping[str, float], probe: Probe, key: str) -> list[str]:
    """What stands for the "{}" of a pattern."""
    if not key.endswith("{}"):
        return []
    stem = key.removesuffix("{}")
    return [name[len(stem) :] for name in numbers if key_of(probe.metrics, name) == key]


def _table(numbers: Mapping[str, float], probe: Probe, keys: Sequence[str]) -> Table:
    """The first of the keys leads: its parts are the rows, its values order them."""
    lead, *_ = keys
    parts = _parts(numbers, probe, lead)
    columns: dict[str, list[float | None]] = {}
    for key in keys:
        heading = "score" if key == lead else _heading(probe, key)
        prefix = "" if key == lead else f"{heading}: "
        values = [_number(numbers, key.removesuffix("{}") + part) for part in parts]
        columns[heading] = values
        baseline = _baselines(numbers, probe.metrics[key], parts)
        if baseline is not None:
            columns[f"{prefix}baseline"] = baseline
            columns[f"{prefix}above it"] = list(map(_above, values, baseline))
    rows = [(part, *values) for part, *values in zip(parts, *columns.values(), strict=True)]
    name = _heading(probe, lead)
    rows.sort(key=lambda row: (-numbers[lead.removesuffix("{}") + str(row[0])], row[0]))
    return Table(f"{probe.name}/{name}", (name, *columns), tuple(rows))


def _heading(probe: Probe, key: str) -> str:
    """What is between a probe's name and the part: "relation" of "uas_relation_{}"."""
    words = key.removesuffix("{}").removeprefix(probe.name).strip("_")
    return words.replace("_", " ") or "part"


def _baselines(
    numbers: Mapping[str, float], metric: Metric, parts: Sequence[str]
) -> list[float | None] | None:
    if isinstance(metric.baseline, Level):
        return [metric.baseline.value] * len(parts)
    if metric.baseline is None or not metric.baseline.endswith("{}"):
        return None
    stem = metric.baseline.removesuffix("{}")
    return [_number(numbers, stem + part) for part in parts]


def _number(numbers: Mapping[str, float], name: str) -> float | None:
    """As a table has room for it."""
    return round(numbers[name], DIGITS) if name in numbers else None


def _above(value: float | None, baseline: float | None) -> float | None:
    return None if value is None or baseline is None else round(value - baseline, DIGITS)


def _texts(row: Sequence[str | float | None]) -> tuple[str, ...]:
    return tuple(_text(one) for one in row)


def _text(cell: str | float | None) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else f"{cell:.3f}"
