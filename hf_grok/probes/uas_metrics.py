"""What each number of attention UAS is."""

from __future__ import annotations

from collections.abc import Mapping

from hf_grok.probes.base import Metric


def _share(meaning: str, *, baseline: str | None = None, better: bool | None = True) -> Metric:
    return Metric(meaning, "share", 0.0, 1.0, better, baseline)


def _baseline(meaning: str) -> Metric:
    """A number of the data alone: neither direction is better."""
    return _share(meaning, better=None)


UAS_METRICS: Mapping[str, Metric] = {
    "uas_single_head": _share(
        "words whose head the best single attention head finds, punctuation and root included",
        baseline="uas_single_offset",
    ),
    "uas_single_head_without_punct": _share(
        "arcs that the best single attention head finds, punctuation and root left out",
        baseline="uas_single_offset_without_punct",
    ),
    "uas_best_head": _share(
        "arcs found with the best head of each relation", baseline="uas_best_offset"
    ),
    "uas_relation_{}": _share(
        "arcs of the relation that its best head finds", baseline="uas_relation_offset_{}"
    ),
    "uas_attention_mass": _share(
        "mean attention weight on gold arcs with the best head of each relation"
    ),
    "uas_mass_{}": _share("mean attention weight of the relation's best head on its arcs"),
    "uas_atypical": _share(
        "arcs found that are not at the commonest offset of their relation",
        baseline="uas_atypical_offset",
    ),
    "uas_offset_{}": _baseline("words whose head stands at this offset, root included"),
    "uas_single_offset": _baseline("words whose head stands at the best single offset"),
    "uas_single_offset_without_punct": _baseline(
        "arcs at the best single offset, punctuation and root left out"
    ),
    "uas_best_offset": _baseline("arcs at the best offset of each relation"),
    "uas_relation_offset_{}": _baseline("arcs of the relation at its best offset"),
    "uas_atypical_offset": _baseline(
        "arcs not at the commonest offset of their relation that its best other offset finds"
    ),
    "uas_arcs": Metric("scored arcs", "arcs", 0.0),
    "uas_left_out": Metric("arcs left out, whose earlier word takes the sink", "arcs", 0.0),
}
