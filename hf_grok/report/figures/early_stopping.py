"""What early stopping would have kept, beside what training further gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hf_grok.dynamics import EarlyStopping, early_stopping_gap
from hf_grok.dynamics.early_stopping import PATIENCE
from hf_grok.metrics import IN_DISTRIBUTION, VALIDATION_LOSS
from hf_grok.report.groups import Group, require
from hf_grok.report.style.drawing import add_axes, add_title, new_figure
from hf_grok.report.style.palette import colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hf_grok.dynamics import Run

ROW = 0.3  # inches
END = "end of training"
MARKS = {IN_DISTRIBUTION: "by accuracy", VALIDATION_LOSS: "by validation loss"}
MARKERS: dict[str, dict[str, Any]] = {
    "by accuracy": {"marker": "o", "ms": 9, "markerfacecolor": "none", "color": colour("blue")},
    "by validation loss": {
        "marker": "s",
        "ms": 9,
        "markerfacecolor": "none",
        "color": colour("ink"),
    },
    END: {"marker": "o", "ms": 5.5, "color": colour("vermilion")},
}


def draw_early_stopping(group: Group) -> Figure | None:
    """One row a run: generalization at the kept checkpoints, and over the last quarter.

    None without accuracies.
    """
    if not group.summaries:
        return None
    top, bottom = 0.64, 0.5
    figure = new_figure(top + bottom + ROW * len(group.runs))
    left = 0.15 + 0.085 * max(len(label) for label in group.labels)
    plot_early_stopping(group, add_axes(figure, left=left, bottom=bottom, right=0.25, top=top))
    add_title(figure, f"{group.title}: early stopping")
    return figure


def plot_early_stopping(group: Group, ax: Axes) -> Axes:
    """Generalization at the checkpoints that early stopping keeps and over the last quarter.

    Args:
        group: runs of one setting, with accuracies; a row each.
        ax: to draw into; its scales are set, its legend stands above it.

    Returns:
        `ax`.

    Raises:
        UserError: the runs have no accuracies.
    """
    require(group.summaries, group, "both accuracies")
    for row, run in enumerate(group.runs):
        _draw_row(ax, row, run, group.summaries[row].last_quarter_range)
        ax.plot(group.summaries[row].last_quarter_mean, row, ls="", **MARKERS[END])
    _finish(ax, group)
    return ax


def caption_early_stopping() -> str:
    """What `draw_early_stopping` shows."""
    return (
        "Generalization accuracy at the checkpoint that early stopping keeps (hollow: by "
        "in-distribution accuracy, round; by validation loss, square) against the last quarter of "
        "training (filled: mean; line: lowest to highest evaluation). Patience is "
        f"{PATIENCE} evaluations at the run's widest spacing. No hollow mark: the watched value "
        "still improved when the run ended."
    )


def stops(run: Run) -> dict[str, EarlyStopping | None]:
    """watched column -> what stopping on it keeps; None if it never stops or was not measured."""
    return {
        column: (
            early_stopping_gap(run.evaluations, watch=column)
            if column in run.evaluations.columns and run.evaluations[column].notna().any()
            else None
        )
        for column in MARKS
    }


def _draw_row(axes: Axes, row: int, run: Run, late: tuple[float, float]) -> None:
    axes.plot(late, [row, row], color=colour("vermilion"), linewidth=2.4, alpha=0.5)
    for watched, stopped in stops(run).items():
        if stopped is not None:
            marker = MARKERS[MARKS[watched]]
            axes.plot(stopped.kept.value, row, ls="", mew=1.5, clip_on=False, **marker)


def _finish(axes: Axes, group: Group) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", ".2", ".4", ".6", ".8", "1"])
    axes.set_xlabel("generalization accuracy")
    axes.set_ylim(len(group.runs) - 0.4, -0.6)
    axes.set_yticks(range(len(group.runs)), group.labels)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    handles = [
        axes.plot([], [], ls="", mew=1.5, label=name, **options)[0]
        for name, options in MARKERS.items()
    ]
    axes.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1.03, 1.0),
        ncols=3,
        frameon=False,
        handletextpad=0.1,
        columnspacing=1.0,
        borderaxespad=0.1,
    )
