"""The tables of a sweep: at the end, minimal pairs by paradigm, onsets; for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hf_grok.dynamics.onsets.find import RULES, Rule
from hf_grok.report.style import numerals
from hf_grok.report.sweep.numbers import (
    LOSS,
    Quantity,
    Spread,
    baseline_at_end,
    ends,
    has,
    paradigms,
    present,
)
from hf_grok.report.sweep.onsets import LOSS_SHARE, LossLevel, loss_level, onsets
from hf_grok.report.sweep.runs import Arm, Sweep

NOTHING = "—"
RULE_TITLES: dict[Rule, str] = {
    "crossing": "Onsets: beyond the baseline, to stay",
    "acceleration": "Onsets: where the curve speeds up most",
}


def markdown(sweep: Sweep) -> str:
    """All tables, each under what its numbers are."""
    of = f" of {sweep.recipe}" if sweep.recipe else ""
    arms = numerals.counted(len(sweep.arms), "arm")
    baselines = [baseline_at_end(sweep, one) for one in present(sweep)]
    parts = [f"# {sweep.name}: {arms}{of}", _opening(sweep, any(baselines))]
    parts += ["## At the end", _ends_table(sweep, baselines)]
    if paradigms(sweep):
        parts += ["## Minimal pairs by paradigm, at the end", _paradigm_table(sweep)]
    level = loss_level(sweep.reference)
    for rule in reversed(RULES):
        parts += [f"## {RULE_TITLES[rule]}", *_onset_text(sweep, rule, level)]
    parts += _unfinished(sweep)
    return "\n\n".join(parts) + "\n"


def _opening(sweep: Sweep, has_baseline: bool) -> str:
    counts = sorted({len(arm.runs) for arm in sweep.arms})
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    first = (
        " Where a baseline can score without the model, it stands in the first row: the best fixed "
        "offsets, chance."
    )
    return (
        f"Mean over seeds, and in brackets the least and the greatest; {runs} finished "
        f"run{'s' * (counts[-1] != 1)} an arm.{first * has_baseline}"
        f"{_probed_afterwards(sweep)}"
    )


def _probed_afterwards(sweep: Sweep) -> str:
    """Which ends are not of the runs' own evaluations, and what they were measured on."""
    columns = [one.column for one in present(sweep) if one.afterwards]
    told = {
        f"{probe} on {data}"
        for run in sweep.runs
        for probe, data in run.later_data.items()
        if any(column.startswith(f"eval_{probe}_") for column in columns)
    }
    if not told:
        return ""
    return f" Measured after training, by hf-grok probe: {'; '.join(sorted(told))}."


def _ends_table(sweep: Sweep, baselines: Sequence[Spread | None]) -> str:
    quantities = present(sweep)
    rows = [["*without the model*", "", *_said(quantities, baselines)]] if any(baselines) else []
    rows += [
        [arm.name, str(len(arm.runs)), *_said(quantities, [ends(arm, one) for one in quantities])]
        for arm in sweep.arms
    ]
    return _table(["arm", "seeds", *(_headed(one) for one in quantities)], rows)


def _headed(quantity: Quantity) -> str:
    return quantity.title + (", last quarter" if quantity.metric.swings else "")


def _said(quantities: Sequence[Quantity], numbers: Sequence[Spread | None]) -> list[str]:
    return [say(one, quantity.say) for quantity, one in zip(quantities, numbers, strict=True)]


def say(numbers: Spread | None, number: Callable[[float], str]) -> str:
    """Such as "2.41 (2.38 to 2.45)"; the range is left out where it would repeat the mean."""
    if numbers is None:
        return NOTHING
    mean, low, high = (number(value) for value in (numbers.mean, numbers.low, numbers.high))
    return mean if mean == low == high else f"{mean} ({low} to {high})"


def _paradigm_table(sweep: Sweep) -> str:
    """Means only: the ranges are in the file for programs."""
    rows = []
    for quantity in paradigms(sweep):
        numbers = [ends(arm, quantity) for arm in sweep.arms]
        rows.append([quantity.title, *(quantity.say(n.mean) if n else NOTHING for n in numbers)])
    return _table(["paradigm", *(arm.name for arm in sweep.arms)], rows)


def onset_quantities(sweep: Sweep, rule: Rule, level: LossLevel | None) -> list[Quantity]:
    """The quantities that can have an onset: they get better in one direction, or cross a level."""
    sought = [one for one in present(sweep) if one.metric.direction is not None]
    if rule != "crossing":
        return sought
    levelled = {LOSS.column} if level else set()
    return [one for one in sought if one.baseline is not None or one.column in levelled]


def _onset_text(sweep: Sweep, rule: Rule, level: LossLevel | None) -> list[str]:
    quantities = onset_quantities(sweep, rule, level)
    rows = [
        [arm.name, *(_onset_cell(arm, one, rule, level) for one in quantities)]
        for arm in sweep.arms
    ]
    meaning = _crossings(sweep, quantities, level) if rule == "crossing" else _ACCELERATION
    return [
        f"{meaning} {_COUNTED}",
        _table(["arm", *(one.title for one in quantities)], rows),
    ]


_COUNTED = "Mean step of the seeds that have such an onset, their range, and how many they are."
_ACCELERATION = (
    "The step after which the curve rises most beyond how it rose before, if that is a lasting "
    "rise above its noise and nothing elsewhere is nearly as sharp."
)


def _crossings(sweep: Sweep, quantities: Sequence[Quantity], level: LossLevel | None) -> str:
    """How far beyond which baseline each quantity must be."""
    told = [
        f"{one.title} {'by' if one.baseline else 'at'} {numerals.accuracy(one.metric.margin)}"
        for one in quantities
        if one.baseline is not None
    ]
    text = (
        "The first of two evaluations in a row that are beyond the baseline: "
        f"{numerals.spoken_list(told)}."
        if told
        else ""
    )
    if level is None:
        return text
    below = numerals.plain(level.value)
    return (
        f"{text} The loss: below {below}, which is {numerals.accuracy(LOSS_SHARE)} of the way that "
        f"{sweep.reference.name} goes from its first window ({numerals.plain(level.start)}) to its "
        f"end ({numerals.plain(level.end)})."
    ).strip()


def _onset_cell(arm: Arm, quantity: Quantity, rule: Rule, level: LossLevel | None) -> str:
    measured = sum(has(run, quantity.column) for run in arm.runs)
    if not measured:
        return NOTHING
    found = onsets(arm, quantity, rule, level)
    share = f"{found.count if found else 0}/{measured}"
    return f"{say(found, numerals.step) if found else 'none'}, {share}"


def _unfinished(sweep: Sweep) -> list[str]:
    """Runs that the tables leave out, and why."""
    told = [f"- {name}: {status}" for arm in sweep.arms for name, status in arm.unfinished.items()]
    return ["## Left out: not finished", "\n".join(told)] if told else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def records(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """One flat record for each arm and number: mean, sd, least, greatest, number of seeds."""
    level = loss_level(sweep.reference)
    for arm in sweep.arms:
        for quantity in (*present(sweep), *paradigms(sweep)):
            yield _record(arm, f"{quantity.column}", ends(arm, quantity))
        for rule in RULES:
            for quantity in onset_quantities(sweep, rule, level):
                found = onsets(arm, quantity, rule, level)
                yield _record(arm, f"{quantity.column} onset by {rule}", found)


def _record(arm: Arm, name: str, numbers: Spread | None) -> dict[str, Any]:
    return {
        "arm": arm.name,
        "number": name,
        "mean": None if numbers is None else numbers.mean,
        "sd": None if numbers is None else numbers.deviation,
        "least": None if numbers is None else numbers.low,
        "greatest": None if numbers is None else numbers.high,
        "seeds": 0 if numbers is None else numbers.count,
        "runs": len(arm.runs),
    }
