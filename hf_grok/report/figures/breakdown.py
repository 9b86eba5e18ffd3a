"""Generalization by kind of sentence: what the mean hides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_grok.metrics import GENERALIZATION
from hf_grok.report.groups import Group, common_curve, full_length, measured
from hf_grok.report.style.drawing import accuracy_axis, add_title, new_figure
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
    rows = stacked_axes(figure, group, len(panels), panel=PANEL, gap=GAP, top=top, right=0.2)
    for axes, panel in zip(rows, panels, strict=True):
        _draw_panel(axes, group, panel)
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


def _draw_panel(axes: Axes, group: Group, panel: Panel) -> None:
    accuracy_axis(axes, label="", sparse=True)
    _draw_overall(axes, group)
    curves = [(steps, values) for _, steps, values in measured(group, panel.column)]
    draw_series(axes, curves, panel.style)
    axes.set_title(panel.title, loc="left", fontsize=9.5, pad=3.5, color=colour(panel.style.colour))


def _draw_overall(axes: Axes, group: Group) -> None:
    curves = [(steps, values) for _, steps, values in measured(group, GENERALIZATION)]
    steps, matrix = common_curve(full_length(curves))
    mean = matrix.mean(axis=0)
    axes.plot(steps, mean, color=colour("muted"), linewidth=1.8, alpha=0.35, zorder=1.2)
