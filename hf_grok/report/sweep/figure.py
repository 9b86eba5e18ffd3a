"""The figure of a sweep: a row a kind of arm, a column a quantity, the reference in each panel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hf_grok.errors import UserError
from hf_grok.metrics import IN_DISTRIBUTION, owner_of
from hf_grok.report.style import numerals
from hf_grok.report.sweep.grid import Panel, draw_grid
from hf_grok.report.sweep.numbers import Quantity, has, present
from hf_grok.report.sweep.onsets import loss_level
from hf_grok.report.sweep.panels import (
    STYLES,
    draw_panel,
    linear_step_axis,
    name_baseline,
    scale,
    value_limits,
)
from hf_grok.report.sweep.runs import Arm, Sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def panel_quantities(sweep: Sweep) -> list[Quantity]:
    """One column each: the loss, generalization, of every probe its first main number of a unit.

    What no run measured twice, as a probe of last checkpoints, is no curve: the table has it.
    """
    firsts: dict[tuple[str, str], Quantity] = {}
    for one in present(sweep):
        if one.column != IN_DISTRIBUTION:
            # Curves are of the runs' own evaluations, and so is what they are drawn beside.
            kind = owner_of(one.column), one.metric.unit
            firsts.setdefault(kind, replace(one, afterwards=False))
    return [one for one in firsts.values() if _is_curve(sweep, one.column)] or [*firsts.values()]


def _is_curve(sweep: Sweep, column: str) -> bool:
    return any(has(run, column) and run.evaluations[column].count() > 1 for run in sweep.runs)


def draw_arms(sweep: Sweep) -> Figure:
    """Every arm's mean and range over seeds, in a row with those of its kind."""

    def draw(panel: Panel) -> None:
        plot_arms(sweep, panel.arms, panel.quantity, panel.axes, labelled=panel.last)
        if panel.first:
            name_baseline(panel.axes, sweep, panel.quantity)

    arms = numerals.counted(len(sweep.arms), "arm")
    seeds = numerals.counted(max(len(arm.runs) for arm in sweep.arms), "seed")
    return draw_grid(sweep, panel_quantities(sweep), f"{sweep.name}: {arms}, {seeds}", draw)


def plot_arms(
    sweep: Sweep, arms: Sequence[Arm], quantity: Quantity, ax: Axes, *, labelled: bool = True
) -> Axes:
    """Mean and range over seeds of some arms against steps, and the reference in grey.

    Args:
        sweep: as `read_sweep` reads it.
        arms: four at most.
        quantity: one of `panel_quantities`.
        ax: to draw into; its scales are set.
        labelled: whether the steps are.

    Returns:
        `ax`.

    Raises:
        UserError: more arms than can be told apart.
    """
    if len(arms) > len(STYLES):
        raise UserError(f"{len(arms)} arms in one panel: expected {len(STYLES)} at most")
    linear_step_axis(ax, last_step(sweep), labelled=labelled)
    scale(ax, value_limits(sweep, quantity))
    draw_panel(ax, sweep, arms, quantity, loss_level(sweep.reference))
    return ax


def last_step(sweep: Sweep) -> int:
    """The last step at which any of the runs was evaluated."""
    return max(int(run.evaluations.index[-1]) for run in sweep.runs)


def caption_arms(sweep: Sweep) -> str:
    """What `draw_arms` shows."""
    text = (
        f"Arms of {sweep.name}: mean over seeds, and the band from the least to the greatest."
        f" {sweep.reference.name} is grey in every panel; black dashes score the same without the"
        " model. Triangles mark onsets, the mean step of the seeds' own and their range: where the"
        " curve first stays beyond its baseline. Arms of which less than half of the seeds have"
        " one have no triangle."
    )
    if any(arm.parent for arm in sweep.arms):
        text += (
            " An arm that branches off another is drawn from there (dot); the other is dotted grey."
        )
    return text
