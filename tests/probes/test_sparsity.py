"""Attention sparsity against loops over the definition, on every stock architecture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_grok.errors import UserError
from hf_grok.probes.base import add_states
from hf_grok.probes.sparsity import (
    AttentionSparsity,
    attention_entropy,
    entropy_sums,
    visible_positions,
)
from tests.probes.matrix import ARCHITECTURES, CAUSAL, HEADS, LAYERS, model_of
from tests.probes.uas.material import byte_level, rows_of, word_level, wordpiece

ROWS = rows_of(20, longest=9)
# Half of the local attention of the matrix's ModernBERT, on each side.
WINDOW = 4


def looks_at(architecture: str, layer: int, i: int, length: int) -> list[int]:
    """The positions that a query sees."""
    if architecture in CAUSAL:
        return list(range(i + 1))
    sliding = architecture == "modernbert" and layer > 0
    return [j for j in range(length) if not sliding or abs(i - j) <= WINDOW]


def oracle(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, architecture: str
) -> dict[str, float]:
    """A sentence, a layer, a head and a position at a time."""
    model.set_attn_implementation("eager")
    entropies, shares = [], []
    for row in ROWS:
        ids = tokenizer(" ".join(row["words"]), return_tensors="pt")["input_ids"]
        with torch.no_grad():
            maps = model(input_ids=ids, output_attentions=True).attentions
        length = ids.shape[1]
        for layer, head, i in np.ndindex(LAYERS, HEADS, length):
            seen = looks_at(architecture, layer, i, length)
            weights = maps[layer][0, head, i].double().numpy()
            entropies.append(-sum(w * math.log(w) for w in weights[seen] if w > 0))
            if len(seen) > 1:
                shares.append(entropies[-1] / math.log(len(seen)))
    model.set_attn_implementation("sdpa")
    return {
        "sparsity_negative_entropy": -float(np.mean(entropies)),
        "sparsity_normalised": -float(np.mean(shares)),
    }


@pytest.mark.parametrize("kind", ["word_level", "wordpiece"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_numbers_are_those_of_loops(
    architecture: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = {"word_level": word_level, "wordpiece": wordpiece}[kind]()
    model, probe = model_of(architecture), AttentionSparsity(ROWS, tokenizer)
    expected = oracle(model, tokenizer, architecture)
    for budget in (2048, 30):
        monkeypatch.setattr("hf_grok.attention.maps.token_budget", lambda device, b=budget: b)
        numbers = probe.measure(model)
        assert numbers == pytest.approx(expected, abs=1e-6)
        assert {type(value) for value in numbers.values()} == {float}
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("architecture", ["gpt2", "modernbert"])
def test_states_of_any_split_add_up(architecture: str) -> None:
    probe, model = AttentionSparsity(ROWS, word_level()), model_of(architecture)
    whole = probe.state(model)
    everything = range(len(probe))
    for parts in ([everything[rank::3] for rank in range(3)], [everything[:1], [], everything[1:]]):
        total = add_states(probe.state(model, part) for part in parts)
        assert total.keys() == whole.keys()
        for name, sums in whole.items():
            assert sums.dtype == torch.float64
            torch.testing.assert_close(total[name], sums, rtol=1e-6, atol=0)


@pytest.mark.parametrize("architecture", ["llama", "bert"])
def test_no_sentence_gives_zeros(architecture: str) -> None:
    probe, model = AttentionSparsity(ROWS, word_level()), model_of(architecture)
    whole, none = probe.state(model), probe.state(model, [])
    assert [sums.shape for sums in none.values()] == [sums.shape for sums in whole.values()]
    assert not any(sums.any() for sums in none.values())
    assert probe.compute(none) == {}


def test_a_uniform_map_has_the_largest_entropy_and_a_sharp_one_none() -> None:
    uniform, sharp = torch.full((1, 1, 8, 8), 1 / 8), torch.eye(8)[None, None]
    assert attention_entropy(uniform)[0, 0].tolist() == pytest.approx([math.log(8)] * 8)
    assert attention_entropy(sharp)[0, 0].tolist() == [0.0] * 8
    visible, real = torch.full((1, 8), 8), torch.ones(1, 8, dtype=torch.bool)
    plain, share, count = entropy_sums(uniform, visible, real)
    assert (float(plain), float(share), float(count)) == pytest.approx((8 * math.log(8), 8.0, 8.0))


def test_padding_and_lone_positions_are_left_out() -> None:
    attention = torch.full((1, 2, 4, 4), 0.25)
    visible = torch.tensor([[1, 2, 4, 4]])
    real = torch.tensor([[True, True, True, False]])
    plain, share, count = entropy_sums(attention, visible, real)
    assert plain.tolist() == pytest.approx([3 * math.log(4)] * 2)
    assert share.tolist() == pytest.approx([math.log(4) / math.log(2) + 1] * 2)
    assert float(count) == 2


def test_visible_positions_without_and_with_masks() -> None:
    real = torch.tensor([[True, True, True], [True, True, False]])
    assert visible_positions(None, real, causal=True).tolist() == [[1, 2, 3]] * 2
    assert visible_positions(None, real, causal=False).tolist() == [[3, 3, 3], [2, 2, 2]]
    hidden = torch.tensor([[True, False], [True, True]])
    for dtype in (torch.float32, torch.bfloat16):
        additive = torch.zeros(2, 2, dtype=dtype).masked_fill(~hidden, torch.finfo(dtype).min)
        assert (
            visible_positions(additive[None, None], real[:, :2], causal=True).tolist()
            == [[1, 2]] * 2
        )
    assert visible_positions(hidden[None, None], real[:1, :2], causal=True).tolist() == [[1, 2]]


def test_words_or_rows() -> None:
    words = [row["words"] for row in ROWS]
    model = model_of("bert")
    from_words = AttentionSparsity(words, word_level()).measure(model)
    assert from_words == AttentionSparsity(ROWS, word_level()).measure(model)


def test_a_start_token_is_a_position() -> None:
    words, model = [["the", "newts"], ["smile"]], model_of("gpt2", 60)
    positions = [
        float(
            AttentionSparsity(words, byte_level(prefix=False), add_start=start).state(model)[
                "positions"
            ]
        )
        for start in (False, True)
    ]
    assert positions[1] == positions[0] + 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are no sentences"),
        ([{"text": "the"}], "row 0 has no column 'words'"),
        (["the words"], "sentence 0 is the text 'the words': expected a list of words"),
    ],
)
def test_rows_without_words_are_refused(rows: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        AttentionSparsity(rows, word_level())


def test_a_model_that_does_not_fit_is_refused() -> None:
    probe = AttentionSparsity([["the"] * 70], word_level())
    with pytest.raises(UserError, match="71 tokens and the model only 64 positions"):
        probe.state(model_of("bert"))
    with pytest.raises(RuntimeError, match="training mode"):
        probe.state(model_of("bert").train())
