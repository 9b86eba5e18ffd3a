"""The similarity of a span in its sentence and alone, against the definition."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel, RobertaConfig, RobertaForMaskedLM
from transformers.models.gpt2 import modeling_gpt2

from hf_grok.annotation.alignment import NO_WORD, encode_words
from hf_grok.attention.batched import register_batched_attention
from hf_grok.attention.spans import SpanMask
from hf_grok.errors import UserError
from hf_grok.probes.trees import span_rows, span_runs
from hf_grok.probes.trees.span_rows import SpanRows, SpanSentences, every_span, every_start, lay_out
from hf_grok.probes.trees.span_runs import can_run_apart, states_masked
from hf_grok.probes.trees.span_states import cumulative_cosines, span_similarities
from tests.probes.matrix import ARCHITECTURES, BIDIRECTIONAL, CAUSAL, LAYERS, model_of
from tests.probes.trees.material import (
    SENTENCES,
    chart_by_definition,
    laid_out,
    one_token_tokenizer,
    vanilla_states,
    visible_tokens,
    wordpiece_tokenizer,
)

CLOSE = {"atol": 1e-5, "rtol": 0.0}
PIECES = [["abc", "d", "ef"], ["a", "bcdef"], ["ghab", "c", "de", "f"], ["a", "b", "c"]]


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def sentences_for(name: str) -> SpanSentences:
    return laid_out(one_token_tokenizer(end=name in BIDIRECTIONAL))


def masked_by_hand(model: PreTrainedModel, sentences: SpanSentences, name: str) -> Tensor:
    """One span of one sentence at a time, with a mask written out and given to the model."""
    model.set_attn_implementation("eager")
    lowest = torch.finfo(torch.float32).min

    def additive(number: int, start: int, end: int, window: int | None) -> Tensor:
        visible = visible_tokens(sentences, number, start, end)
        token = torch.arange(len(visible))
        distance = token[:, None] - token
        sees = visible | (distance == 0)
        sees = sees & (distance >= 0) if name in CAUSAL else sees
        sees = sees & (distance.abs() <= window) if window else sees
        return torch.zeros(sees.shape).masked_fill(~sees, lowest)[None, None]

    def states_of(number: int, start: int, end: int) -> Tensor:
        mask = additive(number, start, end, None)
        if name == "modernbert":
            local = additive(number, start, end, model.config.sliding_window)
            mask = {"full_attention": mask, "sliding_attention": local}
        ids = sentences.ids[number, : sentences.lengths[number]][None]
        return model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state[0]

    chart = chart_by_definition(sentences, states_of)
    model.set_attn_implementation("sdpa")
    return chart


def masked_one_by_one(model: PreTrainedModel, sentences: SpanSentences, threshold: int) -> Tensor:
    """The reference of the package: every span of every sentence masked, in a batch of its own."""

    def states_of(number: int, start: int, end: int) -> Tensor:
        rows = SpanRows(*(torch.tensor([one]) for one in (number, start, end)))
        states = states_masked(model, sentences, rows, threshold)[0]
        first, last = (int(sentences.edges[number, edge]) for edge in (start, end))
        placed = torch.zeros(int(sentences.lengths[number]), states.shape[-1])
        placed[first:last] = states[: last - first]
        return placed

    return chart_by_definition(sentences, states_of)


@pytest.mark.parametrize("threshold", range(LAYERS))
def test_vanilla_equals_the_formulas(threshold: int) -> None:
    model, sentences = model_of("vanilla"), sentences_for("vanilla")

    def states_of(number: int, start: int, end: int) -> Tensor:
        ids = sentences.ids[number, : sentences.lengths[number]]
        visible = visible_tokens(sentences, number, start, end)
        return vanilla_states(model, ids, visible, threshold)

    expected = chart_by_definition(sentences, states_of)
    torch.testing.assert_close(masked_one_by_one(model, sentences, threshold), expected, **CLOSE)
    fast = span_similarities(model, sentences, threshold=threshold)
    torch.testing.assert_close(fast, expected, **CLOSE)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_equals_a_mask_by_hand(name: str) -> None:
    model, sentences = model_of(name), sentences_for(name)
    expected = masked_by_hand(model, sentences, name)
    torch.testing.assert_close(span_similarities(model, sentences), expected, **CLOSE)


@pytest.mark.parametrize("threshold", range(LAYERS))
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_equals_every_span_masked(name: str, threshold: int) -> None:
    model, sentences = model_of(name), sentences_for(name)
    expected = masked_one_by_one(model, sentences, threshold)
    fast = span_similarities(model, sentences, threshold=threshold)
    torch.testing.assert_close(fast, expected, **CLOSE)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_words_of_several_tokens(name: str) -> None:
    model, sentences = model_of(name), laid_out(wordpiece_tokenizer(), PIECES)
    expected = masked_one_by_one(model, sentences, 0)
    torch.testing.assert_close(span_similarities(model, sentences), expected, **CLOSE)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_cells_of_no_span_are_zero_and_the_rest_is_not(name: str) -> None:
    sentences = sentences_for(name)
    chart = span_similarities(model_of(name), sentences)
    edge = torch.arange(chart.shape[-1])
    spans = (edge[:, None] < edge) & (edge <= sentences.words[:, None, None])
    assert torch.equal(chart != 0, spans)
    assert chart.abs().max() <= 1 + 1e-6


@pytest.mark.parametrize("implementation", ["eager", "sdpa", register_batched_attention()])
@pytest.mark.parametrize("name", ["vanilla", "llama", "gpt2", "bert"])
def test_any_attention_implementation_and_it_is_restored(name: str, implementation: str) -> None:
    model, sentences = model_of(name), sentences_for(name)
    expected = masked_one_by_one(model, sentences, 0)
    model.set_attn_implementation(implementation)
    torch.testing.assert_close(span_similarities(model, sentences), expected, **CLOSE)
    assert model.config._attn_implementation == implementation


def test_batches_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("vanilla", "bert"):
        model, sentences = model_of(name), sentences_for(name)
        expected = span_similarities(model, sentences)
        monkeypatch.setattr(span_rows, "CPU_TOKENS", 9)
        torch.testing.assert_close(span_similarities(model, sentences), expected, **CLOSE)
        monkeypatch.undo()


def test_local_attention_is_run_apart_only_within_its_window() -> None:
    model, sentences = model_of("modernbert"), sentences_for("modernbert")
    window = model.config.sliding_window
    assert window == 4
    apart = can_run_apart(model, sentences)
    assert apart.tolist() == (sentences.lengths <= window).tolist() == [0, 1, 0, 0, 0]
    model.config.sliding_window = 64
    assert can_run_apart(model, sentences).all()


def test_a_model_with_positions_of_its_own_is_run_masked(caplog: pytest.LogCaptureFixture) -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    model = RobertaForMaskedLM(
        RobertaConfig(vocab_size=40, num_attention_heads=4, max_position_embeddings=64, **sizes)
    ).eval()
    for parameter in model.parameters():
        parameter.add_(0.2 * torch.randn_like(parameter))
    sentences = sentences_for("bert")
    # RoBERTa counts positions from 2 on, so positions 0, 1, 2 are others than those it counts.
    with caplog.at_level(logging.WARNING, logger=span_runs.__name__):
        chart = span_similarities(model, sentences)
    assert "every span is run masked" in caplog.text
    torch.testing.assert_close(chart, masked_one_by_one(model, sentences, 0), **CLOSE)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_stock_model_is_run_masked_for_its_positions(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of(name)
    if name == "modernbert":
        model.config.sliding_window = 64
    with caplog.at_level(logging.WARNING, logger=span_runs.__name__):
        assert can_run_apart(model, sentences_for(name)).all()
    assert not caplog.records


def test_rows_by_enumeration() -> None:
    words = torch.tensor([3, 1, 2])
    starts = every_start(words)
    assert list(zip(*(part.tolist() for part in vars(starts).values()), strict=True)) == [
        (0, 1, 3),
        (0, 2, 3),
        (2, 1, 2),
    ]
    spans = every_span(words)
    assert list(zip(*(part.tolist() for part in vars(spans).values()), strict=True)) == [
        (0, 0, 1),
        (0, 0, 2),
        (0, 1, 2),
        (0, 1, 3),
        (0, 2, 3),
        (2, 0, 1),
        (2, 1, 2),
    ]


def test_cumulative_cosines_of_sums() -> None:
    full, span = torch.randn(2, 3, 4, 5)
    expected = torch.tensor(
        [
            [
                torch.cosine_similarity(full[r, : t + 1].sum(0), span[r, : t + 1].sum(0), dim=0)
                for t in range(4)
            ]
            for r in range(3)
        ]
    )
    torch.testing.assert_close(cumulative_cosines(full, span), expected)
    assert torch.equal(cumulative_cosines(full, 0 * span), torch.zeros(3, 4))


@pytest.mark.parametrize("threshold", [-1, LAYERS])
def test_a_layer_that_is_not_there(threshold: int) -> None:
    with pytest.raises(UserError, match=f"threshold={threshold}.* has 2 layers.*from 0 to 1"):
        span_similarities(model_of("gpt2"), sentences_for("gpt2"), threshold=threshold)


@pytest.mark.parametrize("name", BIDIRECTIONAL)
def test_a_bidirectional_model_needs_an_end_token(name: str) -> None:
    with pytest.raises(UserError, match="sees both ways, and the tokenizer puts no end token"):
        span_similarities(model_of(name), sentences_for("vanilla"))


def test_a_causal_model_does_not_see_an_end_token() -> None:
    model = model_of("llama")
    with_end = span_similarities(model, sentences_for("bert"))
    torch.testing.assert_close(with_end, span_similarities(model, sentences_for("llama")), **CLOSE)


def test_no_transformer_of_the_library() -> None:
    with pytest.raises(UserError, match="Linear is no PreTrainedModel"):
        span_similarities(torch.nn.Linear(1, 1), sentences_for("vanilla"))


def test_a_layer_that_does_not_heed_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    model, sentences = model_of("gpt2"), sentences_for("gpt2")
    eager = modeling_gpt2.eager_attention_forward
    # As in a model that lets its queries look where it likes.
    monkeypatch.setattr(
        modeling_gpt2,
        "eager_attention_forward",
        lambda module, query, key, value, mask, **others: eager(
            module, query, key, value, mask.clamp(min=-5), **others
        ),
    )
    with pytest.raises(UserError, match="attended to tokens outside it nevertheless"):
        states_masked(model, sentences, every_span(sentences.words)[torch.tensor([0])], 0)


def test_half_precision_is_worked_on_in_full() -> None:
    model, sentences = model_of("vanilla"), sentences_for("vanilla")
    chart = span_similarities(model, sentences)
    half = span_similarities(model.to(torch.bfloat16), sentences)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, chart, atol=0.05, rtol=0.0)


def test_padding_and_order_do_not_show() -> None:
    model, sentences = model_of("neox"), sentences_for("neox")
    chart = span_similarities(model, sentences)
    order = torch.tensor([4, 1])
    part = sentences.select(order, torch.device("cpu"))
    edges = part.edges.shape[1]
    assert edges == 7
    torch.testing.assert_close(
        span_similarities(model, part), chart[order, :edges, :edges], **CLOSE
    )
    assert torch.equal(part.words_ended(), sentences.words_ended()[order, : part.ids.shape[1]])


def test_batches_hold_every_row_once_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_rows, "CPU_TOKENS", 12)
    lengths = torch.tensor([3, 5, 3, 4, 3, 13, 5, 3, 3])
    for equal, expected in (
        (False, [[0, 2, 4, 7], [8, 3], [1, 6], [5]]),
        (True, [[0, 2, 4, 7], [8], [3], [1, 6], [5]]),
    ):
        found = [batch.tolist() for batch in span_rows.batches(lengths, equal=equal)]
        assert found == expected
    assert list(span_rows.batches(lengths[:0], equal=True)) == []


def test_special_tokens_within_a_sentence_are_refused() -> None:
    encoded = encode_words(SENTENCES, one_token_tokenizer(end=True))
    within = encoded.word_of.clone()
    within[3, 2] = NO_WORD
    uneven = encoded.word_of.clone()
    uneven[3, 1] = NO_WORD
    for word_of in (within, uneven):
        with pytest.raises(UserError, match="sentence 3: the tokenizer puts special tokens"):
            lay_out(replace(encoded, word_of=word_of))


def test_no_token_is_blind_not_even_outside_the_span() -> None:
    """A row of attention without a visible token may be NaN, which masked weights carry on."""
    near = (torch.arange(6)[:, None] - torch.arange(6)).abs() <= 1
    visible = torch.tensor([[True, False, False, False, False, True]])
    layer = torch.nn.Identity()
    mask = SpanMask(visible, threshold=0, layers=1)
    _, keywords = mask.before(layer, (), {"attention_mask": near[None, None]})
    seen = keywords["attention_mask"]
    assert seen.any(-1).all()
    assert torch.equal(seen[0, 0], near & (visible | torch.eye(6, dtype=torch.bool)))
