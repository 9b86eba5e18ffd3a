"""The pure functions of attention UAS against loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hf_grok.annotation.sentences import dependency_sentences
from hf_grok.errors import UserError
from hf_grok.probes.uas.arcs import Targets, arc_hits, visible_cells
from hf_grok.probes.uas.gold import NO_HEAD, Arcs, Gold
from hf_grok.probes.uas.picture import typical_sentences
from hf_grok.probes.uas.scores import at_best, is_punctuation
from hf_grok.probes.uas.words import word_attention, word_tokens
from tests.probes.uas.material import rows_of

CASES = {
    "one token a word": [[-1, 0, 1, 2, -1], [-1, 0, 1, -1, -1]],
    "nothing in front": [[0, 1, 2, 3, 4], [0, 1, -1, -1, -1]],
    "several tokens": [[-1, 0, 0, 0, 1, 2, 2, -1], [-1, 0, 1, 1, -1, -1, -1, -1]],
    "one word": [[0, 0, 0, 0], [-1, 0, -1, -1]],
    "words at other places": [[-1, -1, 0, 1], [-1, 0, 1, -1]],
}


def maps_between(word_of: Tensor) -> Tensor:
    length = word_of.shape[1]
    return torch.randn(len(word_of), 3, length, length).softmax(-1)


def every(words: int) -> Tensor:
    return torch.ones(words, words, dtype=torch.bool)


def arcs_between(sentence: Tensor, dependent: Tensor, head: Tensor) -> Arcs:
    return Arcs(sentence, dependent, head, sentence, sentence, head - dependent)


@pytest.mark.parametrize("case", CASES)
def test_attention_between_words(case: str) -> None:
    word_of = torch.tensor(CASES[case])
    attention, words = maps_between(word_of), int(word_of.max()) + 1
    between = word_attention(attention, word_tokens(word_of, words, 3), every(words))
    assert between.shape == (2, 3, words, words)
    for sentence, places in enumerate(word_of.tolist()):
        for i in range(max(places) + 1):
            for j in range(max(places) + 1):
                rows = [p for p, place in enumerate(places) if place == i]
                columns = [q for q, place in enumerate(places) if place == j]
                expected = attention[sentence][:, rows][:, :, columns].sum(2).mean(1)
                torch.testing.assert_close(between[sentence, :, i, j], expected)
        beyond = max(places) + 1
        assert not between[sentence, :, beyond:].any()
        assert not between[sentence, :, :, beyond:].any()


def test_equal_words_stay_equal() -> None:
    """Bit for bit, so that a tie is seen as one: no word is favoured by the order of its sums."""
    word_of = torch.tensor([[-1, 0, 1, 1, 2, 2, 3, 3, 3]])
    attention = torch.full((1, 1, 9, 9), 1 / 9)
    between = word_attention(attention, word_tokens(word_of, 4, 1), every(4))[0, 0]
    assert torch.equal(between[:, 1], between[:, 2])
    assert torch.equal(between[1], between[2])


def test_cells_that_may_not_be_chosen_are_zero() -> None:
    word_of = torch.tensor(CASES["several tokens"])
    attention, tokens = maps_between(word_of), word_tokens(word_of, 3, 3)
    cells = visible_cells(3, causal=False, sink=False)
    whole, masked = (word_attention(attention, tokens, which) for which in (every(3), cells))
    assert torch.equal(masked, whole * cells)


def test_the_map_itself_is_not_written_to() -> None:
    word_of = torch.tensor(CASES["several tokens"])
    attention = maps_between(word_of)
    before = attention.clone()
    word_attention(attention, word_tokens(word_of, 3, 3), every(3))
    assert torch.equal(attention, before)


@pytest.mark.parametrize("sink", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_what_a_word_may_choose(causal: bool, sink: bool) -> None:
    cells = visible_cells(4, causal=causal, sink=sink)
    for i in range(4):
        for j in range(4):
            allowed = i != j and (j < i or not causal) and (j > 0 or not sink)
            assert bool(cells[i, j]) == allowed


def targets_of(arcs: Arcs, batch: int, words: int, *, causal: bool) -> Targets:
    heads = torch.full((batch, words), NO_HEAD)
    heads[arcs.sentence, arcs.dependent] = arcs.head
    return Targets.of(arcs, heads, causal=causal, device=torch.device("cpu"))


def one_map(rows: list[list[float]], dependent: int, head: int, *, causal: bool) -> Any:
    arcs = arcs_between(*(torch.tensor([number]) for number in (0, dependent, head)))
    targets = targets_of(arcs, 1, len(rows), causal=causal)
    hits, weight = arc_hits(torch.tensor([[rows]]), targets)
    return hits[0, 0].tolist(), weight[0, 0].tolist()


def test_directions_of_a_bidirectional_head() -> None:
    rows = [[0.0, 0.3, 0.2], [0.5, 0.0, 0.1], [0.6, 0.1, 0.0]]
    assert one_map(rows, 0, 1, causal=False)[0] == [True, False]
    assert one_map(rows, 0, 2, causal=False)[0] == [False, True]
    assert one_map(rows, 0, 2, causal=False)[1] == pytest.approx([0.2, 0.6])


def test_a_causal_head_is_scored_at_the_later_word() -> None:
    rows = [[0.0, 0.0, 0.0], [0.4, 0.0, 0.0], [0.1, 0.5, 0.0]]
    assert one_map(rows, 2, 1, causal=True) == ([True], pytest.approx([0.5]))
    assert one_map(rows, 2, 0, causal=True) == ([False], pytest.approx([0.1]))
    assert one_map(rows, 0, 1, causal=True) == ([True], pytest.approx([0.4]))
    assert one_map(rows, 0, 2, causal=True) == ([False], pytest.approx([0.1]))


def test_of_equal_weights_the_lowest_word_is_chosen() -> None:
    rows = [[0.0, 0.2, 0.2], [0.2, 0.0, 0.2], [0.2, 0.2, 0.0]]
    assert one_map(rows, 0, 1, causal=False)[0] == [True, True]
    assert one_map(rows, 0, 2, causal=False)[0] == [False, False]


@pytest.mark.parametrize("causal", [False, True])
def test_ties_are_resolved_as_numpy_does(causal: bool) -> None:
    cells = visible_cells(40, causal=causal, sink=False)
    weights = torch.randint(0, 3, (2, 3, 40, 40)).float() * cells
    sentence, dependent = torch.cartesian_prod(torch.arange(2), torch.arange(40)).unbind(1)
    head = (dependent + torch.randint(1, 40, (80,))) % 40
    arcs = arcs_between(sentence, dependent, head)
    targets = targets_of(arcs, 2, 40, causal=causal)
    hits, weight = arc_hits(weights, targets)
    for arc, (s, d, h) in enumerate(zip(sentence, dependent, head, strict=True)):
        for attention_head in range(3):
            map_ = weights[s, attention_head].numpy()
            ways = [map_[d], map_[:, d]]
            ways = [ways[0] if h < d else ways[1]] if causal else ways
            expected = [bool(np.argmax(way) == h and way[h] > 0) for way in ways]
            assert hits[arc, attention_head].tolist() == expected
            assert weight[arc, attention_head].tolist() == [way[h] for way in ways]


def test_where_all_weights_are_zero_nothing_is_chosen() -> None:
    rows = [[0.0, 0.0], [0.0, 0.0]]
    assert one_map(rows, 1, 0, causal=False)[0] == [False, False]
    assert one_map(rows, 1, 0, causal=True)[0] == [False]


def test_gold_arcs_are_those_of_the_rows() -> None:
    rows = [row for row in rows_of(30) if len(row["words"]) > 1]
    sentences, numbers = dependency_sentences(rows), list(range(5, 5 + len(rows)))
    gold = Gold.of(sentences, numbers)
    arcs = gold.arcs([3, 1, 8], causal=False)
    expected = [
        (place, word, head - 1, deprel, numbers[number] % 2)
        for place, number in enumerate([3, 1, 8])
        for word, (head, deprel) in enumerate(
            zip(rows[number]["heads"], rows[number]["deprels"], strict=True)
        )
        if head
    ]
    fields = (arcs.sentence, arcs.dependent, arcs.head, arcs.relation, arcs.half)
    found = [
        (s, d, h, gold.names[r], half)
        for s, d, h, r, half in zip(*(field.tolist() for field in fields), strict=True)
    ]
    assert found == expected
    assert len(arcs) == len(expected)
    assert torch.equal(arcs.offset, arcs.head - arcs.dependent)
    assert "root" not in gold.names
    assert int((gold.heads != NO_HEAD).sum() + gold.roots.sum()) == int(gold.words.sum())


def test_the_best_of_one_half_is_scored_on_the_other() -> None:
    selected = torch.tensor([[[1.0, 3.0], [3.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    scored = torch.tensor([[[5.0, 6.0], [7.0, 8.0]], [[1.0, 2.0], [3.0, 4.0]]])
    assert at_best(selected, scored).tolist() == [6.0, 1.0]


def test_punctuation_is_a_relation() -> None:
    assert [is_punctuation(name) for name in ("punct", "punct:comma", "root", "compound")] == [
        True,
        True,
        False,
        False,
    ]


def test_pictured_sentences_are_of_median_length() -> None:
    sentences = dependency_sentences(
        [
            {"words": ["a"] * size, "heads": [0] * size, "deprels": ["root"] * size}
            for size in (9, 2, 5, 5, 3, 5, 40)
        ]
    )
    assert typical_sentences(sentences, range(7), 2) == [2, 3]
    assert typical_sentences(sentences, [0, 1, 4, 6], 1) == [0]
    assert typical_sentences(sentences, range(7), 0) == []
    assert typical_sentences(sentences, [], 3) == []


def test_a_head_out_of_range_is_refused_before_it_is_an_arc() -> None:
    with pytest.raises(UserError, match="has head 7"):
        dependency_sentences([{"words": ["a", "b"], "heads": [7, 0], "deprels": ["x", "root"]}])
