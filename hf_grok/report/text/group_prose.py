"""What happened in several runs of one setting, in two sentences."""

from __future__ import annotations

import numpy as np

from hf_grok.dynamics import GrokkingSummary
from hf_grok.dynamics.curves import Crossing
from hf_grok.report.groups import Group
from hf_grok.report.style.numerals import accuracy, spoken_list, step, times
from hf_grok.report.text.run_prose import describe_losses, describe_run, describe_status


def describe_group(group: Group) -> str:
    """Two sentences on all runs of a group; on one run, those of `describe_run`.

    Without accuracies, one sentence on the validation loss.
    """
    if not group.summaries:
        return describe_losses(group.runs)
    if len(group.runs) == 1:
        return describe_run(group.runs[0], group.summaries[0])
    return f"{_arrivals(group)} {_aftermath(group)}"


def unfinished(group: Group) -> list[str]:
    """One line for each run that did not finish."""
    lines = zip(group.labels, map(describe_status, group.runs), strict=True)
    if len(group.runs) == 1:
        return [line for _, line in lines if line]
    return [f"{label[0].upper()}{label[1:]}: {line}" for label, line in lines if line]


def _arrivals(group: Group) -> str:
    saturated = [summary.saturation for summary in group.summaries]
    crossed = [summary.crossings[-1] for summary in group.summaries]
    return (
        f"In-distribution accuracy passed .99 in {_share(saturated)}; generalization crossed .95 "
        f"in {_share(crossed)}{_delays(group.summaries)}{_missing(group, crossed)}."
    )


def _share(crossings: list[Crossing | None]) -> str:
    steps = [crossing.step for crossing in crossings if crossing]
    count = f"{len(steps)} of {len(crossings)} runs"
    if not steps:
        return count
    if len(set(steps)) == 1:
        return f"{count} (at step {step(steps[0])})"
    return f"{count} (at steps {step(min(steps))} to {step(max(steps))})"


def _delays(summaries: tuple[GrokkingSummary, ...]) -> str:
    delays = [summary.delay for summary in summaries if summary.delay is not None]
    if not delays:
        return ""
    if len(delays) == 1:
        return f", {times(delays[0])} times as late as saturation"
    return (
        f", {times(min(delays))} to {times(max(delays))} times as late as saturation "
        f"(median {times(float(np.median(delays)))})"
    )


def _missing(group: Group, crossed: list[Crossing | None]) -> str:
    never = [label for label, crossing in zip(group.labels, crossed, strict=True) if not crossing]
    if not never or len(never) == len(crossed):
        return ""
    return f"; {spoken_list(never)} never did"


def _aftermath(group: Group) -> str:
    means = [summary.last_quarter_mean for summary in group.summaries]
    mean = accuracy(float(np.mean(means)))
    lows, highs = zip(*(summary.last_quarter_range for summary in group.summaries), strict=True)
    sentence = (
        f"Over the last quarter of each run generalization averaged {mean} "
        f"({accuracy(min(means))} to {accuracy(max(means))} by run), and single evaluations lay "
        f"between {accuracy(min(lows))} and {accuracy(max(highs))}"
    )
    not_hierarchical = [
        label
        for label, summary in zip(group.labels, group.summaries, strict=True)
        if summary.crossings[-1] and not summary.hierarchical
    ]
    if not_hierarchical:
        sentence += (
            f"; the crossing with {spoken_list(not_hierarchical)} does not count as hierarchical, "
            "for object relatives were not right"
        )
    stuck = [
        label
        for label, summary in zip(group.labels, group.summaries, strict=True)
        if summary.adjacency_heuristic
    ]
    if stuck:
        sentence += f"; {spoken_list(stuck)} ended in the adjacency heuristic, not in hierarchy"
    return sentence + "."
