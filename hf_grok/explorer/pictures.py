"""Trees and attention maps of one run, step by step, as the page holds them.

Weights are whole hundredths: a map is read by its shades, and a page is to be sent by mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hf_grok.dynamics import Run
from hf_grok.report.figures import attention_maps, projected_trees
from hf_grok.report.figures.attention_maps import check_picture, map_of
from hf_grok.report.figures.projected_trees import checked_sentences
from hf_grok.report.style.brackets import f_score
from hf_grok.report.style.pictures import pictures_of

TREE, UAS = projected_trees.PROBE, attention_maps.PROBE


def pictured_steps(run: Run) -> dict[str, list[int]]:
    """Probe -> the steps at which it left a picture, increasing."""
    return {probe: sorted(pictures_of(run, probe)) for probe in (TREE, UAS)}


def trees_of(run: Run, steps: Sequence[int]) -> dict[str, Any] | None:
    """The projected trees of each pictured sentence at these steps, and its gold tree.

    Returns:
        `steps` and `sentences`; of each its words, its gold spans (None where they are not known),
        and at each step its spans [start, end) and their F1 (None where it has none). None where
        no sentence is left.

    Raises:
        UserError: a picture is not in the form that TreeProjection leaves.
    """
    pictures = pictures_of(run, TREE)
    found: dict[tuple[int, tuple[str, ...]], dict[str, Any]] = {}
    for place, step in enumerate(steps):
        for row, one in checked_sentences(run, step, pictures[step]).items():
            words = tuple(one["words"])
            if len(words) <= projected_trees.LONGEST:
                empty = {"words": words, "gold": one.get("gold"), "at": [None] * len(steps)}
                entry = found.setdefault((row, words), empty)
                entry["at"][place] = _tree(one)
    return {"steps": list(steps), "sentences": list(found.values())} if found else None


def _tree(sentence: Mapping[str, Any]) -> dict[str, Any]:
    spans, gold = sentence["projected"], sentence.get("gold")
    if not gold:
        return {"spans": spans, "f1": None}
    score = f_score({tuple(span) for span in spans}, {tuple(span) for span in gold})
    return {"spans": spans, "f1": round(score, 4)}


def maps_of(run: Run, steps: Sequence[int]) -> dict[str, Any] | None:
    """What the best head of each relation attends to at these steps, sentence by sentence.

    Returns:
        `steps` and `sentences`; of each its words, and of each relation at each step the head's
        name, its weights in hundredths [attending word * words + attended word], and the gold arcs
        [attending word, attended word, whether the head finds it]; None where it has none. None
        where no sentence is left.

    Raises:
        UserError: a picture is not in the form that AttentionUAS leaves.
    """
    pictures = pictures_of(run, UAS)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for place, step in enumerate(steps):
        picture = pictures[step]
        check_picture(run, step, picture)
        for sentence in picture["sentences"]:
            words = tuple(sentence["words"])
            if len(words) > attention_maps.LONGEST:
                continue
            entry = found.setdefault(words, {"words": words, "relations": {}})
            for relation in sentence["maps"]:
                head = picture["best_heads"][relation]
                empty: list[Any] = [None] * len(steps)
                at = entry["relations"].setdefault(relation, empty)
                at[place] = _map(relation, step, head, sentence)
    return {"steps": list(steps), "sentences": list(found.values())} if found else None


def _map(
    relation: str, step: int, head: Mapping[str, Any], sentence: Mapping[str, Any]
) -> dict[str, Any]:
    one = map_of(relation, step, head, sentence)
    return {
        "head": one.head,
        "weights": (one.weights * 100).round().astype(int).ravel().tolist(),
        "arcs": [[row, column, found] for (row, column), found in one.arcs.items()],
    }
