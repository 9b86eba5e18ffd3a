"""One panel of a sweep's figure: its scales, its arms over what they must beat, their onsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.curves import Steps, Values
from hf_grok.report.groups import common_curve, full_length
from hf_grok.report.style.drawing import accuracy_axis, linear_until, matplotlib_module, places_on
from hf_grok.report.style.numerals import short_step
from hf_grok.report.style.palette import KIND_STYLES, Style, colour
from hf_grok.report.style.seed_curves import MARKER_SPACING, marked
from hf_grok.report.sweep.numbers import Quantity, Spread, baseline_at_end, has
from hf_grok.report.sweep.onsets import LossLevel, onsets
from hf_grok.report.sweep.runs import Arm, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = KIND_STYLES[:4]
REFERENCE_STYLE = Style("muted")
PARENT_STYLE = Style("muted", (0, (1, 1.2)))
BASELINE_STYLE = Style("ink", (0, (4, 1.6)))


def linear_step_axis(axes: Axes, last: int, *, labelled: bool) -> None:
    """Steps on a linear axis: what arms differ in lies hundreds of steps apart, not decades."""
    ticker = matplotlib_module("matplotlib.ticker")
    end = max(last, 1)
    axes.set_xlim(-0.01 * end, 1.02 * end)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(6))
    if labelled:
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: short_step(value)))
        axes.set_xlabel("training step")
    else:
        axes.xaxis.set_major_formatter(ticker.NullFormatter())
        axes.tick_params(axis="x", length=0)


def value_limits(sweep: Sweep, quantity: Quantity) -> tuple[float, float] | None:
    """Of the axis; without a loss's first fall, which would fill it. None for shares."""
    if quantity.metric.is_share:
        return None
    column = quantity.column
    curves = [curve(run.evaluations, column) for run in sweep.runs if has(run, column)]
    falls = quantity.metric.direction == "fall"
    begun = linear_until(max(steps[-1] for steps, _ in curves)) if falls else 0
    # The end of a run counts however soon it comes: arms differ in length.
    shown = np.concatenate([v[(steps >= begun) | (steps == steps[-1])] for steps, v in curves])
    low, high = float(shown.min()), float(shown.max())
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def scale(axes: Axes, limits: tuple[float, float] | None) -> None:
    """The value axis: within its limits, and without any, as for a share, from 0 to 1."""
    ticker = matplotlib_module("matplotlib.ticker")
    if limits is None:
        accuracy_axis(axes, label="", sparse=True)
    else:
        axes.set_ylim(*limits)
        axes.yaxis.set_major_locator(ticker.MaxNLocator(4, min_n_ticks=3))


def draw_panel(
    axes: Axes, sweep: Sweep, arms: Sequence[Arm], quantity: Quantity, level: LossLevel | None
) -> None:
    """The arms, what they branch off, the reference, the baseline; onsets on the lower edge."""
    draw_baseline(axes, sweep, quantity)
    for parent in branched_off(sweep, arms):
        _draw_arm(axes, parent, quantity, PARENT_STYLE, band=False)
    _draw_arm(axes, sweep.reference, quantity, REFERENCE_STYLE)
    for arm, style in zip(arms, STYLES, strict=False):
        _draw_arm(axes, arm, quantity, style)
    shown = [(sweep.reference, REFERENCE_STYLE), *zip(arms, STYLES, strict=False)]
    for height, (arm, style) in enumerate(shown):
        _mark(axes, onsets(arm, quantity, "crossing", level), len(arm.runs), style, height)


def branched_off(sweep: Sweep, arms: Sequence[Arm]) -> list[Arm]:
    """What the arms branch off, each once, unless it stands in the row itself."""
    names = dict.fromkeys(arm.parent for arm in arms if arm.parent is not None)
    inside = {sweep.reference.name, *(arm.name for arm in arms)}
    return [sweep.arm(name) for name in names if name not in inside]


def draw_baseline(axes: Axes, sweep: Sweep, quantity: Quantity) -> None:
    """What scores the same without the model, dashed."""
    level = baseline_at_end(sweep, quantity)
    if level is not None:
        axes.axhline(level.mean, label="_baseline", **{**BASELINE_STYLE.line(1.0), "zorder": 1.8})


def name_baseline(axes: Axes, sweep: Sweep, quantity: Quantity) -> None:
    """What is dashed, above the panel: curves leave no place within that is always free."""
    baseline = quantity.measure.baseline
    if baseline is None or baseline_at_end(sweep, quantity) is None:
        return
    lines = matplotlib_module("matplotlib.lines")
    axes.legend(
        [lines.Line2D([], [], **BASELINE_STYLE.line(1.0))],
        [baseline.label],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.02),
        frameon=False,
        borderpad=0.0,
        borderaxespad=0.0,
        handlelength=1.8,
        handletextpad=0.5,
    )


def _draw_arm(axes: Axes, arm: Arm, quantity: Quantity, style: Style, *, band: bool = True) -> None:
    """Mean and range of the runs, from where the arm branches off."""
    curves = [
        curve(run.evaluations, quantity.column) for run in arm.runs if has(run, quantity.column)
    ]
    if not curves:
        return
    steps, matrix = common_curve(full_length(curves))
    own = steps >= arm.step
    steps, matrix = steps[own], matrix[:, own]
    if band and len(matrix) > 1:
        axes.fill_between(
            steps,
            matrix.min(axis=0),
            matrix.max(axis=0),
            color=colour(style.colour),
            alpha=0.16,
            linewidth=0,
        )
    _draw_mean(axes, steps, matrix.mean(axis=0), style, branched=arm.parent is not None)


def _draw_mean(axes: Axes, steps: Steps, mean: Values, style: Style, *, branched: bool) -> None:
    places = marked(places_on(axes, steps), 1.5 * MARKER_SPACING)
    line = {**style.line(1.6), "markersize": 3.4, "markevery": places}
    axes.plot(steps, mean, **line)
    if branched:
        axes.plot(steps[:1], mean[:1], marker="o", markersize=4.5, color=colour(style.colour))


def _mark(axes: Axes, found: Spread | None, runs: int, style: Style, height: int) -> None:
    """A triangle on a bar over the seeds' range, the arms' above each other."""
    if found is None or 2 * found.count < runs:
        return
    at = 0.04 + 0.055 * height
    line: dict[str, Any] = {
        "transform": axes.get_xaxis_transform(),
        "color": colour(style.colour),
        "clip_on": False,
        "zorder": 4,
    }
    axes.plot([found.low, found.high], [at, at], linewidth=1.6, alpha=0.6, label="_range", **line)
    axes.plot([found.mean], [at], linestyle="", marker="^", markersize=5, label="_onset", **line)
