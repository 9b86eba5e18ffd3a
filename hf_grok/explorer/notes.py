"""What a reader should know of the runs of a page together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hf_grok.dynamics.delay import SATURATION
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
    summaries = zip(names, (one.summary for one in shown), strict=True)
    unlearnt = [name for name, summary in summaries if summary and summary.saturation is None]
    if not unlearnt:
        return []
    told = [*unlearnt[:_NAMED], *(["others"] if len(unlearnt) > _NAMED else [])]
    return [
        f"Not come to {numerals.accuracy(SATURATION)} in distribution: "
        f"{numerals.spoken_list(told)} ({len(unlearnt)} of "
        f"{numerals.counted(len(shown), 'run')}). What they do out of distribution does not say "
        "yet which rule they follow."
    ]


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
