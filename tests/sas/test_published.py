"""Rows in the published layout against what they say; and those that are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hf_grok.annotation.heads import relation_id
from hf_grok.errors import UserError
from tests.sas.parsed import causal, published_row, random_heads

Row = dict[str, Any]


def test_the_published_layout_as_it_is() -> None:
    collator = causal(sham=True)
    batch = collator([published_row()])
    assert batch["input_ids"].tolist() == [[1, 5, 6, 7, 2]]
    assert batch["attention_mask"].tolist() == [[1] * 5]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 1, 1]]
    assert batch["arc_word_of"].tolist() == [[-1, 1, 2, 3, -1]]
    assert batch["arc_heads"].tolist() == [[-1, 2, -1, 2, -1]]
    expected = [-1, relation_id("nsubj"), -1, relation_id("obj"), -1]
    assert batch["arc_relations"].tolist() == [expected]
    assert vars(collator.counts) == {
        "sentences": 1,
        "unparsed": 0,
        "arcs": 2,
        "cut": 0,
        "roots": 1,
        "without_sham": 1,
        "arcs_without_sham": 2,
    }
    assert batch["arc_sham_heads"].tolist() == [[-1, -2, -2, -2, -1]]  # there is no other tree


def shifted(row: Row) -> Row:
    """The same row as the released trainer reads it: heads[k] belongs to the token at k + 1."""
    return {**row, "heads": [*row["heads"][1:], -1], "relns": [*row["relns"][1:], ""]}


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_both_numberings_are_told_by_the_row(cut: int) -> None:
    row = published_row()
    row["heads"][5] = -1  # of padding
    expected = causal()([row])
    other = shifted(row)
    other = {
        **other,
        **{name: other[name][: len(other[name]) - cut] for name in ("heads", "relns")},
    }
    for options in ({}, {"first_head": 1}):
        found = causal(**options)([other])
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert torch.equal(causal(first_head=0)([row])["arc_heads"], expected["arc_heads"])
    with pytest.raises(UserError, match=r"row 0: .*(special token and has head|heads: expected)"):
        causal(first_head=0)([other])
    with pytest.raises(UserError, match="row 0"):
        causal(first_head=1)([row])


def test_every_tree_is_read_right_or_refused() -> None:
    """No row of either numbering is read by the other one's."""
    refused: list[str] = []
    for words in (3, 4, 7):
        for seed in range(60):
            tree = random_heads(words, seed)
            row = {
                "input_ids": [1, *range(5, 5 + words), 2],
                "heads": [-1, *(head if seed % 2 or head else -1 for head in tree), -1],
                "relns": ["", *("root" if head == 0 else "obj" for head in tree), ""],
            }
            expected = [-1, *(head if head else -1 for head in tree), -1]
            for given in (row, shifted(row)):
                try:
                    found = causal()([given])["arc_heads"][0].tolist()
                except UserError as error:
                    refused.append(str(error))
                    continue
                assert found == expected, given
            for first_head, given in ((0, row), (1, shifted(row))):
                found = causal(first_head=first_head)([given])["arc_heads"][0].tolist()
                assert found == expected
    assert 0 < len(refused) < 120
    assert all("by first_head=0 or first_head=1" in message for message in refused)


def test_a_row_that_fits_both_numberings_is_refused() -> None:
    row = {
        "input_ids": [1, 5, 6, 7, 2],
        "heads": [-1, -1, 1, -1, -1],
        "relns": ["", "root", "obj", "dep", ""],
    }
    with pytest.raises(UserError, match=r"row 0: heads.0. may belong to .* by first_head=0 or"):
        causal()([row])
    assert causal(first_head=0)([row])["arc_heads"].tolist() == [[-1, -1, 1, -1, -1]]
    assert causal(first_head=1)([row])["arc_heads"].tolist() == [[-1, -1, -1, 1, -1]]
    with pytest.raises(UserError, match="first_head=2: expected 0, 1 or None"):
        causal(first_head=2)


def test_published_padding_on_the_left_moves_the_heads() -> None:
    row = published_row()
    turned = {
        "input_ids": [0, *row["input_ids"][:-1]],
        "attention_mask": [0, 1, 1, 1, 1, 1],
        "heads": [5, -1, 3, 1, 3, -1],
        "relns": ["", *row["relns"][:-1]],
    }
    del row["token_type_ids"]
    one, other = causal()([row]), causal()([turned])
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_published_relations_by_number() -> None:
    row = {**published_row(), "relns": [0, 1, 9, 2, 0, 0]}
    numbered = causal(root_relations=(9,))([row])["arc_relations"][0].tolist()
    assert numbered == [-1, relation_id("1"), -1, relation_id("2"), -1]
    names = ("none", "nsubj", "obj", *"abcdefgh")
    named = causal(root_relations=(9,), relation_names=names)([row])["arc_relations"][0].tolist()
    assert named == [-1, relation_id("nsubj"), -1, relation_id("obj"), -1]
    with pytest.raises(UserError, match="relation 2: expected 0 to 1, as relation_names has them"):
        causal(root_relations=(9,), relation_names=("none", "nsubj"))([row])


def test_published_rows_are_cut_and_may_be_unparsed() -> None:
    row = {**published_row(), "heads": [-1, 3, 1, 2, -1, 3], "relns": ["x"] * 6}
    row["heads"] = [-1, 3, -1, 2, -1, -1]
    collator = causal(max_length=4)
    batch = collator([row])
    assert batch["input_ids"].tolist() == [[1, 5, 6, 2]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 1]]
    assert (batch["arc_heads"] == -1).all()
    assert (collator.counts.cut, collator.counts.arcs) == (2, 0)
    for heads in (None, [], [-1] * 6):
        assert (causal()([{**row, "heads": heads, "relns": []}])["arc_heads"] == -1).all()


def test_the_unknown_token_is_a_word() -> None:
    row = {**published_row(), "input_ids": [1, 5, 3, 7, 2, 0]}
    assert causal()([row])["arc_word_of"].tolist() == [[-1, 1, 2, 3, -1]]


def test_heads_as_text_are_the_same_heads() -> None:
    row = published_row()
    expected = causal()([row])["arc_heads"]
    text = {**row, "heads": [str(head) for head in row["heads"]]}
    assert torch.equal(causal()([text])["arc_heads"], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": [-1, 6, 0, 2, -1, -1]}, "row 0: token 1 has head 6: expected a position, 0 to"),
        ({"heads": [-1, -2, 0, 2, -1, -1]}, "row 0: token 1 has head -2"),
        ({"heads": [-1, 1, 0, 2, -1, -1]}, "the head of token 1 is 1, which is itself"),
        ({"heads": [-1, 0, 0, 2, -1, -1]}, "head of token 1 is 0, which is a special token or"),
        ({"heads": [-1, 4, 0, 2, -1, -1]}, "head of token 1 is 4, which is a special token or"),
        ({"heads": [-1, 5, 0, 2, -1, -1]}, "head of token 1 is 5, which is a special token or"),
        (
            {"heads": [-1, 5, 0, 2, -1, -1], "input_ids": [1, 5, 6, 7, 2, 8]},
            "head of token 1 is 5, which is a special token or padding",
        ),
        ({"heads": [2, 2, 0, 2, -1, -1]}, "token 0 is a special token and has head 2"),
        ({"heads": [-1, 3, 0, 1, -1, -1]}, "heads go in a cycle, 1 -> 3 -> 1"),
        ({"heads": [-1, 2, 0]}, "6 input_ids and 3 heads"),
        ({"heads": [-1, 2.5, 0, 2, -1, -1]}, "row 0: the head of token 1 is 2.5: expected"),
        ({"heads": [-1, "two", 0, 2, -1, -1]}, "row 0: the head of token 1 is 'two'"),
        ({"heads": [-1, 2, None, 2, -1, -1]}, r"row 0: token 2 has no head \(None\) and others"),
        ({"relns": ["x"]}, "6 input_ids and 1 relns"),
        ({"relns": None}, "6 input_ids and 0 relns"),
    ],
)
def test_published_heads_that_are_refused(change: Row, message: str) -> None:
    with pytest.raises(UserError, match=message):
        causal()([{**published_row(), **change}])
