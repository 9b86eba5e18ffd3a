"""How many of several runs have generalised by each step, with those that never did counted in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.when import Arrival, arrival_curve, arrival_of
from hf_grok.explorer.reading import Explored
from hf_grok.metrics import GENERALIZATION

LEVEL = 0.8
GROUPINGS: Mapping[str, Callable[[Explored], str | None]] = {
    "arm": lambda one: one.arm,
    "depth": lambda one: None if one.run.layers is None else f"{one.run.layers} layers",
}


def arrivals_of(shown: Sequence[Explored], data: Sequence[str]) -> list[dict[str, Any]]:
    """The Kaplan-Meier curves of arrival at generalization >= .8, held at two evaluations.

    A run that had not arrived by its last evaluation is censored there, not left out.

    Args:
        shown: the runs.
        data: of each run what it was trained on: runs of different data share no curve.

    Returns:
        One entry a grouping and group of at least two runs that measured it: the rows are (step,
        fraction arrived, lower and upper end of its interval), from step 0 on.
    """
    found = []
    for grouping, key in GROUPINGS.items():
        groups: dict[tuple[str, str], list[Arrival]] = {}
        for one, label in zip(shown, data, strict=True):
            name, arrival = key(one), _arrival(one)
            if name is not None and arrival is not None:
                groups.setdefault((label, name), []).append(arrival)
        found += [
            {"by": grouping, "data": label, "group": name, **_curve(members)}
            for (label, name), members in groups.items()
            if len(members) > 1
        ]
    return found


def _arrival(one: Explored) -> Arrival | None:
    if GENERALIZATION not in one.group.columns:
        return None
    return arrival_of(*curve(one.run.evaluations, GENERALIZATION), LEVEL)


def _curve(members: Sequence[Arrival]) -> dict[str, Any]:
    estimate = arrival_curve(members)
    numbers = (estimate.arrived, estimate.low, estimate.high)
    rows = [
        [float(step), *(round(float(value), 4) for value in values)]
        for step, *values in zip(estimate.steps, *numbers, strict=True)
    ]
    return {"rows": rows, "seeds": estimate.seeds, "never": estimate.never}
