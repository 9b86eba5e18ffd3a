"""Scores of sentences against one forward pass a token, and what is run to get them."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
)

from hf_grok.measurement import precision
from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.models import word_level_tokenizer
from hf_grok.probes.base import add_states
from hf_grok.probes.pairs.logits import logits_at
from hf_grok.probes.pairs.probe import MinimalPairAccuracy
from hf_grok.probes.pairs.scores import even_ranges, groups_of_equal
from tests.probes.matrix import ARCHITECTURES, CAUSAL, SIZES, model_of
from tests.probes.pairs.material import (
    BARE,
    MASKED,
    ROWS,
    STARTING,
    TEXTS,
    both,
    close,
    expected,
    log_softmax,
    one_mask_at_a_time,
    one_token_at_a_time,
    row,
    tokenizer_of,
)


def wide(model: PreTrainedModel) -> PreTrainedModel:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def other_masked_models() -> dict[str, PreTrainedModel]:
    """Stock heads that differ from BERT's and ModernBERT's; RoBERTa's padding is token 0."""
    size = {"vocab_size": len(MASKED), **SIZES}
    distil = {"dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 4}
    return {
        "roberta": RobertaForMaskedLM(RobertaConfig(**size, pad_token_id=0)),
        "distilbert": DistilBertForMaskedLM(DistilBertConfig(vocab_size=len(MASKED), **distil)),
        "electra": ElectraForMaskedLM(ElectraConfig(**size, embedding_size=8)),
        "albert": AlbertForMaskedLM(AlbertConfig(**size, embedding_size=8)),
        "deberta": deberta(size),
    }


def deberta(size: dict[str, int]) -> PreTrainedModel:
    """Loaded here: in older releases of the library its module warns as it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from transformers import DebertaV2Config, DebertaV2ForMaskedLM
    return DebertaV2ForMaskedLM(
        DebertaV2Config(**size, relative_attention=True, pos_att_type=["c2p", "p2c"])
    )


def opt(vocabulary: int) -> PreTrainedModel:
    """Its head calls a part of its base, so nothing can be gathered before it."""
    return wide(
        OPTForCausalLM(
            OPTConfig(
                vocab_size=vocabulary,
                hidden_size=16,
                word_embed_proj_dim=16,
                ffn_dim=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=64,
            )
        )
    )


@contextmanager
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The library's loggers pass nothing on to pytest by themselves."""
    logger = logging.getLogger("hf_grok.probes.pairs.logits")
    logger.addHandler(caplog.handler)
    yield
    logger.removeHandler(caplog.handler)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_scores_equal_one_forward_pass_a_token(name: str) -> None:
    model = model_of(name, len(tokenizer_of(name)))
    probe = MinimalPairAccuracy(ROWS, tokenizer_of(name))
    state = probe.state(model)
    assert close(both(state), expected(model, name))
    assert state["seen"].tolist() == [1.0] * len(ROWS)
    assert {values.dtype for values in state.values()} == {torch.float64}
    right = [good > bad for good, bad in both(state)]
    assert not right[-1]
    numbers = probe.compute(state)
    assert numbers["pairs_bare"] == pytest.approx(sum(right[:3]) / 3)
    assert numbers["pairs_ties"] == pytest.approx(1 / 8)


@pytest.mark.parametrize("name", other_masked_models())
def test_other_masked_heads_see_the_masked_positions_alone(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = wide(other_masked_models()[name])
    # These two do not say that they are not causal: one shares its layer, one records no maps.
    scoring = "pseudo_log_likelihood" if name in ("albert", "deberta") else "auto"
    with heard(caplog):
        state = MinimalPairAccuracy(ROWS, MASKED, scoring=scoring).state(model)
    assert close(both(state), expected(model, name))
    assert "thrown away" not in caplog.text


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_head_computes_no_logits_but_those_that_are_scored(name: str) -> None:
    model = model_of(name, len(tokenizer_of(name)))
    rows = 0

    def count(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        nonlocal rows
        rows += arguments[0].shape[:-1].numel()

    with model.get_output_embeddings().register_forward_pre_hook(count):
        MinimalPairAccuracy(ROWS[:1], tokenizer_of(name)).state(model)
    sentences = [tokenizer_of(name)(text)["input_ids"] for text in TEXTS[:2]]
    longest = max(map(len, sentences))
    # The masked copies of the two are equal where they differ.
    shared = {(t, *ids[:t], *ids[t + 1 :]) for ids in sentences for t in range(1, len(ids) - 1)}
    assert rows == (2 * (longest - 1) if name in CAUSAL else len(shared))


def test_a_head_that_cannot_be_reached_costs_all_logits_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = opt(len(STARTING))
    with heard(caplog):
        state = MinimalPairAccuracy(ROWS, STARTING).state(model)
    assert close(both(state), expected(model, "vanilla"))
    assert "OPTForCausalLM does not let its last states be gathered" in caplog.text


@pytest.mark.parametrize("name", ["vanilla", "bert"])
@pytest.mark.parametrize("budget", [1, 30, 100_000])
def test_batches_and_splits_do_not_show(
    name: str, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(name, len(tokenizer_of(name)))
    probe = MinimalPairAccuracy(ROWS, tokenizer_of(name))
    whole = probe.state(model)
    monkeypatch.setitem(TOKEN_BUDGET, "cpu", budget)

    def hold(module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Tensor]) -> None:
        rows, length = keywords["input_ids"].shape
        assert rows * length <= max(budget, length)

    model.register_forward_pre_hook(hold, with_kwargs=True)
    for world in (1, 2, 3, 11):
        parts = [probe.state(model, range(rank, len(probe), world)) for rank in range(world)]
        total = add_states(parts)
        assert total["seen"].tolist() == whole["seen"].tolist()
        assert close(both(total), both(whole))
        assert probe.compute(total) == probe.compute(whole)


def test_groups_and_ranges() -> None:
    groups = groups_of_equal(torch.tensor([3, 2, 3, 5, 3, 2]))
    assert [group.tolist() for group in groups] == [[1, 5], [0, 2, 4], [3]]
    assert list(groups_of_equal(torch.tensor([], dtype=torch.int64))) == []
    for count, most, sizes in ((7, 3, [2, 2, 3]), (9, 2, [1, 2, 2, 2, 2]), (2, 9, [2]), (0, 3, [])):
        ranges = list(even_ranges(count, most))
        assert [len(part) for part in ranges] == sizes
        assert [number for part in ranges for number in part] == list(range(count))


def test_copies_that_are_equal_are_run_once() -> None:
    model = model_of("bert", len(MASKED))
    rows = [row(0, "u", "t", "the newt sleeps .", "the newt swims ."), *ROWS[:1]]
    copies: list[tuple[int, ...]] = []

    def note(module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Tensor]) -> None:
        copies.extend(map(tuple, keywords["input_ids"].tolist()))

    with model.register_forward_pre_hook(note, with_kwargs=True):
        state = MinimalPairAccuracy(rows, MASKED).state(model)
    assert len(copies) == len(set(copies))
    sentences = [
        MASKED(r[key])["input_ids"] for r in rows for key in ("sentence_good", "sentence_bad")
    ]
    masked = {
        (*ids[:t], MASKED.mask_token_id, *ids[t + 1 :])
        for ids in sentences
        for t in range(1, len(ids) - 1)
    }
    assert set(copies) == masked
    assert len(masked) < sum(len(ids) - 2 for ids in sentences[:3])
    special = {MASKED.cls_token_id, MASKED.sep_token_id}
    scores = [one_mask_at_a_time(model, ids, MASKED.mask_token_id, special) for ids in sentences]
    assert close(both(state), [scores[:2], scores[2:]])


def test_without_a_start_token_the_first_token_is_given() -> None:
    model = model_of("gpt2", len(BARE))
    good, bad = (BARE(ROWS[0][key])["input_ids"] for key in ("sentence_good", "sentence_bad"))
    state = MinimalPairAccuracy(ROWS[:1], BARE).state(model)
    assert close(both(state), [[one_token_at_a_time(model, ids) for ids in (good, bad)]])
    state = MinimalPairAccuracy(ROWS[:1], BARE, add_start=True).state(model)
    starting = ([BARE.bos_token_id, *ids] for ids in (good, bad))
    assert close(both(state), [[one_token_at_a_time(model, ids) for ids in starting]])


def test_no_second_start_token_is_added() -> None:
    for name in ("vanilla", "bert"):
        tokenizer, model = tokenizer_of(name), model_of(name, len(tokenizer_of(name)))
        plain = MinimalPairAccuracy(ROWS, tokenizer).state(model)
        started = MinimalPairAccuracy(ROWS, tokenizer, add_start=True).state(model)
        assert both(started) == both(plain)


def test_a_start_token_is_seen_but_not_scored_by_a_masked_model() -> None:
    tokenizer = copy.deepcopy(BARE)
    tokenizer.mask_token = "<pad>"
    model = model_of("bert", len(tokenizer))
    ids = [tokenizer.bos_token_id, *tokenizer(TEXTS[0])["input_ids"]]
    state = MinimalPairAccuracy(ROWS[:1], tokenizer, add_start=True).state(model)
    start = {tokenizer.bos_token_id}
    score = one_mask_at_a_time(model, ids, tokenizer.mask_token_id, start)
    assert close(state["good"].tolist(), [score])


def test_an_end_token_is_scored_by_a_causal_model() -> None:
    words = {word for text in TEXTS for word in text.split()}
    ending = word_level_tokenizer(words, append_end=True)
    model = model_of("llama", len(ending))
    state = MinimalPairAccuracy(ROWS[:1], ending).state(model)
    sentences = (ending(text)["input_ids"] for text in TEXTS[:2])
    assert close(both(state), [[one_token_at_a_time(model, ids) for ids in sentences]])


@pytest.mark.parametrize("name", ["vanilla", "bert"])
def test_per_token_divides_by_the_number_of_scored_tokens(name: str) -> None:
    tokenizer, model = tokenizer_of(name), model_of(name, len(tokenizer_of(name)))
    summed = both(MinimalPairAccuracy(ROWS, tokenizer).state(model))
    divided = both(MinimalPairAccuracy(ROWS, tokenizer, per_token=True).state(model))
    around = 1 if name in CAUSAL else 2
    for pair, sums, means in zip(ROWS, summed, divided, strict=True):
        for key, total, mean in zip(("sentence_good", "sentence_bad"), sums, means, strict=True):
            scored = len(tokenizer(pair[key])["input_ids"]) - around
            assert mean == pytest.approx(total / scored)


def test_the_padding_side_and_the_order_of_rows_do_not_show() -> None:
    model = model_of("bert", len(MASKED))
    left = copy.deepcopy(MASKED)
    left.padding_side = "left"
    left.truncation_side = "left"
    backwards = MinimalPairAccuracy(ROWS[::-1], left).state(model)
    assert close(both(backwards)[::-1], both(MinimalPairAccuracy(ROWS, MASKED).state(model)))


def test_a_model_in_low_precision_is_scored_in_single() -> None:
    model = model_of("bert", len(MASKED)).to(torch.bfloat16)
    state = MinimalPairAccuracy(ROWS, MASKED).state(model)
    assert torch.allclose(
        torch.tensor(both(state)), torch.tensor(expected(model, "bert")), rtol=0.03, atol=0
    )


def test_log_probabilities_are_taken_in_single_precision() -> None:
    logits = (5 * torch.randn(3, 2, 40)).bfloat16()
    found = precision.log_softmax(logits)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), log_softmax(logits), atol=1e-5)


def test_logits_at_given_positions() -> None:
    ids = torch.randint(5, 40, (3, 6))
    positions = torch.tensor([[0, 5], [2, 2], [4, 1]])
    for name in ARCHITECTURES:
        model = model_of(name)
        with torch.no_grad():
            everywhere = model(ids).logits
            found = logits_at(model, ids, positions)
        wanted = torch.stack([everywhere[row, positions[row]] for row in range(3)])
        assert torch.allclose(found, wanted, atol=1e-5)


def test_a_failing_model_keeps_no_hook() -> None:
    model = model_of("bert", len(MASKED))

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with model.cls.register_forward_pre_hook(fail), pytest.raises(ZeroDivisionError):
        MinimalPairAccuracy(ROWS, MASKED).state(model)
    assert not model.base_model._forward_hooks
