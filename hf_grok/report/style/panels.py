"""Small panels over one step axis: where they stand, and what lies behind all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok.metrics import GENERALIZATION
from hf_grok.report.groups import Group, common_curve, full_length, measured
from hf_grok.report.style.drawing import add_axes
from hf_grok.report.style.palette import Style, colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hf_grok.report.style.annotations import Event

TITLE = 0.2  # inches that the title of a panel takes above it


def stacked_axes(
    figure: Figure,
    rows: int,
    *,
    panel: float,
    gap: float,
    top: float,
    left: float = 0.5,
    right: float,
) -> list[Axes]:
    """Axes under each other, empty.

    Args:
        figure: high enough for `rows` panels, `rows` - 1 gaps, `top`, and labels below.
        rows: how many.
        panel: height of one, in inches, as all of the following.
        gap: between two.
        top: above the first.
        left: of all of them.
        right: likewise.
    """
    height = figure.get_size_inches()[1]
    stacked = []
    for row in range(rows):
        above = top + row * (panel + gap)
        bottom = height - above - panel
        stacked.append(add_axes(figure, left=left, right=right, top=above, bottom=bottom))
    return stacked


def panel_title(axes: Axes, text: str, style: Style) -> None:
    """What a panel shows, above it; nothing that crosses the title hides it."""
    title = axes.set_title(text, loc="left", fontsize=9.5, pad=3.5, color=colour(style.colour))
    title.set_bbox({"facecolor": colour("paper"), "edgecolor": "none", "pad": 0.6})


def draw_generalization_behind(axes: Axes, group: Group) -> None:
    """Mean generalization accuracy in grey: 0 at the bottom of the panel, 1 at its top."""
    curves = [(steps, values) for _, steps, values in measured(group, GENERALIZATION)]
    if not curves:
        return
    steps, matrix = common_curve(full_length(curves))
    axes.plot(
        steps,
        (matrix.mean(axis=0) + 0.05) / 1.1,
        transform=axes.get_xaxis_transform(),
        color=colour("muted"),
        linewidth=1.8,
        alpha=0.3,
        zorder=1.2,
        label="_generalization",
    )


def draw_events(axes: Axes, events: Sequence[Event]) -> None:
    """The vertical lines of events whose labels stand elsewhere."""
    for event in events:
        axes.plot(
            [event.step, event.step],
            [0, 1],
            transform=axes.get_xaxis_transform(),
            color=colour(event.style.colour),
            linestyle=event.style.dashes,
            linewidth=1.1,
            zorder=1.5,
            label="_event",
        )
