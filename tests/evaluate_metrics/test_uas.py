"""Heads that are given, against the probe and against counting."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset

from hf_grok.datasets_scripts import Treebank
from hf_grok.errors import UserError
from hf_grok.probes.uas.probe import AttentionUAS
from tests.evaluate_metrics.material import ARCS, load
from tests.probes.matrix import HEADS, LAYERS, model_of
from tests.probes.uas.material import rows_of, word_level, word_maps

ROWS = rows_of(40, seed=3)
BASELINES = [
    *("uas_single_offset", "uas_single_offset_without_punct"),
    *(f"uas_offset_{offset:+d}" for offset in (-3, -2, -1, 1, 2, 3)),
]


def choices(maps: np.ndarray, direction: int) -> list[int]:
    """The 1-based head that every word is given by one attention head, in either direction."""
    if maps.shape[0] == 1:
        return [0]
    return (maps.argmax(1 - direction) + 1).tolist()


def test_the_probes_numbers_are_those_of_what_its_heads_choose() -> None:
    model, tokenizer = model_of("bert"), word_level()
    probe = AttentionUAS(ROWS, tokenizer, selection="same")
    expected = probe.measure(model)
    maps = [word_maps(model, tokenizer, row["words"], False) for row in ROWS]
    metric = load("uas")
    found = [
        metric.compute(
            predictions=[choices(of_one[layer, head], direction) for of_one in maps],
            references=ROWS,
        )
        for layer in range(LAYERS)
        for head in range(HEADS)
        for direction in (0, 1)
    ]
    for name, single in (
        ("uas", "single_head"),
        ("uas_without_punct", "single_head_without_punct"),
    ):
        best = max(numbers[name] for numbers in found)
        assert best == pytest.approx(expected[f"uas_{single}"], abs=1e-12)
        assert best > min(numbers[name] for numbers in found)
    for numbers in found:
        assert [numbers[name] for name in BASELINES] == pytest.approx(
            [expected[name] for name in BASELINES], abs=1e-12
        )
        assert numbers["arcs"] == expected["uas_arcs"]
    assert found[0]["skipped"] == sum(len(row["words"]) == 1 for row in ROWS) > 0


def test_counts_by_hand() -> None:
    draw = random.Random(0)
    predictions = [[draw.randint(0, len(row["heads"])) for _ in row["heads"]] for row in ROWS]
    words = [
        (found, place, head, relation)
        for heads, row in zip(predictions, ROWS, strict=True)
        if len(heads) > 1
        for place, (found, head, relation) in enumerate(
            zip(heads, row["heads"], row["deprels"], strict=True), start=1
        )
    ]
    numbers = load("uas").compute(predictions=predictions, references=ROWS)
    assert numbers["uas"] == sum(found == head for found, _, head, _ in words) / len(words)
    plain = [word for word in words if word[2] and word[3] != "punct"]
    right = sum(found == head for found, _, head, _ in plain)
    assert numbers["uas_without_punct"] == right / len(plain)
    for offset in (-3, -2, -1, 1, 2, 3):
        hits = sum(head == place + offset for _, place, head, _ in words if head)
        assert numbers[f"uas_offset_{offset:+d}"] == hits / len(words)
    assert numbers["roots"] == sum(head == 0 for _, _, head, _ in words)
    assert numbers["arcs"] + numbers["roots"] == len(words)


def test_gold_scores_one_roots_included() -> None:
    heads = [row["heads"] for row in ROWS]
    numbers = load("uas").compute(predictions=heads, references=ROWS)
    assert (numbers["uas"], numbers["uas_without_punct"]) == (1.0, 1.0)
    bare = load("uas").compute(predictions=heads, references=heads)
    assert bare == {name: n for name, n in numbers.items() if not name.endswith("without_punct")}


def test_two_roots_and_no_arc() -> None:
    numbers = load("uas").compute(
        predictions=[[0, 1]], references=[{"heads": [0, 0], "deprels": ["root", "root"]}]
    )
    assert (numbers["uas"], numbers["arcs"], numbers["roots"]) == (0.5, 0, 2)
    assert "uas_without_punct" not in numbers


def test_a_treebank_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "trees.conllu"
    lines = [
        f"{place}\t{word}\t_\tX\t_\t_\t{head}\t{deprel}\t_\t_"
        for place, (word, head, deprel) in enumerate(zip(*ARCS.values(), strict=True), start=1)
    ]
    file.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    numbers = load("uas").compute(predictions=[ARCS["heads"]], references=Treebank(file))
    assert numbers == load("uas").compute(predictions=[ARCS["heads"]], references=[ARCS])


def test_arrays_tensors_and_data_sets_are_taken() -> None:
    heads = ARCS["heads"]
    expected = load("uas").compute(predictions=[heads] * 2, references=[ARCS] * 2)
    for predictions, references in (
        (np.array([heads] * 2), Dataset.from_list([ARCS] * 2)),
        (torch.tensor([heads] * 2), [ARCS] * 2),
        ([np.array(heads), tuple(heads)], [{**ARCS, "heads": np.array(heads)}] * 2),
    ):
        assert load("uas").compute(predictions=predictions, references=references) == expected


@pytest.mark.parametrize(
    ("prediction", "gold", "message"),
    [
        ([2, 1.5], [2, 0], r"predictions\[0\]\[1\] is 1.5: expected a whole number of type int"),
        (np.array([2.0, 0.0]), [2, 0], r"predictions\[0\]\[0\] is 2.0: expected a whole number"),
        ([2, True], [2, 0], r"predictions\[0\]\[1\] is True"),
        ([2, "0"], [2, 0], r"predictions\[0\]\[1\] is '0'"),
        ([2, 0], [2.5, 0], r"references\[0\]\[0\] is 2.5"),
        ([2, 3], [2, 0], r"predictions\[0\]\[1\] is 3: expected a word of the sentence, 1 to 2"),
        ([2, -1], [2, 0], r"predictions\[0\]\[1\] is -1"),
        ([2], [2, 0], r"predictions\[0\] has 1 heads and references\[0\] 2"),
        ([2, 0], [2, 1], "references, row 0: heads go in a cycle, 1 -> 2 -> 1"),
        ([2, 0], [3, 0], r"references, row 0: word 1 \('1'\) has head 3"),
        (
            [2, 0],
            {"heads": [2, 0], "deprels": ["det"]},
            "references, row 0: 2 words and 1 deprels",
        ),
        ([2, 0], {"heads": [2, 0], "deprels": ["det", 1]}, r"\['deprels'\]\[1\] is 1"),
        ([2, 0], {"head": [2, 0]}, "row 0 has no column 'heads'"),
    ],
)
def test_bad_heads(prediction: Any, gold: Any, message: str) -> None:
    metric = load("uas")
    with pytest.raises(UserError, match=message):
        metric.add(prediction=prediction, reference=gold)
    assert len(metric) == 0


def test_sentences_without_anything_to_score_or_of_two_kinds() -> None:
    with pytest.raises(UserError, match="no sentence has two words"):
        load("uas").compute(predictions=[[0]], references=[[0]])
    metric = load("uas")
    metric.add(prediction=[2, 0], reference=[2, 0])
    metric.add(prediction=ARCS["heads"], reference=ARCS)
    with pytest.raises(UserError, match=r"references\[0\] has no deprels, and references\[1\] has"):
        metric.compute()
    with pytest.raises(UserError, match=r"references\[1\] is \[0\]: expected a row"):
        load("uas").compute(predictions=[ARCS["heads"], [0]], references=[ARCS, [0]])
