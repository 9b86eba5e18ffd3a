"""Loss, structure and capability over each other, each with its onset, as Chen et al. 2024 do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_grok.metrics import GENERALIZATION, VALIDATION_LOSS, Measure
from hf_grok.report.figures.onset_marks import MEANING, found_onsets, say_onsets, study_onsets
from hf_grok.report.figures.structure import Curve, draw_family
from hf_grok.report.groups import Group, measured, require
from hf_grok.report.probe_metrics import Family, family_of
from hf_grok.report.style.annotations import ROW, Event, mark_events
from hf_grok.report.style.drawing import add_title, new_figure, step_axis
from hf_grok.report.style.palette import GENERALIZATION_STYLE, STRUCTURE_STYLE, Style
from hf_grok.report.style.panels import TITLE, draw_events, stacked_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hf_grok.dynamics.onsets.study import MetricOnsets

PANEL = 1.25  # inches
GAP = 0.32
RIGHT = 1.42
_STRUCTURE = ("eval_uas_single_head", "eval_uas_best_head")
_PAIRS = "eval_pairs_accuracy"


@dataclass(frozen=True)
class Part:
    """One panel: a number, what its onset is called, its style and that of its onset's line."""

    family: Family
    name: str
    style: Style
    onset: Style

    @property
    def measure(self) -> Measure:
        """The number."""
        return self.family.measures[0]


_LOSS = Part(
    family_of(VALIDATION_LOSS),
    "loss",
    Style("green", "-", "^"),
    Style("green", (0, (1, 1.2))),
)


def trajectory_parts(group: Group) -> list[Part]:
    """Loss, attention UAS, and minimal pairs or else generalization; empty without all three.

    UAS is that of one head, which the paper plots; of the best head of each relation where only
    that was measured.
    """
    structure = [one for one in _STRUCTURE if measured(group, one)]
    if not structure or not measured(group, VALIDATION_LOSS):
        return []
    pairs = bool(measured(group, _PAIRS))
    if not pairs and not group.summaries:
        return []
    return [
        _LOSS,
        Part(family_of(structure[0]), "UAS", STRUCTURE_STYLE, Style("blue", (0, (5, 1.6)))),
        Part(
            family_of(_PAIRS if pairs else GENERALIZATION),
            "pairs" if pairs else "accuracy",
            GENERALIZATION_STYLE,
            Style("vermilion", "-"),
        ),
    ]


def draw_trajectory(group: Group) -> Figure | None:
    """Three panels, through which every onset is a vertical line; None without loss or UAS."""
    parts = trajectory_parts(group)
    if not parts:
        return None
    studies = [study_onsets(group, part.measure.column) for part in parts]
    events = [
        event for part, one in zip(parts, studies, strict=True) for event in _events(part, one)
    ]
    bottom, top = 0.5, 0.42 + ROW * len(events) + TITLE
    figure = new_figure(bottom + top + len(parts) * PANEL + (len(parts) - 1) * GAP)
    rows = stacked_axes(figure, len(parts), panel=PANEL, gap=GAP, top=top, left=0.55, right=RIGHT)
    for axes, part, one in zip(rows, parts, studies, strict=True):
        _plot_part(group, part, one, axes, labelled=axes is rows[-1])
    mark_events(rows[0], events, above=TITLE)
    for axes in rows[1:]:
        draw_events(axes, events)
    add_title(figure, f"{group.title}: trajectory")
    return figure


def plot_trajectory(group: Group, part: Part, ax: Axes) -> Axes:
    """Loss, structure or capability against steps, with its onset on the lower edge.

    Args:
        group: runs of one setting.
        part: one of `trajectory_parts`.
        ax: to draw into; its scales and title are set, its names stand to the right of it.

    Returns:
        `ax`.

    Raises:
        UserError: the runs have no such curve.
    """
    column = part.measure.column
    require(measured(group, column), group, column)
    return _plot_part(group, part, study_onsets(group, column), ax, labelled=True)


def _plot_part(
    group: Group, part: Part, study: MetricOnsets | None, ax: Axes, *, labelled: bool
) -> Axes:
    step_axis(ax, group.last_step, labelled=labelled)
    draw_family(ax, group, part.family, [Curve(part.measure, part.style, study)])
    return ax


def caption_trajectory(group: Group) -> str:
    """What `draw_trajectory` shows."""
    last = trajectory_parts(group)[-1].family.title
    text = (
        "Loss, attention UAS and "
        f"{last[0].lower()}{last[1:]}, each with its onset as a line through all three, as in Chen"
        " et al. 2024: does structure come with a drop of the loss, and before the capability?"
    )
    if len(group.runs) > 1:
        text += " Onsets are those of the mean, and their intervals those of resampled seeds."
    return text + MEANING


def _events(part: Part, study: MetricOnsets | None) -> list[Event]:
    """The onset of one curve: by acceleration, or else by crossing; none if there is none."""
    return [
        Event(onset.step, f"{part.name} {said}", part.onset)
        for (_, onset, _), said in zip(found_onsets(study), say_onsets(study), strict=True)
    ][:1]
