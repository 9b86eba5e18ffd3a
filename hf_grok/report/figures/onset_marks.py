"""Onsets of a group's curves: found as `hf-grok onsets` finds them, and marked in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.curve_files import MetricCurve
from hf_grok.dynamics.onsets.bootstrap import common_grid
from hf_grok.dynamics.onsets.existence import Onset
from hf_grok.dynamics.onsets.find import Rule, default_window
from hf_grok.dynamics.onsets.study import MetricOnsets, OnsetSettings, study_metric
from hf_grok.errors import UserError
from hf_grok.metrics import find_measure
from hf_grok.report.groups import Group, measured
from hf_grok.report.style.numerals import short_step
from hf_grok.report.style.palette import Style, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIGNS: dict[Rule, str] = {"acceleration": "▲", "crossing": "△"}
MEANING = (
    " Triangles mark onsets, with the steps between which each may lie: filled, where the curve"
    " speeds up most; hollow, where it begins to stay beyond its baseline (without one, beyond its"
    " first values). A curve without a triangle has no onset: `hf-grok onsets` says why."
)


def study_onsets(group: Group, column: str) -> MetricOnsets | None:
    """The onsets of the curves that reach the last step, or of their mean.

    None where better has no direction, or where there are too few evaluations to look.
    """
    curves = _curves(group, column)
    measure = find_measure(column, group.recorded)
    if not curves or measure is None or measure.metric.direction is None:
        return None
    level = measure.to_beat(_shared_columns(group, curves))
    others = _curves(group, level) if isinstance(level, str) else []
    try:
        default_window(common_grid([(one.steps, one.values) for one in curves])[0])
    except UserError:  # too few evaluations
        return None
    return study_metric(curves, others, OnsetSettings(declared=measure.metric, baseline=level))


def found_onsets(study: MetricOnsets | None) -> list[tuple[Rule, Onset, tuple[float, float]]]:
    """The onsets that exist, each with its rule and its interval: acceleration first."""
    if study is None:
        return []
    found = []
    for rule in SIGNS:
        onset, interval = study.conclusion(rule)
        if isinstance(onset, Onset) and interval is not None:
            found.append((rule, onset, interval))
    return found


def mark_onsets(axes: Axes, study: MetricOnsets | None, style: Style) -> None:
    """Triangles on the lower edge of the axes, each on its interval."""
    for rule, onset, interval in found_onsets(study):
        _draw_interval(axes, interval, style)
        _draw_triangle(axes, onset.step, rule, style)


def say_onsets(study: MetricOnsets | None) -> list[str]:
    """Such as ["▲ 2.5k", "△ 5k"]: each onset that exists, the acceleration's first."""
    return [
        f"{SIGNS[rule]} {short_step(round(onset.step))}" for rule, onset, _ in found_onsets(study)
    ]


def write_onsets(axes: Axes, study: MetricOnsets | None) -> None:
    """The onsets' steps, or that there is none, on the right of the axes beside their title."""
    if study is None:
        return
    found = say_onsets(study)
    axes.annotate(
        "  ".join(found) or "no onset",
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(7, 3.5),
        textcoords="offset points",
        color=colour("ink" if found else "muted"),
        annotation_clip=False,
    )


def _draw_interval(axes: Axes, interval: tuple[float, float], style: Style) -> None:
    axes.plot(
        interval,
        [0, 0],
        transform=axes.get_xaxis_transform(),
        color=colour(style.colour),
        linewidth=3,
        alpha=0.45,
        clip_on=False,
        solid_capstyle="butt",
        label="_interval",
    )


def _draw_triangle(axes: Axes, step: float, rule: Rule, style: Style) -> None:
    shade = colour(style.colour)
    axes.plot(
        [step],
        [0],
        transform=axes.get_xaxis_transform(),
        linestyle="",
        marker="^",
        markersize=7,
        color=shade,
        markerfacecolor=shade if rule == "acceleration" else colour("paper"),
        clip_on=False,
        zorder=4,
        label=f"_{rule}",
    )


def _curves(group: Group, column: str) -> list[MetricCurve]:
    """The runs' curves of one column that reach the last step that any of them reaches."""
    curves = measured(group, column)
    last = max((steps[-1] for _, steps, _ in curves), default=0)
    return [
        MetricCurve(column, str(run.path), steps.astype(np.float64), values)
        for run, steps, values in curves
        if steps[-1] == last
    ]


def _shared_columns(group: Group, curves: list[MetricCurve]) -> set[str]:
    """Columns that every run of these curves has measured, to its last step at that."""
    chosen = {curve.model for curve in curves}
    frames = [run.evaluations for run in group.runs if str(run.path) in chosen]
    columns = [{str(name) for name in frame if frame[name].notna().any()} for frame in frames]
    return set.intersection(*columns)
