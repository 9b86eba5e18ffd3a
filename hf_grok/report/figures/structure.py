"""Structure against steps: what each probe measured, over its baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_grok.errors import unknown_name
from hf_grok.metrics import Baseline, Measure
from hf_grok.report.figures.accuracy import arrival_events
from hf_grok.report.figures.onset_marks import (
    MEANING,
    mark_onsets,
    say_onsets,
    study_onsets,
    write_onsets,
)
from hf_grok.report.groups import Group, common_curve, full_length, measured
from hf_grok.report.probe_metrics import Family, families
from hf_grok.report.style.annotations import ROW, label_lines, mark_events
from hf_grok.report.style.drawing import (
    accuracy_axis,
    add_title,
    matplotlib_module,
    new_figure,
    step_axis,
)
from hf_grok.report.style.palette import BASELINE_STYLES, KIND_STYLES, STRUCTURE_STYLE, Style
from hf_grok.report.style.panels import (
    TITLE,
    draw_events,
    draw_generalization_behind,
    panel_title,
    stacked_axes,
)
from hf_grok.report.style.seed_curves import draw_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hf_grok.dynamics.onsets.study import MetricOnsets

PANEL = 0.92  # inches
GAP = 0.32
RIGHT = 1.42
INK = Style("ink")
End = tuple[float, str, Style]


def structure_families(group: Group) -> list[Family]:
    """The panels of the numbers that any run of the group measured."""
    return families(group.columns, group.recorded)


def draw_structure(group: Group) -> Figure | None:
    """One panel a family of numbers, with baselines and onsets; None without probes."""
    panels = structure_families(group)
    if not panels:
        return None
    events = arrival_events(group)
    bottom, top = 0.5, 0.42 + ROW * len(events) + TITLE
    figure = new_figure(bottom + top + len(panels) * PANEL + (len(panels) - 1) * GAP)
    rows = stacked_axes(figure, len(panels), panel=PANEL, gap=GAP, top=top, left=0.55, right=RIGHT)
    for axes, family in zip(rows, panels, strict=True):
        plot_structure(group, family, axes, labelled=axes is rows[-1])
    mark_events(rows[0], events, above=TITLE)
    for axes in rows[1:]:
        draw_events(axes, events)
    add_title(figure, f"{group.title}: structure")
    return figure


def plot_structure(group: Group, numbers: Family | str, ax: Axes, *, labelled: bool = True) -> Axes:
    """What a probe measured against steps, over its baselines, with onsets; accuracy in grey.

    Args:
        group: runs of one setting.
        numbers: one of `structure_families`, or one column of them, such as eval_uas_best_head.
        ax: to draw into; its scales and title are set, its names stand to the right of it.
        labelled: whether the steps are.

    Returns:
        `ax`.

    Raises:
        UserError: the runs have no such column.
    """
    family = _column(group, numbers) if isinstance(numbers, str) else numbers
    step_axis(ax, group.last_step, labelled=labelled)
    draw_generalization_behind(ax, group)
    draw_family(ax, group, family, family_curves(group, family))
    return ax


def _column(group: Group, column: str) -> Family:
    known = {
        one.column: Family(family.title, (one,))
        for family in structure_families(group)
        for one in family.measures
    }
    if column not in known:
        raise unknown_name("number of a probe", column, known)
    return known[column]


def caption_structure(group: Group) -> str:
    """What `draw_structure` shows."""
    text = (
        "What probes found in the model (solid), and what scores the same without the model"
        " (dashed, dotted): a fixed offset, a branching direction, chance; on the right the last"
        " values."
    )
    if group.summaries:
        text += (
            " Grey, behind every panel: generalization accuracy, 0 at the bottom and 1 at the"
            " top, to see which comes first."
        )
    if len(group.runs) > 1:
        text += " Thin lines are runs; thick line and band are their mean and middle half."
    measures = [one for family in structure_families(group) for one in family.measures]
    return text + MEANING if any(one.metric.direction for one in measures) else text


@dataclass(frozen=True)
class Curve:
    """A number as it is drawn: its style, and its onsets where they can be looked for."""

    measure: Measure
    style: Style
    onsets: MetricOnsets | None


def family_curves(group: Group, family: Family) -> list[Curve]:
    """The numbers of a family, each with its style and onsets."""
    styles = (STRUCTURE_STYLE,) if len(family.measures) == 1 else KIND_STYLES
    return [
        Curve(measure, style, study_onsets(group, measure.column))
        for measure, style in zip(family.measures, styles, strict=False)
    ]


def draw_family(axes: Axes, group: Group, family: Family, chosen: Sequence[Curve]) -> None:
    """Numbers of one family, with baselines, labels and onsets.

    Args:
        axes: with their final step axis.
        group: whose numbers.
        family: what they are.
        chosen: at least one.
    """
    ends = _draw_baselines(axes, group, family)
    for one in chosen:
        curves = [(steps, values) for _, steps, values in measured(group, one.measure.column)]
        end = draw_series(axes, curves, one.style)
        if end is not None:
            ends.append((end, _label(one, family.say(end), alone=len(chosen) == 1), one.style))
        mark_onsets(axes, one.onsets, one.style)
    _scale(axes, family)
    label_lines(axes, ends)
    if len(chosen) == 1:
        write_onsets(axes, chosen[0].onsets)
    panel_title(axes, family.title, chosen[0].style if len(chosen) == 1 else INK)


def _label(one: Curve, value: str, *, alone: bool) -> str:
    """Name and last value; where several curves share a panel, the onset of those that have one."""
    onset = [] if alone else say_onsets(one.onsets)[:1]
    return " ".join([one.measure.label, *(onset or [value])])


def _draw_baselines(axes: Axes, group: Group, family: Family) -> list[End]:
    """Lines of what the numbers are compared with, each once; their labels' places."""
    asked = dict.fromkeys(base for one in family.measures for base in one.baselines)
    ends = []
    for baseline, style in zip(asked, BASELINE_STYLES, strict=False):
        end = _draw_baseline(axes, group, baseline, style)
        if end is not None:
            ends.append((end, f"{baseline.label} {family.say(end)}", style))
    return ends


def _draw_baseline(axes: Axes, group: Group, baseline: Baseline, style: Style) -> float | None:
    line = {**style.line(1.2), "zorder": 1.8}
    if baseline.value is not None:
        axes.axhline(baseline.value, label="_baseline", **line)
        return baseline.value
    curves = [(steps, values) for _, steps, values in measured(group, baseline.column)]
    if not curves:
        return None
    steps, matrix = common_curve(full_length(curves))
    mean = matrix.mean(axis=0)
    axes.plot(steps, mean, label="_baseline", **line)
    return float(mean[-1])


def _scale(axes: Axes, family: Family) -> None:
    ticker = matplotlib_module("matplotlib.ticker")
    if family.shares:
        accuracy_axis(axes, label="", sparse=True)
    elif family.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(ticker.LogLocator(numticks=4))
        axes.yaxis.set_minor_locator(ticker.NullLocator())
    else:
        axes.margins(y=0.12)
        axes.yaxis.set_major_locator(ticker.MaxNLocator(3, min_n_ticks=2))
