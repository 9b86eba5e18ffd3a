"""Generalization against the depth of the model: where each seed ends, and how many arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.delay import SATURATION
from hf_grok.dynamics.learning import WHOLE, learning_of
from hf_grok.dynamics.when import Fraction, arrival_of, fraction_interval
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION, measure_of
from hf_grok.report.figures.breakdown import WRONG_RULES
from hf_grok.report.groups import Group, require
from hf_grok.report.style import numerals
from hf_grok.report.style.drawing import accuracy_axis, add_axes, add_title, new_figure
from hf_grok.report.style.palette import BASELINE_STYLES, colour
from hf_grok.report.style.seed_points import SEED_WIDTH, plot_seeds, sideways

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OFFSET = 0.17
LEVEL = measure_of(GENERALIZATION).metric.margin
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
    """One column a depth: each run's last-quarter mean and maximum, and the share that crosses."""
    figure = new_figure(5.15)
    sides = {"left": 0.5, "right": 0.15}
    plot_depths(groups, add_axes(figure, bottom=2.35, top=0.64, **sides))
    plot_crossings(groups, add_axes(figure, bottom=0.47, top=3.28, **sides))
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
    for column, group in enumerate(_with_accuracies(groups)):
        means = [summary.last_quarter_mean for summary in group.summaries]
        maxima = [summary.maximum.value for summary in group.summaries]
        plot_seeds(means, ax, column - OFFSET, MARKERS[MEAN])
        plot_seeds(maxima, ax, column + OFFSET, MARKERS[MAXIMUM])
        _hollow_unlearnt(group, means, ax, column - OFFSET)
    accuracy_axis(ax, label="generalization accuracy")
    _draw_coin(groups, ax)
    _columns(ax, [f"{_depth(group)}\n(n = {len(group.runs)})" for group in groups])
    _legend(ax)
    return ax


def plot_crossings(groups: Sequence[Group], ax: Axes, level: float = LEVEL) -> Axes:
    """Share of the seeds whose generalization comes to a level, with its exact 95 % interval.

    Args:
        groups: as `plot_depths` takes them.
        ax: to draw into; its scales are set.
        level: held at two evaluations in a row.

    Returns:
        `ax`.

    Raises:
        UserError: no group, or one without accuracies.
    """
    for column, group in enumerate(_with_accuracies(groups)):
        share = crossing_share(group, level)
        ax.plot([column] * 2, [share.low, share.high], color=colour("muted"), linewidth=1.4)
        ax.plot([column], [share.value], marker="o", ms=5, color=colour("ink"), clip_on=False)
        ax.annotate(
            f"{share.count} of {share.seeds}",
            (column, share.value),
            xytext=(6, 0),
            fontsize="small",
            textcoords="offset points",
            va="center",
        )
    accuracy_axis(ax, label=f"share at {numerals.accuracy(level)}", sparse=True)
    _columns(ax, [f"{_depth(group)}{_unlearnt(group)}" for group in groups])
    return ax


def crossing_share(group: Group, level: float = LEVEL) -> Fraction:
    """How many of a group's runs come to a level of generalization, at two evaluations in a row."""
    found = [arrival_of(*curve(run.evaluations, GENERALIZATION), level) for run in group.runs]
    return fraction_interval(sum(one.step is not None for one in found), len(found))


def caption_depths() -> str:
    """What `draw_depths` shows."""
    return (
        "Generalization by depth: each run's mean over the last quarter of its steps (dots) and "
        "its maximum (triangles, a best-of-all-evaluations number); the short line is the median "
        f"of the runs. Below, the share of the runs that reach {numerals.accuracy(LEVEL)} at two "
        "evaluations in a row, with its exact 95 % interval (Clopper-Pearson). Unlearnt (dots with "
        f"a hole) are runs that never came to {numerals.accuracy(SATURATION)} in distribution, or "
        f"that write fewer than {numerals.accuracy(WHOLE)} of its lines whole at the end: what "
        "they do out of it does not say which rule they follow. Dashed, where two answers are "
        "possible: half, which is what a model scores that knows both and tosses a coin."
    )


def _with_accuracies(groups: Sequence[Group]) -> Sequence[Group]:
    if not groups:
        raise UserError("no group of runs: expected one for each depth")
    for group in groups:
        require(group.summaries, group, "both accuracies")
    return groups


def _draw_coin(groups: Sequence[Group], ax: Axes) -> None:
    """Half, where two answers are possible: known both, and chosen between blindly."""
    measured = {name for group in groups for run in group.runs for name in run.evaluations.columns}
    if not measured & WRONG_RULES.keys():
        return
    ax.axhline(0.5, label="_coin", **{**BASELINE_STYLES[0].line(1.0), "zorder": 1.8})
    ax.annotate(
        "a coin",
        (1.0, 0.5),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        fontsize="small",
        color=colour("muted"),
    )


def _hollow_unlearnt(group: Group, values: Sequence[float], ax: Axes, centre: float) -> None:
    for place, value, run in zip(
        sideways(len(values), SEED_WIDTH), values, group.runs, strict=True
    ):
        if not learning_of(run.evaluations).learnt:
            ax.plot([centre + place], [value], "o", ms=2.2, color=colour("paper"), clip_on=False)


def _unlearnt(group: Group) -> str:
    count = sum(not learning_of(run.evaluations).learnt for run in group.runs)
    return f"\n({count} unlearnt)" if count else ""


def _depth(group: Group) -> str:
    return "depth unknown" if group.layers is None else numerals.counted(group.layers, "layer")


def _columns(ax: Axes, labels: Sequence[str]) -> None:
    ax.set_xlim(-0.5, len(labels) - 0.5)
    ax.set_xticks(range(len(labels)), labels)
    ax.tick_params(axis="x", length=0)
    ax.grid(axis="x", visible=False)


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
