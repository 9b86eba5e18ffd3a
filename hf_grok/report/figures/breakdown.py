"""Generalization by kind of sentence: what the mean hides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_grok.errors import unknown_name
from hf_grok.metrics import GENERALIZATION
from hf_grok.report.groups import Group, common_curve, full_length, measured
from hf_grok.report.style.drawing import accuracy_axis, add_title, new_figure, step_axis
from hf_grok.report.style.palette import KIND_STYLES, WRONG_RULE_STYLE, Style, colour
from hf_grok.report.style.panels import stacked_axes
from hf_grok.report.style.seed_curves import draw_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PREFIX = f"{GENERALIZATION}_"
KINDS = {
    "none": "no modifier",
    "pp": "subject with a prepositional phrase",
    "rc_subject_intransitive": "subject relative, intransitive",
    "rc_subject_transitive": "subject relative, transitive",
    "rc_object": "object relative",
    "distance_1": "distance 1",
    "distance_2_3": "distance 2 to 3",
    "distance_4_9": "distance 4 to 9",
    "distance_10_19": "distance 10 to 19",
    "distance_20_plus": "distance 20 and more",
}
WRONG_RULES = {
    "eval_generalization_linear_share": "linear rule (first auxiliary moved)",
    "eval_generalization_agree_recent_share": "agrees with the recent noun",
}
PANEL = 0.86  # inches
GAP = 0.27


@dataclass(frozen=True)
class Panel:
    """One small multiple: a column of the evaluations, its title and its style."""

    column: str
    title: str
    style: Style


def breakdown_panels(group: Group) -> list[Panel]:
    """The kinds that any run of the group measured, then the fractions of the wrong rules."""
    columns = group.columns
    kinds = [kind for kind in KINDS if PREFIX + kind in columns]
    panels = [
        Panel(PREFIX + kind, KINDS[kind], KIND_STYLES[position % len(KIND_STYLES)])
        for position, kind in enumerate(kinds)
    ]
    rules = [
        Panel(column, f"share of answers: {title}", WRONG_RULE_STYLE)
        for column, title in WRONG_RULES.items()
        if column in columns
    ]
    return panels + rules


def draw_breakdown(group: Group) -> Figure | None:
    """Small multiples of `breakdown_panels`, each over the mean; None if there are none."""
    panels = breakdown_panels(group)
    if not panels:
        return None
    bottom, top = 0.5, 0.56
    figure = new_figure(bottom + top + len(panels) * PANEL + (len(panels) - 1) * GAP)
    rows = stacked_axes(figure, len(panels), panel=PANEL, gap=GAP, top=top, right=0.2)
    for axes, panel in zip(rows, panels, strict=True):
        plot_breakdown(group, panel.column, axes, labelled=axes is rows[-1])
    add_title(figure, f"{group.title}: generalization by kind")
    return figure


def caption_breakdown(group: Group) -> str:
    """What `draw_breakdown` shows."""
    overall = "overall accuracy" if len(group.runs) == 1 else "mean overall accuracy"
    if any("_distance_" in panel.column for panel in breakdown_panels(group)):
        overall += " (closing brackets at distance 10 and more)"
    text = f"Generalization accuracy by kind; the grey line in every panel is the {overall}."
    if any(panel.column.endswith("rc_object") for panel in breakdown_panels(group)):
        text += (
            " Subject relatives right with object relatives wrong is a rule about adjacency,"
            " whatever the mean says; a hierarchical rule gets all of them right."
        )
    if any(panel.column in WRONG_RULES for panel in breakdown_panels(group)):
        text += " The last panel is the share of answers that follow the wrong rule."
    return text


def plot_breakdown(group: Group, column: str, ax: Axes, *, labelled: bool = True) -> Axes:
    """Generalization on one kind of sentence against steps, over that on all, in grey.

    Args:
        group: runs of one setting.
        column: one of `breakdown_panels`, such as eval_generalization_accuracy_rc_object.
        ax: to draw into; its scales and title are set.
        labelled: whether the steps are.

    Returns:
        `ax`.

    Raises:
        UserError: the runs have no such part of the accuracy.
    """
    known = {panel.column: panel for panel in breakdown_panels(group)}
    if column not in known:
        raise unknown_name("part of generalization", column, known)
    panel = known[column]
    step_axis(ax, group.last_step, labelled=labelled)
    accuracy_axis(ax, label="", sparse=True)
    _draw_overall(ax, group)
    curves = [(steps, values) for _, steps, values in measured(group, column)]
    draw_series(ax, curves, panel.style)
    ax.set_title(panel.title, loc="left", fontsize=9.5, pad=3.5, color=colour(panel.style.colour))
    return ax


def _draw_overall(axes: Axes, group: Group) -> None:
    curves = [(steps, values) for _, steps, values in measured(group, GENERALIZATION)]
    steps, matrix = common_curve(full_length(curves))
    mean = matrix.mean(axis=0)
    axes.plot(steps, mean, color=colour("muted"), linewidth=1.8, alpha=0.35, zorder=1.2)
