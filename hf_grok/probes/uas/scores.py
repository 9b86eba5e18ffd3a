"""From sums over arcs to the numbers of attention UAS."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hf_grok.probes.base import State
from hf_grok.probes.uas.offsets import offset_labels

SELECTIONS = ("split_half", "same")
# First axis: the half that a sentence belongs to.
BY_HALF = ("hits", "mass", "arcs", "offset_hits", "roots", "left_out")
ATYPICAL = 1  # of the axis of kinds


def is_punctuation(relation: str) -> bool:
    """Whether a relation is UD's `punct`, or one of its subtypes."""
    return relation.startswith("punct")


def parts_of(state: State, selection: str) -> tuple[State, State]:
    """(the sums on which heads and offsets are selected, those on which they are scored)."""
    if selection == "same":
        both = {name: state[name].sum(0) for name in BY_HALF}
        return both, both
    selected, scored = ({name: state[name][half] for name in BY_HALF} for half in (0, 1))
    return selected, scored


def best_option(cases: Float[Tensor, "group ..."]) -> Int[Tensor, " group"]:
    """The option with the most cases in each group, options flattened; of equals the first."""
    return cases.flatten(1).argmax(1)


def at_best(
    selected: Float[Tensor, "group ..."], scored: Float[Tensor, "group ..."]
) -> Float[Tensor, " group"]:
    """scored[g, o] at the option o with the largest selected[g, o]."""
    return scored.flatten(1).gather(1, best_option(selected)[:, None]).squeeze(1)


def frequent(
    selected: Float[Tensor, " relation"],
    scored: Float[Tensor, " relation"],
    minimum_count: int,
    asked: Bool[Tensor, " relation"],
) -> Bool[Tensor, " relation"]:
    """Relations asked for, with enough arcs to be scored and at least one to select on."""
    return asked & (scored >= minimum_count) & (selected >= 1)


def uas_numbers(
    state: State,
    names: Sequence[str],
    *,
    selection: str,
    minimum_count: int,
    asked: Bool[Tensor, " relation"],
) -> dict[str, float]:
    """Every number of attention UAS, by its name without the probe's prefix.

    Args:
        state: sums of `AttentionUAS.state`.
        names: the relations.
        selection: "split_half" or "same".
        minimum_count: arcs that a relation needs in the scored part.
        asked: relations that count in the numbers by relation.
    """
    selected, scored = parts_of(state, selection)
    numbers = _single_heads(selected, scored, names)
    numbers |= _by_relation(selected, scored, names, minimum_count, asked)
    numbers |= _atypical(selected, scored, minimum_count, asked)
    numbers["arcs"] = float(scored["arcs"].sum())
    numbers["left_out"] = float(scored["left_out"])
    return numbers


def _single_heads(selected: State, scored: State, names: Sequence[str]) -> dict[str, float]:
    """One head, or one offset, for all relations; with punctuation and root, and without them."""
    everything = torch.ones(len(names), dtype=torch.bool)
    words = torch.tensor([not is_punctuation(name) for name in names], dtype=torch.bool)
    with_root = float(scored["arcs"].sum() + scored["roots"])
    without = float(scored["arcs"][:, words].sum())
    numbers: dict[str, float] = {}
    for suffix, kept, count in (("", everything, with_root), ("_without_punct", words, without)):
        if not count:
            continue
        for name, sums in (("single_head", "hits"), ("single_offset", "offset_hits")):
            both = (part[sums][:, kept].sum((0, 1))[None] for part in (selected, scored))
            numbers[name + suffix] = float(at_best(*both)) / count
    if with_root:
        hits = scored["offset_hits"].sum((0, 1)) / with_root
        labels = offset_labels(len(hits))
        numbers |= {f"offset_{label}": float(h) for label, h in zip(labels, hits, strict=True)}
    return numbers


def _by_relation(
    selected: State,
    scored: State,
    names: Sequence[str],
    minimum_count: int,
    asked: Bool[Tensor, " relation"],
) -> dict[str, float]:
    """Each relation with a head, and an offset, of its own; and their means over arcs."""
    arcs = scored["arcs"].sum(0)
    enough = frequent(selected["arcs"].sum(0), arcs, minimum_count, asked)
    if not enough.any():
        return {}
    numbers: dict[str, float] = {}
    for mean, single, sums in (
        ("best_head", "relation", "hits"),
        ("best_offset", "relation_offset", "offset_hits"),
        ("attention_mass", "mass", "mass"),
    ):
        cases = at_best(selected[sums].sum(0), scored[sums].sum(0))
        numbers[mean] = float(cases[enough].sum() / arcs[enough].sum())
        for number in enough.nonzero().flatten().tolist():
            numbers[f"{single}_{names[number]}"] = float(cases[number] / arcs[number])
    return numbers


def _atypical(
    selected: State, scored: State, minimum_count: int, asked: Bool[Tensor, " relation"]
) -> dict[str, float]:
    """As the means by relation, over the arcs that are not at their relation's commonest offset."""
    arcs = scored["arcs"][ATYPICAL]
    enough = frequent(selected["arcs"][ATYPICAL], arcs, minimum_count, asked)
    if not enough.any():
        return {}
    numbers: dict[str, float] = {}
    for name, sums in (("atypical", "hits"), ("atypical_offset", "offset_hits")):
        cases = at_best(selected[sums][ATYPICAL], scored[sums][ATYPICAL])
        numbers[name] = float(cases[enough].sum() / arcs[enough].sum())
    return numbers
