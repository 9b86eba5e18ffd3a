"""The grid that every figure of a sweep stands in: a row a kind of arms, a column a quantity.

Of more quantities than fit beside each other, the rest stand in further blocks of the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_grok.report.style.drawing import matplotlib_module
from hf_grok.report.style.palette import Style, colour
from hf_grok.report.sweep.numbers import Quantity
from hf_grok.report.sweep.panels import PARENT_STYLE, REFERENCE_STYLE, STYLES, branched_off
from hf_grok.report.sweep.runs import Arm, Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_HEIGHT = 2.95, 1.45  # inches, as all of the following
LEFT, RIGHT, COLUMN_GAP = 0.52, 0.12, 0.55
TOP, BOTTOM, ROW_GAP, BLOCK_GAP = 0.9, 0.5, 0.42, 1.2
HEADS = 0.46  # of the columns, under the names of the first row's arms
COLUMNS = 4  # a page wide


@dataclass(frozen=True)
class Panel:
    """A place in the grid.

    Attributes:
        axes: empty.
        arms: of the row; the reference is shown beside them.
        quantity: of the column.
        first: whether the row is the first of its block.
        last: whether it is the last.
    """

    axes: Axes
    arms: Sequence[Arm]
    quantity: Quantity
    first: bool
    last: bool

    def shown(self, sweep: Sweep) -> list[tuple[Arm, Style]]:
        """The reference, then the arms, each with its style."""
        return [(sweep.reference, REFERENCE_STYLE), *zip(self.arms, STYLES, strict=False)]

    def parents(self, sweep: Sweep) -> list[tuple[Arm, Style]]:
        """What the arms branch off."""
        return [(parent, PARENT_STYLE) for parent in branched_off(sweep, self.arms)]


def arm_rows(sweep: Sweep) -> list[list[Arm]]:
    """Arms of one kind in one row, and those alone of their kinds in one; four at most in any.

    The reference is in all of them.
    """
    kinds: dict[str, list[Arm]] = {}
    for arm in sweep.arms[1:]:
        if arm.runs:
            kinds.setdefault(arm.kind, []).append(arm)
    together: dict[str, list[Arm]] = {}
    for kind, arms in kinds.items():
        together.setdefault(kind if len(arms) > 1 else "", []).extend(arms)
    size = len(STYLES)
    rows = [arms[at : at + size] for arms in together.values() for at in range(0, len(arms), size)]
    return rows or [[]]


def blocks_of(quantities: Sequence[Quantity]) -> list[Sequence[Quantity]]:
    """As few blocks as hold them all, of like width: 3 and 2 quantities, not 4 and 1."""
    count = -(-len(quantities) // COLUMNS)
    width = -(-len(quantities) // count)
    return [quantities[at : at + width] for at in range(0, len(quantities), width)]


def draw_grid(
    sweep: Sweep,
    quantities: Sequence[Quantity],
    title: str,
    draw: Callable[[Panel], None],
    *,
    parents: bool = True,
) -> Figure:
    """A figure whose panels `draw` fills; heads, names of arms and title are the grid's.

    Args:
        sweep: whose arms the rows are.
        quantities: the columns.
        title: at the top left.
        draw: fills one panel.
        parents: whether what arms branch off is drawn, and so named.
    """
    rows = arm_rows(sweep)
    blocks = blocks_of(quantities)
    places = _Places(len(rows), max(map(len, blocks)), len(blocks))
    figure = places.figure()
    for block, members in enumerate(blocks):
        for row, arms in enumerate(rows):
            for column, quantity in enumerate(members):
                axes = places.add_panel(figure, block, row, column)
                draw(Panel(axes, arms, quantity, row == 0, row == len(rows) - 1))
                if row == 0:
                    _head(axes, quantity)
            left, bottom = places.corner(block, row, 0)
            above = bottom + PANEL_HEIGHT + (HEADS if row == 0 else 0.0)
            _name_arms(figure, sweep, arms, (left, above), parents=parents)
    _add_title(figure, title)
    return figure


@dataclass(frozen=True)
class _Places:
    """Where the panels stand, in inches.

    Attributes:
        rows: of a block.
        columns: of the widest one.
        blocks: one under the other.
    """

    rows: int
    columns: int
    blocks: int

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        width = LEFT + RIGHT + self.columns * PANEL_WIDTH + (self.columns - 1) * COLUMN_GAP
        between = (self.blocks - 1) * BLOCK_GAP
        return width, TOP + BOTTOM + self.blocks * self._block + between

    @property
    def _block(self) -> float:
        return self.rows * PANEL_HEIGHT + (self.rows - 1) * ROW_GAP

    def corner(self, block: int, row: int, column: int) -> tuple[float, float]:
        """The lower left corner of a panel."""
        top = TOP + block * (self._block + BLOCK_GAP) + row * (PANEL_HEIGHT + ROW_GAP)
        return LEFT + column * (PANEL_WIDTH + COLUMN_GAP), self.size[1] - top - PANEL_HEIGHT

    def figure(self) -> Figure:
        """An empty one of this size."""
        figure: Figure = matplotlib_module("matplotlib.figure").Figure(figsize=self.size)
        return figure

    def add_panel(self, figure: Figure, block: int, row: int, column: int) -> Axes:
        """Axes in their place."""
        (width, height), (left, bottom) = self.size, self.corner(block, row, column)
        return figure.add_axes(
            (left / width, bottom / height, PANEL_WIDTH / width, PANEL_HEIGHT / height)
        )


def _head(axes: Axes, quantity: Quantity) -> None:
    text = quantity.measure.panel
    axes.annotate(
        text,
        (0.0, 1.0),
        fontsize=_fitting(text, 72 * PANEL_WIDTH),
        xycoords="axes fraction",
        xytext=(0, 20),
        textcoords="offset points",
        fontweight="bold",
        color=colour("ink"),
        annotation_clip=False,
    )


def _fitting(text: str, width: float) -> float:
    """The size at which a bold text is at most so wide, in points; the usual one if that is."""
    usual = float(matplotlib_module("matplotlib").rcParams["font.size"])
    bold = matplotlib_module("matplotlib.font_manager").FontProperties(weight="bold")
    drawn = matplotlib_module("matplotlib.textpath").TextPath((0, 0), text, usual, prop=bold)
    return usual * min(1.0, width / max(1.0, float(drawn.get_extents().width)))


def _name_arms(
    figure: Figure, sweep: Sweep, arms: Sequence[Arm], place: tuple[float, float], *, parents: bool
) -> None:
    """The row's arms in their colours, over the place that is given in inches."""
    lines = matplotlib_module("matplotlib.lines")
    named = [
        *zip(arms, STYLES, strict=False),
        (sweep.reference, REFERENCE_STYLE),
        *((one, PARENT_STYLE) for one in branched_off(sweep, arms) if parents),
    ]
    (width, height), (left, bottom) = figure.get_size_inches(), place
    figure.legend(
        [lines.Line2D([], [], **{**style.line(1.6), "markersize": 3.4}) for _, style in named],
        [arm.name for arm, _ in named],
        loc="lower left",
        bbox_to_anchor=(left / width, (bottom + 0.02) / height),
        ncols=len(named),
        frameon=False,
        borderpad=0.0,
        borderaxespad=0.0,
        handlelength=1.8,
        handletextpad=0.5,
        columnspacing=1.4,
        labelcolor=[colour(style.colour) for _, style in named],
    )


def _add_title(figure: Figure, title: str) -> None:
    width, height = figure.get_size_inches()
    figure.text(0.1 / width, 1 - 0.08 / height, title, va="top", ha="left", fontweight="bold")
