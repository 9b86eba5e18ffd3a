"""Projected trees beside the gold ones, for a few sentences, as training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hf_grok.report.figures.projected_trees import (
    GOLD,
    LEVEL,
    MARGIN,
    PROBE,
    ROOM,
    Tree,
    pictured_trees,
)
from hf_grok.report.groups import Group
from hf_grok.report.style.brackets import Span, levels
from hf_grok.report.style.drawing import WIDTH, add_canvas, add_title, new_figure
from hf_grok.report.style.palette import Style, colour
from hf_grok.report.style.pictures import pictured_run, whose

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GOLD_STYLE = Style("ink")
AGREEING_STYLE = Style("blue")
OTHER_STYLE = Style("vermilion", (0, (2.6, 1.4)))
# Inches.
TOP, BOTTOM, TICK = 0.42, 0.12, 0.05
ACROSS, DOWN, APART = 0.26, 0.12, 0.3


def draw_trees(group: Group) -> Figure | None:
    """The trees of `pictured_trees`, sentence by sentence; None if there are none."""
    found = pictured_run(group, PROBE)
    sentences = [_lines(trees) for trees in pictured_trees(*found)] if found else []
    if found is None or not sentences:
        return None
    heights = [sum(map(_line_height, lines)) + DOWN * (len(lines) - 1) for lines in sentences]
    figure = new_figure(TOP + sum(heights) + APART * (len(heights) - 1) + BOTTOM)
    canvas, top = add_canvas(figure), TOP
    for number, (lines, height) in enumerate(zip(sentences, heights, strict=True)):
        if number:
            _draw_rule(canvas, top - APART / 2)
        _draw_sentence(canvas, lines, top)
        top += height + APART
    add_title(figure, f"{whose(group, found[0])}: projected trees")
    return figure


def caption_trees(group: Group) -> str:
    """What `draw_trees` shows."""
    text = (
        "Trees by which the model's representations of spans compose (tree projection), at the"
        " first and last step that was pictured and those nearest to saturation in distribution and"
        " to the arrival of generalization."
    )
    found = pictured_run(group, PROBE)
    if found and any(tree.gold for trees in pictured_trees(*found) for tree in trees):
        text += (
            " Brackets that are in the gold tree are solid, others dashed; F1 is that of the"
            " sentence's spans, and the whole sentence, always right, is one of them."
        )
    if len(group.runs) > 1:
        text += " Of one run: trees have no mean."
    return text


def _lines(trees: Sequence[Tree]) -> list[list[Tree]]:
    """Trees beside each other as far as there is room, then under each other."""
    lines: list[list[Tree]] = [[]]
    for tree in trees:
        taken = sum(one.width + ACROSS for one in lines[-1])
        if lines[-1] and taken + tree.width > ROOM:
            lines.append([])
        lines[-1].append(tree)
    return lines


def _line_height(line: Sequence[Tree]) -> float:
    return max(tree.height for tree in line)


def _draw_sentence(canvas: Axes, lines: Sequence[Sequence[Tree]], top: float) -> None:
    for line in lines:
        bottom, left = top + _line_height(line), MARGIN
        for tree in line:
            _draw_tree(canvas, tree, left, top, bottom)
            left += tree.width + ACROSS
        top = bottom + DOWN


def plot_tree(tree: Tree, ax: Axes) -> Axes:
    """One tree of one sentence as brackets over its words, right ones solid.

    Args:
        tree: such as one of `pictured_trees`.
        ax: to draw into; its limits become the tree's size in inches, and its frame goes.

    Returns:
        `ax`.
    """
    ax.set_axis_off()
    ax.set_xlim(0.0, tree.width)
    ax.set_ylim(tree.height, 0.0)
    _draw_tree(ax, tree, 0.0, 0.0, tree.height)
    return ax


def _draw_tree(canvas: Axes, tree: Tree, left: float, top: float, bottom: float) -> None:
    weight = "bold" if tree.title == GOLD else "normal"
    canvas.text(left, top, tree.title, va="top", fontweight=weight, color=colour("muted"))
    foot = bottom - tree.words_height
    for place, word in enumerate(tree.words):
        middle = left + (tree.edges[place] + tree.edges[place + 1]) / 2
        turned = 90 if tree.upright else 0
        canvas.text(
            middle, foot + 0.02, word, ha="center", va="top", rotation=turned, fontsize=tree.points
        )
    for (start, end), level in levels(tree.spans).items():
        style = _style(tree, (start, end))
        x = left + tree.edges[start] + 0.03, left + tree.edges[end] - 0.03
        y = foot - LEVEL * level + 0.02
        canvas.plot(
            [x[0], x[0], x[1], x[1]],
            [y + TICK, y, y, y + TICK],
            color=colour(style.colour),
            linestyle=style.dashes,
            linewidth=1.5,
            solid_capstyle="butt",
            label=f"_{start}-{end}",
        )


def _style(tree: Tree, span: Span) -> Style:
    if tree.gold is None:
        return GOLD_STYLE
    return AGREEING_STYLE if span in tree.gold else OTHER_STYLE


def _draw_rule(canvas: Axes, y: float) -> None:
    canvas.plot([MARGIN, WIDTH - MARGIN], [y, y], color=colour("grid"), linewidth=0.8)
