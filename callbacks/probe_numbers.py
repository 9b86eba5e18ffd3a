"""What a round of probes is called in a Trainer's history, and which rows of it are a probe's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from hf_grok.evaluation.runner import Probed
from hf_grok.metrics import metric_of
from hf_grok.probes import Probe

RUNTIME = "eval_probes_runtime"
"""Logged with each round of probes, and with nothing else."""


def rows_at(history: Sequence[Mapping[str, Any]], step: int) -> list[Mapping[str, Any]]:
    """The last rows of a history, in which steps never fall: those of `step`."""
    later = takewhile(lambda row: row["step"] >= step, reversed(history))
    return [row for row in later if row["step"] == step]


def is_number_of(probe: Probe, name: str) -> bool:
    """Whether a logged name is that of a number, or of the failure, of this probe."""
    known = metric_of(probe.metrics, name.removeprefix("eval_"))
    return known is not None or name == f"eval_{probe.name}_failed"


def is_round_of(probes: Iterable[Probe], row: Mapping[str, Any]) -> bool:
    """Whether a row of a history is what a callback with these probes logged."""
    if RUNTIME not in row:
        return False
    numbers = row.keys() - {RUNTIME, "step", "epoch"}
    return not numbers or any(is_number_of(probe, name) for probe in probes for name in numbers)


def logged_numbers(probed: Probed) -> dict[str, float]:
    """The names and plain numbers that a Trainer logs: `eval_` in front, failures as 1.0."""
    return {
        **{f"eval_{name}": float(value) for name, value in probed.numbers.items()},
        **{f"eval_{name}_failed": 1.0 for name in probed.failures},
        RUNTIME: round(sum(probed.seconds.values()), 4),
    }


def picture_rows(probed: Probed, probes: Sequence[Probe], step: int) -> list[dict[str, Any]]:
    """What a run's folder keeps beside the numbers: pictures and failures, one row a probe."""
    rows = []
    for probe in probes:
        row: dict[str, Any] = {"step": step, "probe": probe.name, "version": probe.version}
        if probe.name in probed.failures:
            rows.append({**row, "failed": probed.failures[probe.name]})
        elif probe.name in probed.pictures:
            rows.append({**row, "picture": probed.pictures[probe.name]})
    return rows


class EvaluationRounds:
    """A round is one evaluation of however many data sets, at one step."""

    def __init__(self) -> None:
        self._step: int | None = None
        self._names: set[str] = set()

    def begins(self, step: int, metrics: Mapping[str, float]) -> bool:
        """Whether these metrics begin a round: another step, or a name that the round has had.

        Of several data sets evaluated in one round each has names of its own (`eval_<name>_loss`).
        """
        names = set(metrics) - {"epoch"}  # which Trainer adds to each data set's
        begins = step != self._step or not self._names.isdisjoint(names)
        self._names = names if begins else self._names | names
        self._step = step
        return begins
