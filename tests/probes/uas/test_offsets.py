"""Fixed offsets by counting, on arbitrary arcs and on a treebank."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from hf_grok.probes.uas.offsets import (
    DISTANCES,
    OFFSETS,
    arc_offsets,
    commonest_offsets,
    offset_hits,
    offset_labels,
    offsets_for,
)
from hf_grok.probes.uas.probe import AttentionUAS
from tests.probes.matrix import model_of
from tests.probes.uas.material import EWT, treebank_rows, word_level


def test_offsets_of_arcs() -> None:
    dependent, head = torch.tensor([0, 4, 2]), torch.tensor([1, 1, 9])
    assert arc_offsets(dependent, head, causal=False).tolist() == [1, -3, 7]
    assert arc_offsets(dependent, head, causal=True).tolist() == [1, 3, 7]


@pytest.mark.parametrize(("causal", "offsets"), [(False, OFFSETS), (True, DISTANCES)])
def test_an_offset_hits_the_arcs_that_have_it(causal: bool, offsets: tuple[int, ...]) -> None:
    arcs = torch.arange(0 if causal else -5, 6)
    hits = offset_hits(arcs, causal=causal)
    assert offsets_for(causal=causal) == offsets
    assert hits.tolist() == [[arc == offset for offset in offsets] for arc in arcs.tolist()]


def test_labels_name_the_side() -> None:
    assert offset_labels(6) == ("-3", "-2", "-1", "+1", "+2", "+3")
    assert offset_labels(3) == ("1", "2", "3")


def test_the_commonest_offset_of_each_relation() -> None:
    offsets = torch.randint(-4, 5, (500,))
    relations = torch.randint(0, 6, (500,))
    relations[relations == 4] = 5
    for relation, found in enumerate(commonest_offsets(offsets, relations, 6).tolist()):
        counts = Counter(offsets[relations == relation].tolist())
        best = max(counts, key=lambda o, c=counts: (c[o], -abs(o), -o), default=0)
        assert found == best


@pytest.mark.parametrize(
    ("offsets", "commonest"), [([2, -1], -1), ([1, -1], -1), ([-3, 2], 2), ([1, 1, -1], 1), ([], 0)]
)
def test_of_equally_common_offsets_the_nearer_then_the_left(
    offsets: list[int], commonest: int
) -> None:
    relations = torch.zeros(len(offsets), dtype=torch.int64)
    assert commonest_offsets(torch.tensor(offsets).long(), relations, 1).tolist() == [commonest]


@pytest.mark.skipif(not EWT.is_file(), reason=f"{EWT} is absent")
@pytest.mark.parametrize("architecture", ["gpt2", "bert"])
def test_offsets_of_a_treebank(architecture: str) -> None:
    rows = [row for row in treebank_rows() if len(row["words"]) < 60]
    causal = architecture == "gpt2"
    probe = AttentionUAS(rows, word_level(), allow_unknown=True, selection="same")
    numbers = probe.compute(probe.state(model_of(architecture, 20)))
    words = [
        (abs(head - place) if causal else head - place, deprel)
        for row in rows
        if len(row["words"]) > 1
        for place, (head, deprel) in enumerate(zip(row["heads"], row["deprels"], strict=True), 1)
        if head
    ]
    count = sum(len(row["words"]) for row in rows if len(row["words"]) > 1)
    for offset in DISTANCES if causal else OFFSETS:
        name = str(offset) if causal else f"{offset:+d}"
        expected = sum(offset == seen for seen, _ in words) / count
        assert numbers[f"uas_offset_{name}"] == pytest.approx(expected, abs=1e-12)
    plain = [offset for offset, deprel in words if not deprel.startswith("punct")]
    best = max(plain.count(offset) for offset in (DISTANCES if causal else OFFSETS))
    assert numbers["uas_single_offset_without_punct"] == pytest.approx(best / len(plain))
