"""Attention UAS by relation: which relations have a head that does more than count words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hf_grok.errors import unknown_name
from hf_grok.report.figures.accuracy import arrival_events
from hf_grok.report.groups import Group, common_curve, full_length, measured
from hf_grok.report.probe_metrics import RELATION, RELATION_OFFSET
from hf_grok.report.style import numerals
from hf_grok.report.style.annotations import ROW, mark_events
from hf_grok.report.style.drawing import (
    WIDTH,
    accuracy_axis,
    add_axes,
    add_title,
    new_figure,
    step_axis,
    step_label,
)
from hf_grok.report.style.palette import BASELINE_STYLES, STRUCTURE_STYLE, colour
from hf_grok.report.style.panels import TITLE, draw_events, draw_generalization_behind, panel_title
from hf_grok.report.style.seed_curves import draw_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 2
PANEL = 0.8  # inches
GAP = 0.3
LEFT, RIGHT, BETWEEN = 0.4, 0.22, 0.4


def measured_relations(group: Group) -> list[str]:
    """The relations that any run of the group scored, in alphabetical order."""
    prefix, baseline = f"eval_{RELATION}", f"eval_{RELATION_OFFSET}"
    return sorted(
        column.removeprefix(prefix)
        for column in group.columns
        if column.startswith(prefix) and not column.startswith(baseline)
    )


def draw_relations(group: Group) -> Figure | None:
    """One panel a relation, with its best fixed offset dashed; None without attention UAS."""
    relations = measured_relations(group)
    if not relations:
        return None
    events = arrival_events(group)
    rows = math.ceil(len(relations) / COLUMNS)
    top, bottom = 0.42 + ROW * len(events) + TITLE, 0.5
    figure = new_figure(top + bottom + rows * PANEL + (rows - 1) * GAP)
    for place, relation in enumerate(relations):
        axes = _axes(figure, place, top)
        plot_relation(group, relation, axes, labelled=place + COLUMNS >= len(relations))
        axes.set_xlabel("")
        if place == 0:
            mark_events(axes, events, above=TITLE)
        else:
            draw_events(axes, events)
    _label_steps(figure, group.last_step)
    add_title(figure, f"{group.title}: UAS by relation")
    return figure


def caption_relations(group: Group) -> str:
    """What `draw_relations` shows."""
    text = (
        "Share of each relation's arcs that its best attention head finds (solid), and that its"
        " best fixed offset would find (dashed): a head is only interesting above that. In"
        " brackets the last values."
    )
    if group.summaries:
        text += " Grey: generalization accuracy."
    return text + (" Of several runs, their mean." if len(group.runs) > 1 else "")


def _axes(figure: Figure, place: int, top: float) -> Axes:
    row, column = divmod(place, COLUMNS)
    width = (WIDTH - LEFT - RIGHT - BETWEEN * (COLUMNS - 1)) / COLUMNS
    left, above = LEFT + column * (width + BETWEEN), top + row * (PANEL + GAP)
    height = figure.get_size_inches()[1]
    return add_axes(
        figure,
        left=left,
        right=WIDTH - left - width,
        top=above,
        bottom=height - above - PANEL,
    )


def plot_relation(group: Group, relation: str, ax: Axes, *, labelled: bool = True) -> Axes:
    """UAS of one relation's best head against steps, over its best fixed offset, dashed.

    Args:
        group: runs of one setting.
        relation: one of `measured_relations`, such as nsubj.
        ax: to draw into; its scales and title are set.
        labelled: whether the steps are.

    Returns:
        `ax`.

    Raises:
        UserError: the relation was not scored.
    """
    if relation not in measured_relations(group):
        raise unknown_name("relation with attention UAS", relation, measured_relations(group))
    step_axis(ax, group.last_step, labelled=labelled)
    accuracy_axis(ax, label="", sparse=True)
    draw_generalization_behind(ax, group)
    curves = [(steps, values) for _, steps, values in measured(group, f"eval_{RELATION}{relation}")]
    end = draw_series(ax, curves, STRUCTURE_STYLE)
    shown = [numerals.accuracy(end)] if end is not None else []
    offset = _draw_offset(ax, group, f"eval_{RELATION_OFFSET}{relation}")
    if offset is not None:
        shown.append(f"offset {numerals.accuracy(offset)}")
    panel_title(ax, f"{relation} ({', '.join(shown)})", STRUCTURE_STYLE)
    return ax


def _draw_offset(axes: Axes, group: Group, column: str) -> float | None:
    curves = [(steps, values) for _, steps, values in measured(group, column)]
    if not curves:
        return None
    steps, matrix = common_curve(full_length(curves))
    mean = matrix.mean(axis=0)
    axes.plot(steps, mean, label="_baseline", **{**BASELINE_STYLES[0].line(1.2), "zorder": 1.8})
    return float(mean[-1])


def _label_steps(figure: Figure, last_step: int) -> None:
    """One label for both columns, which are too narrow for it."""
    text, height = step_label(last_step), figure.get_size_inches()[1]
    figure.text(0.5, 0.1 / height, text, ha="center", va="bottom", color=colour("muted"))
