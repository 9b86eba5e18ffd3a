"""Pictures of attention UAS, read and checked: which head attends to what in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics import GrokkingSummary, Run
from hf_grok.report.style.numerals import accuracy
from hf_grok.report.style.pictures import expect, is_texts, nearest, pictures_of

PROBE = "uas"
LONGEST = 24  # words; the maps of a longer sentence would be too small to read
LONG = 16  # words; of more than that there are fewer maps
MOST_RELATIONS, MOST_OF_LONG = 8, 4
LATER, TO_HEAD, FROM_HEAD = "later", "dep->head", "head->dep"
ARROWS = {LATER: "", TO_HEAD: " d→h", FROM_HEAD: " h→d"}


@dataclass(frozen=True, eq=False)
class Map:
    """What one head attends to in one sentence.

    Args:
        relation: whose best head it is.
        step: of training.
        head: its name, and the fraction of the relation's arcs that it finds.
        weights: [attending word, attended word], in 0..1.
        arcs: (row, column) of the relation's gold arcs -> whether the head finds them.
    """

    relation: str
    step: int
    head: str
    weights: NDArray[np.float64]
    arcs: Mapping[tuple[int, int], bool]


@dataclass(frozen=True)
class Sheet:
    """The maps of one sentence: relation by relation, and of each step by step."""

    words: tuple[str, ...]
    steps: tuple[int, ...]
    maps: tuple[Map, ...]


def attention_sheet(run: Run, summary: GrokkingSummary | None) -> Sheet | None:
    """The first pictured sentence of at most `LONGEST` words, early and at the last step.

    Early is nearest to saturation in distribution, or else the first pictured step. Relations are
    those that were pictured at both steps and whose heads find most at the last one: at most
    `MOST_RELATIONS`, of a sentence of more than `LONG` words at most `MOST_OF_LONG`.

    Returns:
        None if no pictured sentence is short enough.

    Raises:
        UserError: a picture is not in the form that AttentionUAS leaves.
    """
    pictures = pictures_of(run, PROBE)
    steps = _steps(list(pictures), summary)
    for step in steps:
        check_picture(run, step, pictures[step])
    fitting = [s for s in pictures[steps[-1]]["sentences"] if len(s["words"]) <= LONGEST]
    if not fitting:
        return None
    versions = {step: _same_sentence(pictures[step], fitting[0]) for step in steps}
    shown = [step for step in steps if versions[step]]
    heads = pictures[steps[-1]]["best_heads"]
    shared = [name for name in heads if all(name in versions[step]["maps"] for step in shown)]
    most = MOST_OF_LONG if len(fitting[0]["words"]) > LONG else MOST_RELATIONS
    best = sorted(shared, key=lambda name: (-heads[name]["uas"], name))[:most]
    maps = [
        map_of(name, step, pictures[step]["best_heads"][name], versions[step])
        for name in best
        for step in shown
    ]
    return Sheet(tuple(fitting[0]["words"]), tuple(shown), tuple(maps)) if maps else None


def _steps(steps: Sequence[int], summary: GrokkingSummary | None) -> list[int]:
    saturation = summary.saturation if summary else None
    early = steps[0] if saturation is None else nearest(steps, saturation.step)
    return sorted({early if early < steps[-1] else steps[0], steps[-1]})


def _same_sentence(picture: Mapping[str, Any], sentence: Mapping[str, Any]) -> Mapping[str, Any]:
    same = [one for one in picture["sentences"] if one["words"] == sentence["words"]]
    return same[0] if same else {}


def map_of(relation: str, step: int, head: Mapping[str, Any], sentence: Mapping[str, Any]) -> Map:
    """The map of a relation's best head in one sentence, as a checked picture has them."""
    weights = np.array(sentence["maps"][relation], dtype=np.float64)
    name = f"L{head['layer']} H{head['head']}{ARROWS[head['direction']]}, {accuracy(head['uas'])}"
    arcs = [
        (dependent, parent - 1)
        for dependent, parent in enumerate(sentence["heads"])
        if sentence["deprels"][dependent] == relation and parent > 0
    ]
    cells = dict(_cell(weights, *arc, head["direction"]) for arc in arcs)
    return Map(relation, step, name, weights, cells)


def _cell(
    weights: NDArray[np.float64], dependent: int, parent: int, direction: str
) -> tuple[tuple[int, int], bool]:
    """Where an arc lies in a map, and whether the head's choice falls on it.

    The dependent chooses along its row, or, where the head's word is the one that attends (which
    in a causal model is whichever is later), along its column.
    """
    by_row = direction == TO_HEAD or (direction == LATER and parent < dependent)
    cell = (dependent, parent) if by_row else (parent, dependent)
    choice = weights[dependent].argmax() if by_row else weights[:, dependent].argmax()
    return cell, bool(choice == parent and weights[cell] > 0)


def check_picture(run: Run, step: int, picture: Mapping[str, Any]) -> None:
    """Refuse a picture that is not in the form that AttentionUAS leaves.

    Raises:
        UserError: names run, step and what was expected.
    """
    heads, sentences = picture.get("best_heads"), picture.get("sentences")
    right = (
        isinstance(heads, dict)
        and all(_is_head(head) for head in heads.values())
        and isinstance(sentences, list)
        and all(_is_sentence(one, heads) for one in sentences)
    )
    expect(right, run, PROBE, step, "best_heads, and sentences with words, heads, deprels and maps")


def _is_head(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and all(isinstance(found.get(name), int) for name in ("layer", "head"))
        and isinstance(found.get("uas"), int | float)
        and found.get("direction") in ARROWS
    )


def _is_sentence(found: Any, best_heads: Mapping[str, Any]) -> bool:
    if not (isinstance(found, dict) and is_texts(found.get("words"))):
        return False
    size, heads, maps = len(found["words"]), found.get("heads"), found.get("maps")
    return (
        isinstance(heads, list)
        and len(heads) == size
        and all(isinstance(head, int) and 0 <= head <= size for head in heads)
        and is_texts(found.get("deprels"))
        and len(found["deprels"]) == size
        and isinstance(maps, dict)
        and maps.keys() <= best_heads.keys()
        and all(_is_square(weights, size) for weights in maps.values())
    )


def _is_square(weights: Any, size: int) -> bool:
    return (
        isinstance(weights, list)
        and len(weights) == size
        and all(isinstance(row, list) and len(row) == size for row in weights)
        and all(isinstance(weight, int | float) for row in weights for weight in row)
    )
