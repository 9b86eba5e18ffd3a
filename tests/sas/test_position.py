"""Attention that is a function of the offset alone earns nothing in R - R_sham."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hf_grok.annotation.sham import sham_tree
from hf_grok.datasets_scripts import Treebank
from hf_grok.sas.batches.keys import HEADS, RELATIONS, SHAM_HEADS, SHAM_RELATIONS, WORD_OF
from hf_grok.sas.options import DIRECTIONS, PenaltyOptions
from hf_grok.sas.regulariser import batch_arcs, penalty_share
from tests.real_data import EWT
from tests.sas.parsed import causal, random_heads, sentence

NAMES = {
    **{WORD_OF: -1, HEADS: -1, RELATIONS: -1},
    **{SHAM_HEADS: -1, SHAM_RELATIONS: -1},
}


def contrast(batch: dict[str, torch.Tensor], heads: list[list[float]], **options: Any) -> float:
    """R - R_sham of heads that give so much attention to offsets -3 to 3, by explicit maps."""
    length = batch[WORD_OF].shape[1]
    place = torch.arange(length)
    offset = place - place[:, None]
    near = offset.abs() <= 3
    maps = [
        torch.where(near, torch.tensor(each, dtype=torch.float64)[(offset + 3).clamp(0, 6)], 0.0)
        for each in heads
    ]
    attention = torch.stack(maps)[None].expand(len(batch[WORD_OF]), -1, -1, -1)
    chosen = PenaltyOptions(arcs="contrast", **options)
    arcs = batch_arcs({name: batch[name] for name in NAMES}, chosen)
    assert arcs.counts[0] == arcs.counts[1] > 0
    return float(penalty_share([attention], arcs, arcs.counts, chosen))


NEXT = [0.0, 0, 0, 0, 1, 0, 0]
PREVIOUS = [0.0, 0, 1, 0, 0, 0, 0]
SLOPE = [0.05, 0.1, 0.3, 0.0, 0.4, 0.1, 0.05]


@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("relations", [None, ("nsubj",)])
def test_a_positional_head_earns_nothing(
    directions: str, relations: tuple[str, ...] | None
) -> None:
    rows = [sentence(list("bcdfghjklm"[:n]), random_heads(n, n)) for n in (2, 3, 6, 9, 10)]
    rows = [{**row, "words": [f"w{word}" for word in row["words"]]} for row in rows]
    batch = causal(sham=True, allow_unknown=True)(rows)
    assert (batch[SHAM_HEADS] == -2).any()  # the sentence of two words has no other tree
    for heads in ([NEXT], [PREVIOUS], [SLOPE], [NEXT, SLOPE]):
        for reduction, power in (("max", 1.0), ("sum", 2.0)):
            found = contrast(
                batch,
                heads,
                directions=directions,
                relations=relations,
                reduction=reduction,
                power=power,
                alignment="first",
            )
            assert found == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("length", [8, 9])
def test_nor_does_it_where_rows_are_cut(length: int) -> None:
    words = [f"w{letter}" for letter in "bcdfghjklm"]
    encoded = causal(sham=True, allow_unknown=True).encoder.encode(
        [sentence(words, random_heads(10, 3)), sentence(words[:5], random_heads(5, 1))], [0, 1]
    )[0]
    batch = causal(sham=True, max_length=length)([row.columns() for row in encoded])
    for directions in DIRECTIONS:
        assert contrast(batch, [SLOPE], directions=directions) == pytest.approx(0, abs=1e-7)


@pytest.mark.slow
def test_nor_on_a_treebank() -> None:
    if not EWT.exists():
        pytest.skip(f"no treebank at {EWT}")
    shares, arcs = dict.fromkeys(DIRECTIONS, 0.0), [0, 0]
    for number, row in enumerate(Treebank(EWT)):
        heads = row["heads"]
        tree = sham_tree(heads, number)
        arcs[0] += sum(head > 0 for head in heads)
        if tree is None:
            continue
        arcs[1] += sum(head > 0 for head in heads)
        for sign, listed in ((1, heads), (-1, tree.heads)):
            offsets = [head - word for word, head in enumerate(listed, start=1) if head > 0]
            to_head, to_children = offsets.count(1), offsets.count(-1)
            shares["head"] += sign * to_head
            shares["children"] += sign * to_children
            shares["both"] += sign * (to_head + to_children)
    assert shares == dict.fromkeys(DIRECTIONS, 0)
    assert arcs[1] / arcs[0] > 0.98
