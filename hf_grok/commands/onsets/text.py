"""The onsets as a page of plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence

from hf_grok.dynamics.curves import Crossing
from hf_grok.dynamics.grokking import GrokkingSummary, grokking_summary
from hf_grok.dynamics.onsets.bootstrap import SeedOnset
from hf_grok.dynamics.onsets.existence import NoOnset, Onset, amount, shown
from hf_grok.dynamics.onsets.find import RULES, Rule
from hf_grok.dynamics.onsets.study import MetricOnsets, time_order
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION
from hf_grok.report.style import numerals
from hf_grok.runs.read import Run
from hf_grok.text.printable import printable

WIDTH = 100
_NARROWEST = 40  # of the column of reasons, however long the names


def described(
    studies: Sequence[MetricOnsets],
    runs: Mapping[str, Run],
    axis: str,
    refused: Mapping[str, str],
) -> str:
    """Every metric's onsets, their order in time, and what is known of grokking.

    Args:
        studies: of each metric that could be studied.
        runs: by name.
        axis: of progress.
        refused: metric -> why it could not be.
    """
    blocks = [_metric(study, axis) for study in studies]
    blocks += [_refused(refused), _order(studies), _grokking(runs), _notes(runs)]
    return printable("\n\n".join("\n".join(block) for block in blocks if block), keep="\n")


def _refused(refused: Mapping[str, str]) -> list[str]:
    lines = []
    for metric, reason in refused.items():
        told = reason if reason.startswith(metric) else f"{metric}: {reason}"
        lines += textwrap.wrap(f"not studied: {told}", WIDTH, subsequent_indent="  ")
    return lines


def _metric(study: MetricOnsets, axis: str) -> list[str]:
    """A title, and a table: every model by both rules, then the mean of the models."""
    found = [
        (model, rule, study.single[rule][position], "")
        for position, model in enumerate(study.models)
        for rule in RULES
    ]
    found += [
        (f"mean of {mean.curves}", rule, mean.onset, _resampled(mean))
        for rule, mean in study.over_seeds.items()
    ]
    head = ("curve", "rule", "onset", "interval", study.direction, "needed")
    rows = [head, *(_cells(name, rule, onset) for name, rule, onset, _ in found)]
    remarks = ["", *(_remark(onset, resampled) for _, _, onset, resampled in found)]
    return [_title(study, axis), *_table(rows, remarks)]


def _cells(name: str, rule: Rule, found: Onset | NoOnset) -> tuple[str, ...]:
    if isinstance(found, NoOnset):
        return name, rule, "none"
    interval, rise, needed = _span(found.interval), amount(found.rise), amount(found.needed)
    return name, rule, shown(found.step), interval, rise, needed


def _remark(found: Onset | NoOnset, resampled: str) -> str:
    reason = found.reason if isinstance(found, NoOnset) else ""
    return "\n".join(filter(None, [reason, resampled]))


def _table(rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> Iterator[str]:
    """Aligned rows; the remark on one without interval begins in the column of intervals."""
    padded = _padded([(*row, *[""] * (len(rows[0]) - len(row))) for row in rows], right=(2, 4, 5))
    margin = 2 + padded[0].index(rows[0][3], 2)
    for row, line, remark in zip(rows, padded, remarks, strict=True):
        lines = [f"  {line}".rstrip(), *_wrapped(margin, remark)]
        if remark and len(row) == 3:
            lines[:2] = [f"{lines[0]:<{margin}}{lines[1].lstrip()}"]
        yield from lines


def _padded(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows of cells as lines, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _wrapped(margin: int, remark: str) -> list[str]:
    indent = " " * margin
    width = max(WIDTH, margin + _NARROWEST)
    return [
        line
        for part in remark.splitlines()
        for line in textwrap.wrap(part, width, initial_indent=indent, subsequent_indent=indent)
    ]


def _title(study: MetricOnsets, axis: str) -> str:
    kind = "rising" if study.direction == "rise" else "falling"
    unit = axis.replace("_", " ")
    title = f"{study.metric}, {kind}; window {shown(study.window)} {unit}"
    if study.baseline is None:
        return title
    level = study.baseline if isinstance(study.baseline, str) else f"{study.baseline:g}"
    return f"{title}; baseline {level}"


def _span(interval: tuple[float, float]) -> str:
    return f"{shown(interval[0])} to {shown(interval[1])}"


def _resampled(mean: SeedOnset) -> str:
    text = f"{mean.resamples:,} resamples of the seeds: an onset in {100 * mean.share:.0f} %"
    return text if mean.interval is None else f"{text}, 95 % of these in {_span(mean.interval)}"


def _order(studies: Sequence[MetricOnsets]) -> list[str]:
    """One line for each rule: which metric began before which."""
    if len(studies) < 2:
        return []
    seeds = max(len(study.models) for study in studies)
    lines = ["in time order" + (f", mean of {seeds}" if seeds > 1 else "")]
    lines += [line for rule in RULES for line in _order_by(studies, rule)]
    if any(" beside " in line for line in lines):
        lines.append("  beside: their intervals overlap, so which came first may be chance")
    return lines


def _order_by(studies: Sequence[MetricOnsets], rule: Rule) -> list[str]:
    found = time_order(studies, rule)
    text = "no onset" if not found else ""
    end = float("-inf")
    for position, (metric, onset, interval) in enumerate(found):
        if position:
            text += " before " if end <= interval[0] else " beside "
        text += f"{metric} {shown(onset.step)}"
        end = max(end, interval[1])
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {rule:<12}  ", subsequent_indent=" " * 16)


def _grokking(runs: Mapping[str, Run]) -> list[str]:
    """Saturation, crossings, delay and early-stopping gap of the runs that measure them."""
    rows, wrong = [], []
    for name, run in runs.items():
        if {IN_DISTRIBUTION, GENERALIZATION} <= set(run.evaluations.columns):
            try:
                rows.append((name, *_grokked(grokking_summary(run.evaluations))))
            except UserError as error:
                wrong += textwrap.wrap(f"grokking of {name} cannot be told: {error}", WIDTH)
    if not rows:
        return wrong
    headings = (
        "run",
        "saturated",
        ">= .8",
        ">= .95",
        "delay",
        "hierarchical",
        "early-stopping gap",
    )
    return [
        "grokking, in steps: in-distribution accuracy >= .99, generalization >= .8 and >= .95",
        *(f"  {line}".rstrip() for line in _padded([headings, *rows])),
        *wrong,
    ]


def _grokked(summary: GrokkingSummary) -> tuple[str, ...]:
    delay = "-" if summary.delay is None else f"{numerals.times(summary.delay)} times"
    stopped = summary.early_stopping
    gap = "never stops"
    if stopped is not None:
        gap = numerals.signed_accuracy(stopped.last_quarter_gap)
        gap += f", keeps step {shown(stopped.kept.step)}"
    return (
        *(_crossed(one) for one in (summary.saturation, *summary.crossings)),
        delay,
        "yes" if summary.hierarchical else "no",
        gap,
    )


def _crossed(crossing: Crossing | None) -> str:
    return "never" if crossing is None else shown(crossing.step)


def _notes(runs: Mapping[str, Run]) -> list[str]:
    going = [
        f"note: {name} is {run.status}: this is what it has done so far"
        for name, run in runs.items()
        if run.status not in ("finished", "unknown")
    ]
    return going + [f"note: {note}" for run in runs.values() for note in run.notes]
