"""Batches against what their rows say, in each layout; and every row that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from transformers import Trainer, TrainingArguments

from hf_grok.annotation.heads import relation_id
from hf_grok.errors import UserError
from hf_grok.masking import Masking
from hf_grok.recipes.arguments import DataArguments
from hf_grok.sas.batches.collator import ArcCollator
from hf_grok.sas.batches.encoding import encode_rows
from hf_grok.sas.batches.epoch_rows import EpochRows
from hf_grok.sas.batches.rows import ArcRows
from tests.sas.parsed import (
    arcs_of,
    byte_level_tokenizer,
    causal,
    masking_tokenizer,
    published_row,
    random_heads,
    sentence,
    sentences,
    subword_tokenizer,
    tiny_bert,
)

Row = dict[str, Any]
EXAMPLE = sentence(["ape", "lynx", "cat", "dog"], [2, 0, 4, 2])


def test_a_batch_by_hand() -> None:
    short = sentence(["hen", "fox"], [0, 1])
    batch = causal(sham=True)([EXAMPLE, short])
    tokenizer = subword_tokenizer()
    # Two letters a token: ap ##e ly ##nx ca ##t do ##g.
    assert batch["input_ids"][0].tolist() == tokenizer("ape lynx cat dog")["input_ids"]
    assert batch["input_ids"][1].tolist() == tokenizer("hen fox")["input_ids"] + [0] * 4
    assert batch["attention_mask"].tolist() == [[1] * 10, [1] * 6 + [0] * 4]
    assert batch["labels"][1].tolist() == batch["input_ids"][1, :6].tolist() + [-100] * 4
    assert batch["arc_word_of"].tolist() == [
        [-1, 0, 0, 1, 1, 2, 2, 3, 3, -1],
        [-1, 0, 0, 1, 1, -1, -1, -1, -1, -1],
    ]
    assert batch["arc_heads"].tolist() == [[1, -1, 3, 1], [-1, 0, -1, -1]]
    names = [["nsubj", None, "nsubj", "nsubj"], [None, "obj", None, None]]
    assert batch["arc_relations"].tolist() == [
        [-1 if name is None else relation_id(name) for name in row] for row in names
    ]
    assert batch["arc_sham_heads"].shape == (2, 4)
    assert {value.dtype for value in batch.values()} == {torch.int64}


def test_padding_on_the_left_and_to_a_multiple() -> None:
    tokenizer = subword_tokenizer()
    tokenizer.padding_side = "left"
    right, left = (
        causal(each, pad_to_multiple_of=8)([EXAMPLE, sentence(["hen", "fox"], [0, 1])])
        for each in (subword_tokenizer(), tokenizer)
    )
    assert right["input_ids"].shape == (2, 16)
    assert right["arc_heads"].shape == (2, 8)
    for name in ("input_ids", "attention_mask", "labels", "arc_word_of"):
        for row, real in ((0, 10), (1, 6)):
            assert right[name][row, :real].tolist() == left[name][row, -real:].tolist()
    assert torch.equal(right["arc_heads"], left["arc_heads"])
    assert (left["arc_word_of"][1, :10] == -1).all()


def test_masked_batches_hide_tokens_of_words_only() -> None:
    rows = EpochRows(sentences(40), fixed=True)
    batch = ArcCollator(subword_tokenizer())([rows[at] for at in range(40)])
    plain = causal()([rows[at] for at in range(40)])
    guessed = batch["labels"] != -100
    assert guessed.any(dim=1).all()
    assert (batch["arc_word_of"][guessed] != -1).all()
    assert torch.equal(guessed, batch["input_ids"] != plain["input_ids"])
    assert (batch["input_ids"][guessed] == subword_tokenizer().mask_token_id).all()
    assert torch.equal(batch["labels"][guessed], plain["input_ids"][guessed])


def test_a_script_masks_as_a_recipe_does() -> None:
    """The defaults are one: a collator's, a recipe's and `Masking`'s."""
    recipe = DataArguments("agreement")
    assert ArcCollator(subword_tokenizer()).masking == Masking()
    assert Masking(recipe.mask_share, recipe.mask_random, recipe.mask_kept) == Masking()


def test_random_replacements_are_never_special() -> None:
    rows = EpochRows(sentences(40), fixed=True)
    collator = ArcCollator(subword_tokenizer(), share=1, random=1, kept=0)
    batch = collator([rows[at] for at in range(40)])
    assert (batch["input_ids"][batch["labels"] != -100] > 4).all()


def test_encoded_rows_make_the_same_batches() -> None:
    data = [*sentences(30), {**EXAMPLE, "heads": None, "deprels": None}]
    for options in ({}, {"sham": True, "sham_seed": 3}, {"max_length": 9, "sham": True}):
        encoded = encode_rows(
            datasets.Dataset.from_list(data), subword_tokenizer(), progress=False, **options
        )
        assert isinstance(encoded, ArcRows)
        chosen = [3, 30, 0, 12]
        fast = causal(**options)
        slow = causal(**options)
        one, other = fast([encoded[at] for at in chosen]), slow([data[at] for at in chosen])
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
        assert fast.counts.arcs == slow.counts.arcs
        assert len(encoded) == len(list(encoded)) == len(encoded[:]) == 31
        assert encoded[-1].keys() == encoded[0].keys()
        assert "31 rows" in repr(encoded)


def test_encoded_rows_go_through_a_dataset_and_back() -> None:
    encoded = encode_rows(sentences(6), subword_tokenizer(), progress=False, sham=True)
    saved = datasets.Dataset.from_list([dict(row) for row in encoded])
    for form in (None, "numpy", "torch"):
        one = causal(sham=True)(list(saved.with_format(form)))
        other = causal(sham=True)(list(encoded))
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "unparsed", [{"heads": None}, {"heads": []}, {"heads": [-1] * 4}, {"heads": [], "deprels": []}]
)
def test_unparsed_rows_are_seen_and_counted_but_have_no_arcs(unparsed: Row) -> None:
    collator = causal(sham=True)
    batch = collator([{**EXAMPLE, **unparsed}, EXAMPLE])
    assert torch.equal(batch["input_ids"][0], batch["input_ids"][1])
    for name in ("arc_heads", "arc_relations", "arc_sham_heads"):
        assert (batch[name][0] == -1).all()
    assert vars(collator.counts) == {
        "sentences": 2,
        "unparsed": 1,
        "arcs": 3,
        "cut": 0,
        "roots": 1,
        "without_sham": 0,
        "arcs_without_sham": 0,
    }


def test_a_batch_without_a_single_arc() -> None:
    batch = causal()([sentence(["ape"], [0]), {**EXAMPLE, "heads": None}])
    assert (batch["arc_heads"] == -1).all()


@pytest.mark.parametrize("length", range(3, 11))
def test_truncation_leaves_out_the_arcs_that_it_cuts(length: int) -> None:
    """Against the definition: a word is whole if all its tokens stay."""
    words = ["ape", "lynx", "cat", "dog"]
    for seed in range(10):
        row = sentence(words, random_heads(4, seed))
        collator = causal(max_length=length, sham=True)
        batch = collator([row])
        whole = (length - 2) // 2 if length < 10 else 4
        arcs = {(word, head - 1) for word, head in enumerate(row["heads"]) if head}
        kept = {(word, head) for word, head in arcs if word < whole and head < whole}
        assert arcs_of(batch, 0) == kept
        assert collator.counts.cut == len(arcs) - len(kept)
        assert collator.counts.arcs == len(kept)
        assert batch["input_ids"].shape[1] == length
        assert batch["input_ids"][0, -1] == 2  # [SEP] stays
        if (batch["arc_sham_heads"] == -2).any():
            assert collator.counts.arcs_without_sham == len(kept) > 0
        else:
            sham = arcs_of(batch, 0, "arc_sham_heads")
            offsets = sorted(head - word for word, head in sham)
            assert offsets == sorted(head - word for word, head in kept)
        assert ((batch["arc_relations"] == -1) == (batch["arc_heads"] == -1)).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**EXAMPLE, "heads": [2, 9, 4, 2]}, r"row 7: word 2 \('lynx'\) has head 9"),
        ({**EXAMPLE, "heads": [2, 2, 4, 2]}, "row 7: word 2 .* has head 2"),
        ({**EXAMPLE, "heads": [2, 4, 0, 1]}, "row 7: heads go in a cycle, 1 -> 2 -> 4 -> 1"),
        ({**EXAMPLE, "deprels": ["x"]}, "row 7: 4 words and 1 deprels"),
        ({**EXAMPLE, "words": ["ape", "lynx", "cat", "zzz"]}, r"sentence 7: .* word 4, 'zzz'"),
        ({"input_ids": [1, 5, 2]}, "columns example_index, input_ids: .*remove_unused_columns"),
        ({}, "columns example_index: .*remove_unused_columns=False"),
        ({"arc_word_of": [0]}, "no input_ids, arc_heads, arc_relations: encode it anew"),
    ],
)
def test_rows_that_are_refused(row: Row, message: str) -> None:
    with pytest.raises(UserError, match=message):
        causal()([{**row, "example_index": 7}])


def test_unknown_words_and_a_start_token_where_they_are_wanted() -> None:
    row = {**EXAMPLE, "words": ["ape", "lynx", "cat", "zzz"]}
    batch = causal(allow_unknown=True)([row])
    assert batch["input_ids"][0, -2] == subword_tokenizer().unk_token_id
    assert batch["arc_word_of"][0].tolist() == [-1, 0, 0, 1, 1, 2, 2, 3, -1]
    tokenizer = byte_level_tokenizer()
    tokenizer.bos_token = tokenizer.pad_token
    plain, started = causal(tokenizer)([row]), causal(tokenizer, add_start=True)([row])
    assert started["input_ids"][0].tolist() == [0, *plain["input_ids"][0].tolist()]
    assert started["arc_word_of"][0].tolist() == [-1, *plain["arc_word_of"][0].tolist()]


def test_rows_of_two_layouts_in_a_batch_are_refused() -> None:
    with pytest.raises(UserError, match="all rows alike"):
        causal()([EXAMPLE, published_row()])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arc_heads": [1, -1, 3]}, "columns of words have different lengths"),
        ({"arc_word_of": [0]}, "columns of tokens have different lengths"),
        ({"arc_heads": [1, -1, 4, 1]}, "arc_heads names a word outside the row: .* -1 to 3"),
        ({"arc_heads": [1, -2, 3, 1]}, "arc_heads names a word outside the row"),
        ({"arc_word_of": [-1, 0, 0, 1, 1, 2, 2, 3, 4, -1]}, "arc_word_of names a word outside"),
        ({"arc_heads": [0, -1, 3, 1]}, "its own head"),
    ],
)
def test_encoded_rows_that_are_damaged(change: Row, message: str) -> None:
    (row,) = encode_rows([EXAMPLE], subword_tokenizer(), progress=False)
    with pytest.raises(UserError, match=message):
        causal()([{**row, **change}])


def test_options_and_tokenizers_that_do_not_do() -> None:
    bare = masking_tokenizer()
    bare.pad_token = None
    with pytest.raises(UserError, match=r"has no pad_token, .*set tokenizer.pad_token"):
        ArcCollator(bare)
    unmasked = masking_tokenizer()
    unmasked.mask_token = None
    with pytest.raises(UserError, match="has no mask_token"):
        ArcCollator(unmasked)
    ArcCollator(unmasked, masked=False)
    with pytest.raises(UserError, match="max_length=0"):
        causal(max_length=0)
    with pytest.raises(UserError, match="sham_seed=-1"):
        causal(sham_seed=-1)
    with pytest.raises(UserError, match="pad_to_multiple_of=0"):
        causal(pad_to_multiple_of=0)
    with pytest.raises(UserError, match=r"max_length=2 leaves no room beside 2 special"):
        causal(max_length=2)([EXAMPLE])
    with pytest.raises(UserError, match="share=2"):
        ArcCollator(masking_tokenizer(), share=2)
    with pytest.raises(UserError, match="no rows to encode"):
        encode_rows([], masking_tokenizer(), progress=False)
    encoded = encode_rows([EXAMPLE], subword_tokenizer(), progress=False)
    with pytest.raises(UserError, match=r"row 0 is encoded without a sham tree"):
        causal(sham=True)(list(encoded))


def test_masked_rows_must_know_index_and_epoch() -> None:
    collator = ArcCollator(masking_tokenizer())
    assert (collator.needs_epoch, causal().needs_epoch) == (True, False)
    with pytest.raises(UserError, match=r"EpochRows\(train\).*fixed=True"):
        collator([EXAMPLE])
    with pytest.raises(UserError, match=r"nobody has told EpochRows .*EpochCallback"):
        collator([EpochRows([EXAMPLE])[0]])


def test_a_plain_trainer_that_drops_the_columns_is_told(tmp_path: Path) -> None:
    tokenizer = subword_tokenizer()
    rows = EpochRows(encode_rows(sentences(4), tokenizer, progress=False))
    settings: Row = {"report_to": "none", "use_cpu": True, "disable_tqdm": True, "max_steps": 1}
    trainer = Trainer(
        tiny_bert(tokenizer),
        TrainingArguments(str(tmp_path), **settings),
        train_dataset=rows,
        data_collator=ArcCollator(tokenizer),
    )
    with pytest.raises(UserError, match="remove_unused_columns=False"):
        trainer.train()


def test_columns_are_all_that_is_read() -> None:
    rows = EpochRows([{**EXAMPLE, "text": "ape", "upos": ["NOUN"] * 4}], fixed=True)
    collator = ArcCollator(subword_tokenizer())
    only = {name: value for name, value in rows[0].items() if name in collator.columns}
    one, other = collator([rows[0]]), collator([only])
    assert all(torch.equal(one[name], other[name]) for name in one)
