"""Labels that stand beside what they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import TYPE_CHECKING

from hf_grok.report.style.drawing import matplotlib_module, places_on
from hf_grok.report.style.palette import Style, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.2  # inches from one row of labels above the axes to the next
CHARACTER = 0.068 / 9.5  # inches that a character of a label takes, for each point of its size


@dataclass(frozen=True)
class Event:
    """A step worth a vertical line and a label.

    Args:
        step: where the line stands.
        label: what happened there.
        style: how the line is drawn.
    """

    step: float
    label: str
    style: Style


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions in low..high, in the order of `values`, at least `gap` apart and near them.

    Values that are far enough from each other stay where they are; the others make a block
    around their mean. If there is no room for all, they are spaced evenly over low..high.
    """
    if len(values) > 1 and gap * (len(values) - 1) > high - low:
        gap = (high - low) / (len(values) - 1)
    order = sorted(range(len(values)), key=lambda position: values[position])
    blocks: list[list[float]] = []
    for position in order:
        blocks.append([values[position]])
        while len(blocks) > 1 and _bottom(blocks[-1], gap, low, high) < (
            _bottom(blocks[-2], gap, low, high) + gap * len(blocks[-2])
        ):
            last = blocks.pop()
            blocks[-1] += last
    placed = [
        _bottom(block, gap, low, high) + gap * rank
        for block in blocks
        for rank in range(len(block))
    ]
    result = [0.0] * len(values)
    for position, value in zip(order, placed, strict=True):
        result[position] = value
    return result


def _bottom(block: Sequence[float], gap: float, low: float, high: float) -> float:
    """The lowest position of a block of labels centred on the mean of its values."""
    extent = gap * (len(block) - 1)
    return min(max(sum(block) / len(block) - extent / 2, low), high - extent)


def label_lines(axes: Axes, ends: Sequence[tuple[float, str, Style]], *, lines: int = 1) -> None:
    """Name series to the right of the axes, at the height where they end.

    Args:
        axes: axes whose limits are final.
        ends: last value, label and style of each series.
        lines: lines of text of the longest label.
    """
    low, high = axes.get_ylim()
    height = axes.bbox.height / axes.figure.dpi  # inches
    gap = (high - low) * 0.165 * lines / height
    placed = spread([value for value, _, _ in ends], gap, low + gap / 2, high - gap / 2)
    for y, (_, label, style) in zip(placed, ends, strict=True):
        axes.annotate(
            label,
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=colour(style.colour),
            annotation_clip=False,
        )


def mark_events(axes: Axes, events: Sequence[Event], *, above: float = 0.0) -> None:
    """Vertical lines, each labelled in a row of its own above the axes (`arrange`).

    Args:
        axes: axes whose step axis is final.
        events: at most a handful.
        above: inches to leave free between the axes and the lowest row.
    """
    figure = axes.figure
    width = axes.bbox.width / figure.dpi
    offset = axes.bbox.x0 / figure.dpi
    places = [offset + width * place for place in places_on(axes, [e.step for e in events])]
    size = float(matplotlib_module("matplotlib").rcParams["font.size"])
    lengths = [CHARACTER * size * len(event.label) for event in events]
    total = figure.bbox.width / figure.dpi
    for event, slot in zip(events, arrange(places, lengths, total), strict=True):
        _mark(axes, event, slot, above)


@dataclass(frozen=True)
class Slot:
    """Where a label stands: its row, 0 being the lowest, and its side of the line."""

    row: int
    left: bool


def arrange(places: Sequence[float], lengths: Sequence[float], total: float) -> list[Slot]:
    """Rows and sides of labels above the axes, so that few lines run through another's label.

    Every arrangement is tried: there are at most a handful of labels.

    Args:
        places: where each line stands, in inches from the left edge of the figure.
        lengths: how long each label is, in inches.
        total: width of the figure, in inches; labels that leave it count as the worst fault.
    """
    count = len(places)
    candidates = (
        [Slot(row, side) for row, side in zip(rows, sides, strict=True)]
        for rows in permutations(range(count))
        for sides in product((True, False), repeat=count)
    )
    return min(candidates, key=lambda slots: _faults(slots, places, lengths, total))


def _faults(
    slots: Sequence[Slot], places: Sequence[float], lengths: Sequence[float], total: float
) -> tuple[int, int]:
    """How many labels leave the figure, and how many lines run through a label."""
    spans = [
        (place - length, place) if slot.left else (place, place + length)
        for slot, place, length in zip(slots, places, lengths, strict=True)
    ]
    outside = sum(low < 0 or high > total for low, high in spans)
    crossed = sum(
        slots[line].row > slots[label].row and low <= places[line] <= high
        for label, (low, high) in enumerate(spans)
        for line in range(len(slots))
    )
    return outside, crossed


def _mark(axes: Axes, event: Event, slot: Slot, above: float) -> None:
    height = axes.bbox.height / axes.figure.dpi  # inches
    top = 1 + (above + 0.14 + ROW * slot.row) / height
    shade = colour(event.style.colour)
    axes.plot(
        [event.step, event.step],
        [0, top + 0.06 / height],
        transform=axes.get_xaxis_transform(),
        clip_on=False,
        color=shade,
        linestyle=event.style.dashes,
        linewidth=1.1,
        zorder=1.5,
        label="_event",
    )
    axes.annotate(
        event.label,
        (event.step, top),
        xycoords=axes.get_xaxis_transform(),
        xytext=(-4 if slot.left else 4, 0),
        textcoords="offset points",
        ha="right" if slot.left else "left",
        va="center",
        color=shade,
        annotation_clip=False,
        bbox={"facecolor": colour("paper"), "edgecolor": "none", "pad": 0.6},
    )
