"""Attention of the best head of each relation on one sentence, early and at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_grok.errors import UserError
from hf_grok.report.figures.attention_maps import PROBE, Map, Sheet, attention_sheet
from hf_grok.report.groups import Group
from hf_grok.report.style.drawing import WIDTH, add_canvas, add_title, matplotlib_module, new_figure
from hf_grok.report.style.numerals import short_step
from hf_grok.report.style.palette import colour
from hf_grok.report.style.pictures import pictured_run, whose

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAINTEST = 0.02  # a lighter cell cannot be told from paper
ROOMY = 9  # words up to which four maps stand side by side
# Inches.
MARGIN, TOP, TITLE, BETWEEN, DOWN = 0.12, 0.42, 0.48, 0.12, 0.14
RELATION, STEP, HEAD = 0.4, 0.245, 0.1  # above a map
SMALLEST, ENOUGH = 1.15, 0.12  # side of a map, at least; and for each word
CHARACTER = 0.0085  # of a word, for each point of its size
POINTS = 7.5
MISSED = (0, (1.6, 1.0))  # dashes around an arc that the head does not find


@dataclass(frozen=True)
class Layout:
    """Where the maps of a sheet stand."""

    sheet: Sheet

    @property
    def per_row(self) -> int:
        """Maps in a row: those of one relation together."""
        return 4 if len(self.sheet.words) <= ROOMY else 2

    @property
    def rows(self) -> int:
        """Rows of maps."""
        return math.ceil(len(self.sheet.maps) / self.per_row)

    @property
    def labels(self) -> float:
        """Inches that the longest word takes."""
        return 0.06 + CHARACTER * POINTS * max(map(len, self.sheet.words))

    @property
    def side(self) -> float:
        """Inches, of one map."""
        room = WIDTH - 2 * MARGIN - self.labels - BETWEEN * (self.per_row - 1)
        wanted = max(SMALLEST, ENOUGH * len(self.sheet.words))
        return min(wanted, room / self.per_row)

    @property
    def cell(self) -> float:
        """Inches, of one word."""
        return self.side / len(self.sheet.words)

    @property
    def points(self) -> float:
        """Size of the words: as high as a cell at most."""
        return min(POINTS, 68 * self.cell)

    @property
    def height(self) -> float:
        """Inches, of the figure."""
        maps = self.rows * (TITLE + self.side) + (self.rows - 1) * DOWN
        return TOP + maps + self.labels + MARGIN

    def corner(self, place: int) -> tuple[float, float]:
        """Left and top of a map, in inches."""
        row, column = divmod(place, self.per_row)
        left = MARGIN + self.labels + column * (self.side + BETWEEN)
        return left, TOP + TITLE + row * (TITLE + self.side + DOWN)


def draw_attention(group: Group) -> Figure | None:
    """A map for each relation and step, gold arcs outlined; None without pictures that fit."""
    found = pictured_run(group, PROBE)
    sheet = attention_sheet(*found) if found else None
    if found is None or sheet is None:
        return None
    layout = Layout(sheet)
    figure = new_figure(layout.height)
    canvas = add_canvas(figure)
    for place, one in enumerate(sheet.maps):
        left, top = layout.corner(place)
        _draw_map(canvas, one, left, top, layout.side)
        _draw_titles(canvas, one, left, top, with_relation=place % len(sheet.steps) == 0)
        if place % layout.per_row == 0:
            _draw_row_words(canvas, layout, left, top)
        if place + layout.per_row >= len(sheet.maps):
            _draw_column_words(canvas, layout, left, top)
    add_title(figure, f"{whose(group, found[0])}: attention")
    return figure


def caption_attention(group: Group) -> str:
    """What `draw_attention` shows."""
    found = pictured_run(group, PROBE)
    sheet = attention_sheet(*found) if found else None
    directions = any("→" in one.head for one in sheet.maps) if sheet else False
    text = (
        "What the best attention head of each relation attends to in one sentence: a row is the"
        " word that attends, a column what it attends to, darker is more. Outlined: the gold arcs"
        " of the relation, solid where the head finds them, dashed where it does not."
        " L4 H0 is head 0 of layer 4, both counted from 0; then the fraction of the relation's arcs"
        " that it finds in all sentences. The best head may be another one at another step. Of many"
        " relations, those that are found best."
    )
    if directions:
        text += (
            " d→h: a word's head is the word that it attends to most (in its row); h→d: the one"
            " that attends to it most (in its column)."
        )
    else:
        text += (
            " The model sees earlier words only, so the later word of an arc attends: a head that"
            " comes before its word is the darkest in the word's row, one that comes after it in"
            " the word's column."
        )
    if len(group.runs) > 1:
        text += " Of one run: maps have no mean."
    return text


def plot_attention(one: Map, words: Sequence[str], ax: Axes) -> Axes:
    """What one head attends to in one sentence: a row attends, darker is more; gold arcs outlined.

    Args:
        one: such as one of the maps of `attention_sheet`.
        words: of the sentence.
        ax: to draw into; it becomes a square of a unit a word, labelled with the words.

    Returns:
        `ax`.

    Raises:
        UserError: another number of words than the map has rows.
    """
    if len(words) != len(one.weights):
        raise UserError(f"{len(words)} words for a map of {len(one.weights)}: expected one a row")
    side, middles = float(len(words)), np.arange(len(words)) + 0.5
    _draw_map(ax, one, 0.0, 0.0, side)
    ax.set_xlim(0.0, side)
    ax.set_ylim(side, 0.0)
    ax.set_aspect("equal")
    ax.grid(visible=False)
    ax.set_xticks(middles, words, rotation=90, fontsize=POINTS)
    ax.set_yticks(middles, words, fontsize=POINTS)
    ax.tick_params(length=0)
    ax.set_title(
        f"{one.relation}, step {short_step(one.step)}\n{one.head}", loc="left", fontsize=9.5
    )
    return ax


def _draw_map(canvas: Axes, one: Map, left: float, top: float, side: float) -> None:
    cell = side / len(one.weights)
    seen = np.argwhere(one.weights >= FAINTEST).tolist()
    corners = [_square(left + column * cell, top + row * cell, cell) for row, column in seen]
    shades = [(colour("blue"), round(float(one.weights[row, column]), 2)) for row, column in seen]
    cells = matplotlib_module("matplotlib.collections").PolyCollection(
        corners, facecolors=shades, edgecolors="none", linewidths=0
    )
    canvas.add_collection(cells, autolim=False)
    _outline(canvas, _square(left, top, side), "muted", 0.6, "-")
    for (row, column), hit in one.arcs.items():
        square = _square(left + column * cell, top + row * cell, cell)
        _outline(canvas, square, "vermilion", 1.4, "-" if hit else MISSED)


def _square(left: float, top: float, side: float) -> list[tuple[float, float]]:
    right, bottom = left + side, top + side
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def _outline(
    canvas: Axes, corners: list[tuple[float, float]], name: str, width: float, dashes: Any
) -> None:
    x, y = zip(*corners, strict=True)
    canvas.plot(x, y, color=colour(name), linewidth=width, linestyle=dashes, label=f"_{name}")


def _draw_titles(canvas: Axes, one: Map, left: float, top: float, *, with_relation: bool) -> None:
    """Relation, over the first of its maps; step; head."""
    if with_relation:
        canvas.text(left, top - RELATION, one.relation, va="center", fontweight="bold")
    small: dict[str, Any] = {"va": "center", "fontsize": POINTS + 0.5, "color": colour("muted")}
    canvas.text(left, top - STEP, f"step {short_step(one.step)}", **small)
    canvas.text(left, top - HEAD, one.head, **small)


def _draw_row_words(canvas: Axes, layout: Layout, left: float, top: float) -> None:
    for row, word in enumerate(layout.sheet.words):
        y = top + (row + 0.5) * layout.cell
        canvas.text(left - 0.05, y, word, ha="right", va="center", fontsize=layout.points)


def _draw_column_words(canvas: Axes, layout: Layout, left: float, top: float) -> None:
    for column, word in enumerate(layout.sheet.words):
        x, y = left + (column + 0.5) * layout.cell, top + layout.side + 0.05
        canvas.text(x, y, word, ha="center", va="top", rotation=90, fontsize=layout.points)
