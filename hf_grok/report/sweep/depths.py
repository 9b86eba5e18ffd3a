"""Generalization by depth, of a sweep whose arms are depths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok.report.figures.depth import caption_depths, draw_depths
from hf_grok.report.groups import Group, group_of
from hf_grok.report.sweep.runs import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sweep_depths(sweep: Sweep) -> list[Group]:
    """A group for each arm, shallow first; none unless each arm has a depth of its own.

    Runs of a table know their depth where it was the sweep's grid.
    """
    arms = [arm for arm in sweep.arms if arm.runs]
    depths = [{run.layers for run in arm.runs} for arm in arms]
    known = {depth for one in depths for depth in one if depth is not None}
    if len(arms) < 2 or any(len(one) != 1 for one in depths) or len(known) != len(arms):
        return []
    recipe = sweep.recipe or sweep.name
    groups = [
        group_of(arm.runs, recipe, layers=depth) for arm, (depth,) in zip(arms, depths, strict=True)
    ]
    if not all(group.summaries for group in groups):
        return []
    return sorted(groups, key=lambda group: group.layers or 0)


def draw_sweep_depths(sweep: Sweep) -> Figure | None:
    """Where each seed of every depth ends, and how many arrive; None of a sweep of other arms."""
    groups = sweep_depths(sweep)
    return draw_depths(groups) if groups else None


def caption_sweep_depths(sweep: Sweep) -> str:
    """What `draw_sweep_depths` shows."""
    return f"{sweep.name}. {caption_depths()}"
