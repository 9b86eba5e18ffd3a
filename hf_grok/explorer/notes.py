"""What a reader should know of the runs of a page together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hf_grok.dynamics.delay import SATURATION
from hf_grok.dynamics.learning import WHOLE, learning_of
from hf_grok.explorer.reading import Explored
from hf_grok.report.style import numerals

_NAMED = 6  # runs, before a note says "others"


def page_notes(
    shown: Sequence[Explored],
    names: Sequence[str],
    labels: Sequence[str],
    runs: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Of different data, of runs that have not learnt theirs, of evaluations that are left out.

    Args:
        shown: the runs.
        names: theirs on the page.
        labels: of their data.
        runs: what the page has of each.
    """
    return [*_different_data(labels), *_unlearnt(shown, names), *_thinned(runs)]


def _different_data(labels: Sequence[str]) -> list[str]:
    distinct = list(dict.fromkeys(labels))
    if len(distinct) == 1:
        return []
    return [
        f"These runs are of different data ({'; '.join(distinct)}): what was measured on one says "
        "nothing beside what was measured on another. They share no group, no mean and no arrival "
        "curve."
    ]


def _unlearnt(shown: Sequence[Explored], names: Sequence[str]) -> list[str]:
    asked = {
        name: learning_of(one.run.evaluations)
        for name, one in zip(names, shown, strict=True)
        if one.summary
    }
    runs = numerals.counted(len(shown), "run")
    never = [name for name, found in asked.items() if found.step is None]
    part = [name for name, found in asked.items() if found.in_part]
    notes = []
    if never:
        notes.append(
            f"Not come to {numerals.accuracy(SATURATION)} in distribution: {_named(never)} "
            f"({len(never)} of {runs}). What they do out of distribution does not say yet which "
            "rule they follow."
        )
    if part:
        notes.append(
            f"Right at the scored word, and fewer than {numerals.accuracy(WHOLE)} of the lines in "
            f"distribution written whole: {_named(part)} ({len(part)} of {runs}). They have not "
            "learnt their language yet."
        )
    return notes


def _named(names: Sequence[str]) -> str:
    more = ["others"] if len(names) > _NAMED else []
    return numerals.spoken_list([*names[:_NAMED], *more])


def _thinned(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    cut = [run for run in runs if len(run["evaluations"]["steps"]) < run["evaluations"]["of"]]
    if not cut:
        return []
    first = cut[0]["evaluations"]
    return [
        f"Of {len(cut)} runs a part of the evaluations is shown, such as {len(first['steps']):,} "
        f"of {first['of']:,}: of each stretch the first, the last, and where each main number is "
        "highest and lowest; every marked step; every step with pictures."
    ]
