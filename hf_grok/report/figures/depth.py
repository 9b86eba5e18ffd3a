"""Generalization against the depth of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hf_grok.errors import UserError
from hf_grok.report.groups import Group, require
from hf_grok.report.style.drawing import accuracy_axis, add_axes, add_title, new_figure
from hf_grok.report.style.palette import colour
from hf_grok.report.style.seed_points import plot_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OFFSET = 0.17
MEAN, MAXIMUM = "mean of the last quarter", "maximum"
MARKERS: dict[str, dict[str, Any]] = {
    MEAN: {"marker": "o", "color": colour("vermilion")},
    MAXIMUM: {"marker": "^", "color": colour("blue"), "markerfacecolor": "none"},
}


def depth_series(groups: Sequence[Group]) -> list[list[Group]]:
    """Groups with accuracies that differ in nothing but depth, where there are several depths."""
    gathered: dict[tuple[str, str | None, str | None], list[Group]] = {}
    for group in groups:
        if group.layers is not None and group.summaries:
            gathered.setdefault((group.recipe, group.scale, group.model), []).append(group)
    return [members for members in gathered.values() if len(members) > 1]


def draw_depths(groups: Sequence[Group]) -> Figure:
    """One column a depth: each run's last-quarter mean (dot) and maximum (triangle)."""
    figure = new_figure(3.3)
    plot_depths(groups, add_axes(figure, left=0.5, bottom=0.5, right=0.15, top=0.64))
    add_title(figure, f"{groups[0].recipe}: depth")
    return figure


def plot_depths(groups: Sequence[Group], ax: Axes) -> Axes:
    """Generalization of every run, a column a depth: last-quarter mean and maximum.

    Args:
        groups: such as one of `depth_series`; each of one depth, with accuracies.
        ax: to draw into; its scales are set, its legend stands above it.

    Returns:
        `ax`.

    Raises:
        UserError: no group, or one without accuracies.
    """
    if not groups:
        raise UserError("no group of runs: expected one for each depth")
    for column, group in enumerate(groups):
        require(group.summaries, group, "both accuracies")
        means = [summary.last_quarter_mean for summary in group.summaries]
        maxima = [summary.maximum.value for summary in group.summaries]
        plot_seeds(means, ax, column - OFFSET, MARKERS[MEAN])
        plot_seeds(maxima, ax, column + OFFSET, MARKERS[MAXIMUM])
    accuracy_axis(ax, label="generalization accuracy")
    ax.set_xlim(-0.5, len(groups) - 0.5)
    ax.set_xticks(range(len(groups)), [_label(group) for group in groups])
    ax.tick_params(axis="x", length=0)
    ax.grid(axis="x", visible=False)
    _legend(ax)
    return ax


def caption_depths() -> str:
    """What `draw_depths` shows."""
    return (
        "Generalization by depth: each run's mean over the last quarter of its steps (dots) and "
        "its maximum (triangles, a best-of-all-evaluations number); the short line is the median "
        "of the runs."
    )


def _label(group: Group) -> str:
    return f"{group.layers} layers\n(n = {len(group.runs)})"


def _legend(axes: Axes) -> None:
    handles = [
        axes.plot([], [], ls="", ms=5, mew=1.3, label=name, **options)[0]
        for name, options in MARKERS.items()
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=2,
        frameon=False,
        handletextpad=0.1,
    )
