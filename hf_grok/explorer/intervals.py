"""How sure a share is: the exact interval of so many right of so many, for those that say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.when import fraction_interval
from hf_grok.metrics import PROBES, RUN, key_of

_WHOLE = 1e-6
# Languages of which every line asks one question; of Dyck a split has more brackets than lines.
ONE_QUESTION = ("question-formation", "tense-inflection")
_OF_A_SPLIT = tuple(name for name in RUN if name.endswith(("_accuracy", "_exact_match")))
_MOST = 10_000


def examples_of(column: str, arguments: Mapping[str, Any]) -> int | None:
    """Of how many lines or pairs a share is, as the run's arguments say; None where they do not.

    Its parts by kind of sentence are of fewer, which no run records.
    """
    name = column.removeprefix("eval_")
    if name in _OF_A_SPLIT and arguments.get("language") in ONE_QUESTION:
        return _count(arguments.get("evaluation_examples"))
    if key_of(PROBES["pairs"], name) == "pairs_{}":
        return _count(arguments.get("probe_pairs"))
    return None


def counts_of(values: NDArray[np.float64], examples: int) -> set[int] | None:
    """How many of `examples` each value is; None where one is no whole number of them.

    Then it is a share of others than the arguments say, and has no interval here.
    """
    counts = values[np.isfinite(values)] * examples
    if np.any(np.abs(counts - counts.round()) > _WHOLE * examples):
        return None
    return {int(count) for count in counts.round()}


def interval_table(counts: Iterable[int], examples: int) -> dict[str, list[float]]:
    """Count -> [low, high], Clopper and Pearson's of 95 %, of each count of so many."""
    found = {count: fraction_interval(count, examples) for count in sorted(counts)}
    return {str(count): [round(one.low, 4), round(one.high, 4)] for count, one in found.items()}


def _count(found: Any) -> int | None:
    whole = isinstance(found, int) and not isinstance(found, bool) and 0 < found <= _MOST
    return found if whole else None
