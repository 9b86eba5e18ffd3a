"""The keys of a batch, and the counts of what comes in."""

from __future__ import annotations

from hf_grok.sas.batches.keys import ANNOTATION, ArcCounts


def test_names_are_those_of_saved_data() -> None:
    assert (
        *("arc_word_of", "arc_heads", "arc_relations"),
        *("arc_sham_heads", "arc_sham_relations"),
    ) == ANNOTATION


def test_counts_add_up_and_read_well() -> None:
    counts = ArcCounts(sentences=999, unparsed=2, arcs=7000, cut=3, roots=998)
    counts.add(ArcCounts(sentences=1, unparsed=1))
    assert str(counts) == (
        "3 of 1,000 sentences unparsed; 7,000 arcs, 3 more cut off by truncation; 998 roots, "
        "which are no arcs"
    )
