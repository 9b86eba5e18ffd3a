"""Loss on training and validation data, and the norm of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok.dynamics.columns import WEIGHT_NORMS, curve
from hf_grok.dynamics.curves import Steps, Values
from hf_grok.metrics import VALIDATION_LOSS
from hf_grok.report.groups import Group, measured, require
from hf_grok.report.style.annotations import label_lines
from hf_grok.report.style.drawing import add_axes, add_title, new_figure, step_axis
from hf_grok.report.style.palette import TRAINING_STYLE, VALIDATION_STYLE, WEIGHT_NORM_STYLE
from hf_grok.report.style.seed_curves import draw_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 1.75  # inches
GAP = 0.22
Curves = list[tuple[Steps, Values]]


def draw_losses(group: Group) -> Figure | None:
    """Losses above, weight norm below; None if neither was logged."""
    losses = _loss_curves(group)
    norms = _norm_curves(group)
    rows = [row for row in (bool(losses), bool(norms)) if row]
    if not rows:
        return None
    bottom, top = 0.5, 0.42
    figure = new_figure(bottom + top + PANEL * len(rows) + GAP * (len(rows) - 1))
    height = figure.get_size_inches()[1]
    if losses:
        axes = add_axes(figure, left=0.62, right=0.85, top=top, bottom=height - top - PANEL)
        plot_losses(group, axes, labelled=not norms)
    if norms:
        axes = add_axes(figure, left=0.62, right=0.85, top=height - bottom - PANEL, bottom=bottom)
        plot_weight_norm(group, axes)
    figure.align_ylabels()
    add_title(figure, f"{group.title}: loss and weights")
    return figure


def caption_losses(group: Group) -> str:
    """What `draw_losses` shows."""
    what = "Cross-entropy in nats a token" if group.of_recipe else "Loss, as the Trainer logged it"
    text = f"{what}: training (dotted) and validation (solid)."
    if not _norm_curves(group):
        return text + " The norm of the weights was not logged."
    return text + " Below, the L2 norm of all parameters."


def _norm_curves(group: Group) -> Curves:
    for column in WEIGHT_NORMS:
        if found := measured(group, column):
            return [(steps, values) for _, steps, values in found]
    return []


def _loss_curves(group: Group) -> list[tuple[str, Curves]]:
    training = [
        curve(run.training, "loss")
        for run in group.runs
        if "loss" in run.training.columns and run.training["loss"].notna().any()
    ]
    validation = [(steps, values) for _, steps, values in measured(group, VALIDATION_LOSS)]
    return [
        (name, curves)
        for name, curves in (("training", training), ("validation", validation))
        if curves
    ]


def plot_losses(group: Group, ax: Axes, *, labelled: bool = True) -> Axes:
    """Training and validation loss of every run against steps.

    Args:
        group: runs of one setting.
        ax: to draw into; its step axis is set, its names stand to the right of it.
        labelled: whether the steps are.

    Returns:
        `ax`.

    Raises:
        UserError: no loss was logged.
    """
    losses = _loss_curves(group)
    require(losses, group, "a loss")
    styles = {"training": (TRAINING_STYLE, 0.9), "validation": (VALIDATION_STYLE, 1.5)}
    step_axis(ax, group.last_step, labelled=labelled)
    ends = []
    for name, curves in losses:
        style, width = styles[name]
        end = draw_series(ax, curves, style, width=width)
        if end is not None:
            ends.append((end, name, style))
    ax.set_ylabel("loss (nats)" if group.of_recipe else "loss")
    label_lines(ax, ends)
    return ax


def plot_weight_norm(group: Group, ax: Axes) -> Axes:
    """The L2 norm of all parameters of every run against steps.

    Args:
        group: runs of one setting.
        ax: to draw into; its step axis is set.

    Returns:
        `ax`.

    Raises:
        UserError: the norm was not logged.
    """
    norms = _norm_curves(group)
    require(norms, group, "the norm of the weights")
    step_axis(ax, group.last_step)
    draw_series(ax, norms, WEIGHT_NORM_STYLE)
    ax.set_ylabel("L2 norm of weights")
    return ax
