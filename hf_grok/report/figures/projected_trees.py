"""Pictures of tree projection, read, checked and measured out for drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hf_grok.dynamics import GrokkingSummary, Run
from hf_grok.report.style.brackets import Span, f_score, levels
from hf_grok.report.style.drawing import WIDTH
from hf_grok.report.style.numerals import accuracy, short_step
from hf_grok.report.style.pictures import expect, is_texts, pictures_of, telling_steps

PROBE = "tree"
MOST_SENTENCES = 6
LONGEST = 40  # words; more would lie on each other
GOLD = "gold"
# Inches.
MARGIN = 0.14
ROOM = WIDTH - 2 * MARGIN
CHARACTER, PADDING, NARROWEST = 0.0074, 0.09, 0.22  # a character: for each point of its size
TITLE, WORDS, LEVEL = 0.24, 0.2, 0.085
POINTS, SMALL_POINTS = 9.5, 8.0


@dataclass(frozen=True)
class Tree:
    """One tree of one sentence.

    Args:
        title: above it.
        words: under it.
        spans: [start, end) of two words or more.
        gold: the right ones; None where they are not known, or where this is the gold tree.
    """

    title: str
    words: tuple[str, ...]
    spans: tuple[Span, ...]
    gold: frozenset[Span] | None

    @property
    def points(self) -> float:
        """Size of the words: smaller where a line would be too long."""
        return POINTS if _line_width(self.words, POINTS) <= ROOM else SMALL_POINTS

    @property
    def upright(self) -> bool:
        """Whether even small words are too many for a line, and stand from bottom to top."""
        return _line_width(self.words, self.points) > ROOM

    @property
    def edges(self) -> list[float]:
        """Where columns begin, in inches from the left of the tree, and where the last one ends."""
        widths = [_width(word, self.points) for word in self.words]
        if self.upright:
            widths = [ROOM / len(widths)] * len(widths)
        return [sum(widths[:place]) for place in range(len(widths) + 1)]

    @property
    def width(self) -> float:
        """Inches, title included."""
        return max(self.edges[-1], CHARACTER * POINTS * len(self.title))

    @property
    def words_height(self) -> float:
        """Inches that the words take."""
        longest = CHARACTER * self.points * max(map(len, self.words))
        return PADDING + longest if self.upright else WORDS

    @property
    def height(self) -> float:
        """Inches, title included."""
        return TITLE + LEVEL * max(levels(self.spans).values()) + self.words_height


def _width(word: str, points: float) -> float:
    return max(NARROWEST, CHARACTER * points * len(word) + PADDING)


def _line_width(words: Sequence[str], points: float) -> float:
    return sum(_width(word, points) for word in words)


def pictured_trees(run: Run, summary: GrokkingSummary | None) -> list[list[Tree]]:
    """For each pictured sentence its gold tree, where known, and its trees at the telling steps.

    Sentences of more than `LONGEST` words, and those after
    the first `MOST_SENTENCES`, are left out.

    Raises:
        UserError: a picture is not in the form that TreeProjection leaves.
    """
    pictures = pictures_of(run, PROBE)
    steps = telling_steps(list(pictures), summary)
    at = {step: checked_sentences(run, step, pictures[step]) for step in steps}
    last = {row: one["words"] for row, one in at[steps[-1]].items()}
    rows = [row for row, words in last.items() if len(words) <= LONGEST]
    return [
        _sentence(
            [
                (step, at[step][row])
                for step in steps
                if row in at[step] and at[step][row]["words"] == last[row]
            ]
        )
        for row in rows[:MOST_SENTENCES]
    ]


def checked_sentences(
    run: Run, step: int, picture: Mapping[str, Any]
) -> dict[int, Mapping[str, Any]]:
    """The sentences of one picture by row.

    Raises:
        UserError: a picture is not in the form that TreeProjection leaves.
    """
    sentences = picture.get("sentences")
    right = isinstance(sentences, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("row"), int)
        and is_texts(one.get("words"))
        and _are_spans(one.get("projected"), len(one["words"]))
        and (one.get("gold") is None or _are_spans(one["gold"], len(one["words"])))
        for one in sentences
    )
    expect(right, run, PROBE, step, "sentences with row, words, projected and gold spans")
    return {one["row"]: one for one in sentences or ()}


def _are_spans(found: Any, words: int) -> bool:
    return (
        isinstance(found, list)
        and bool(found)
        and all(
            isinstance(span, list)
            and len(span) == 2
            and all(isinstance(end, int) for end in span)
            and 0 <= span[0] < span[1] <= words
            for span in found
        )
    )


def _sentence(seen: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Tree]:
    """Gold tree first; then one tree a step."""
    first = seen[0][1]
    words = tuple(first["words"])
    gold = _spans(first["gold"]) if first.get("gold") else None
    trees = [] if gold is None else [Tree(GOLD, words, gold, None)]
    for step, one in seen:
        spans, title = _spans(one["projected"]), f"step {short_step(step)}"
        if gold is not None:
            title += f": F1 {accuracy(f_score(spans, gold))}"
        trees.append(Tree(title, words, spans, None if gold is None else frozenset(gold)))
    return trees


def _spans(found: Sequence[Sequence[int]]) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in found)
