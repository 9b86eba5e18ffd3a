"""Minimal pairs: numbers against counts by hand, what is given out, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from hf_grok.errors import UserError
from hf_grok.metrics import metric_of
from hf_grok.probes.base import Probe, State
from hf_grok.probes.pairs.probe import MinimalPairAccuracy, preferred, shares_by_group
from hf_grok.probes.registry import build_probe
from tests.probes.matrix import SIZES, model_of
from tests.probes.pairs.material import (
    BARE,
    MASKED,
    ROWS,
    STARTING,
    both,
    close,
    row,
    tokenizer_of,
)


@pytest.mark.parametrize("name", ["vanilla", "bert"])
def test_no_index_gives_zeros_and_no_numbers(name: str) -> None:
    model = model_of(name, len(tokenizer_of(name)))
    probe = MinimalPairAccuracy(ROWS, tokenizer_of(name))
    nothing = probe.state(model, [])
    whole = probe.state(model)
    assert {key: values.shape for key, values in nothing.items()} == {
        key: values.shape for key, values in whole.items()
    }
    assert all(not values.any() for values in nothing.values())
    assert probe.compute(nothing) == {}
    assert probe.scores(nothing) == []


def test_a_pair_scored_twice_counts_once() -> None:
    model = model_of("bert", len(MASKED))
    probe = MinimalPairAccuracy(ROWS, MASKED)
    twice = probe.state(model, [*range(len(ROWS)), 0, 0, 3])
    assert probe.compute(twice) == probe.compute(probe.state(model))
    once = probe.scores(probe.state(model))
    assert close([r["score_good"] for r in probe.scores(twice)], [r["score_good"] for r in once])


def state_of(scores: list[tuple[float, float]], seen: list[float] | None = None) -> State:
    good, bad = torch.tensor(scores, dtype=torch.float64).unbind(-1)
    times = torch.ones_like(good) if seen is None else torch.tensor(seen, dtype=torch.float64)
    return {"good": good, "bad": bad, "seen": times}


def test_numbers_of_known_scores() -> None:
    probe = MinimalPairAccuracy(ROWS, STARTING)
    right, wrong, tie = (-1.0, -2.0), (-2.0, -1.0), (-1.0, -1.0)
    state = state_of([right, right, wrong, right, tie, wrong, wrong, tie])
    numbers = probe.compute(state)
    assert numbers == {
        "pairs_accuracy": pytest.approx((2 / 3 + 1 / 2 + 0) / 3),
        "pairs_ties": 2 / 8,
        "pairs_phenomenon_agreement": pytest.approx((2 / 3 + 1 / 2) / 2),
        "pairs_phenomenon_word_order": 0.0,
        "pairs_bare": pytest.approx(2 / 3),
        "pairs_across_rc": 0.5,
        "pairs_order": 0.0,
    }
    assert all(type(value) is float for value in numbers.values())
    assert all(metric_of(probe.metrics, name) is not None for name in numbers)
    facts = metric_of(probe.metrics, "pairs_phenomenon_agreement")
    assert facts is not None
    assert "phenomenon" in facts.meaning


def test_a_paradigm_without_a_scored_pair_is_left_out() -> None:
    probe = MinimalPairAccuracy(ROWS, STARTING)
    seen = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    zero = (0.0, 0.0)
    numbers = probe.compute(
        state_of([zero, (-1.0, -2.0), zero, zero, zero, zero, zero, zero], seen)
    )
    assert numbers == {
        "pairs_accuracy": 0.5,
        "pairs_ties": 0.5,
        "pairs_phenomenon_agreement": 1.0,
        "pairs_phenomenon_word_order": 0.0,
        "pairs_bare": 1.0,
        "pairs_order": 0.0,
    }


def test_pure_functions() -> None:
    good, bad = torch.tensor([[-1.0, -2.0, -1.0], [-2.0, -1.0, -1.0]], dtype=torch.float64)
    right, tied = preferred(good, bad)
    assert right.tolist() == [True, False, False]
    assert tied.tolist() == [False, False, True]
    shares = shares_by_group(right, torch.tensor([1, 1, 3]), 4)
    assert shares.nan_to_num(-1.0).tolist() == [-1.0, 0.5, -1.0, 0.0]


def test_both_scores_of_every_pair_are_given_out() -> None:
    model = model_of("bert", len(MASKED))
    probe = MinimalPairAccuracy(ROWS, MASKED)
    state = probe.state(model, [1, 5])
    table = probe.scores(state)
    assert [line["pair"] for line in table] == [1, 5]
    assert table[1] == {
        "pair": 5,
        "sentence_good": "my newt swims",
        "sentence_bad": "swims my newt that newts the sleep swim",
        "UID": "order",
        "linguistics_term": "word_order",
        "pairID": "0",
        "score_good": state["good"][5].item(),
        "score_bad": state["bad"][5].item(),
        "right": state["good"][5].item() > state["bad"][5].item(),
    }


def test_sentences_of_the_same_tokens_tie_exactly_whatever_stands_between() -> None:
    rows = [
        row(0, "u", "t", "the newt sleeps .", "the   newt sleeps ."),
        row(1, "u", "t", "the axolotl sleeps .", "the okapi sleeps ."),
        *ROWS,
    ]
    for name in ("vanilla", "bert"):
        probe = MinimalPairAccuracy(rows, tokenizer_of(name), allow_unknown=True)
        state = probe.state(model_of(name, len(tokenizer_of(name))))
        assert both(state)[0][0] == both(state)[0][1]
        assert both(state)[1][0] == both(state)[1][1]
        assert probe.compute(state)["pairs_u"] == 0.0


@pytest.mark.parametrize("name", ["gpt2", "modernbert"])
def test_nothing_is_left_behind(name: str) -> None:
    model = model_of(name, len(tokenizer_of(name)))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    state = MinimalPairAccuracy(ROWS, tokenizer_of(name)).state(model)
    assert not any(values.requires_grad for values in state.values())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_built_by_name() -> None:
    probe: Probe = build_probe("pairs", ROWS, MASKED, per_token=True)
    assert isinstance(probe, MinimalPairAccuracy)
    assert len(probe) == len(ROWS)


def test_rows_without_phenomena_and_numbers() -> None:
    names = ("sentence_good", "sentence_bad", "UID")
    bare = [{name: pair[name] for name in names} for pair in ROWS]
    probe = MinimalPairAccuracy(bare, STARTING)
    numbers = probe.compute(probe.state(model_of("vanilla", len(STARTING))))
    assert set(numbers) == {
        "pairs_accuracy",
        "pairs_ties",
        "pairs_bare",
        "pairs_across_rc",
        "pairs_order",
    }


def changed(**changes: Any) -> list[dict[str, Any]]:
    return [{**ROWS[0], **changes}, *ROWS[1:]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are no minimal pairs"),
        ([{"sentence_good": "a", "UID": "u"}], "row 0 has no column 'sentence_bad'"),
        ([ROWS[0], {"UID": "bare"}], "row 1 has no column"),
        (changed(sentence_bad=""), r"pair 0 \(bare, pairID 0\): sentence_bad is '': expected a"),
        (changed(sentence_good=None), "sentence_good is None: expected a sentence"),
        (changed(UID="accuracy"), "a paradigm is called 'accuracy', as another number is"),
        (changed(UID="phenomenon_x"), "does not start with 'phenomenon_'"),
        (changed(linguistics_term="order"), "row 1: linguistics_term 'agreement' of paradigm"),
        (
            changed(sentence_bad="the axolotl sleeps ."),
            r"pair 0 \(bare, pairID 0\): the tokenizer does not know 'axolotl' in 'the axolotl",
        ),
    ],
)
def test_bad_rows_are_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        MinimalPairAccuracy(rows, STARTING)


def test_bad_options_and_tokenizers_are_refused() -> None:
    with pytest.raises(UserError, match=r"unknown scoring 'causl': .* Did you mean 'causal'"):
        MinimalPairAccuracy(ROWS, STARTING, scoring="causl")
    startless = copy.deepcopy(BARE)
    startless.bos_token = None
    with pytest.raises(UserError, match="has no start token"):
        MinimalPairAccuracy(ROWS, startless, add_start=True)
    with pytest.raises(UserError, match="has no mask token"):
        MinimalPairAccuracy(ROWS, STARTING).state(model_of("bert", len(STARTING)))
    one_token = [row(0, "u", "t", "the", "the newt")]
    with pytest.raises(UserError, match=r"the sentence 'the' is a single token.*add_start=True"):
        MinimalPairAccuracy(one_token, BARE).state(model_of("gpt2", len(BARE)))
    state = MinimalPairAccuracy(one_token, BARE, add_start=True).state(model_of("gpt2", len(BARE)))
    assert state["good"].item() < 0


def not_a_language_model(kind: type[PreTrainedModel]) -> PreTrainedModel:
    labels = 2 * len(MASKED) if kind is BertForSequenceClassification else 2
    return kind(BertConfig(vocab_size=len(MASKED), num_labels=labels, **SIZES)).eval()


def test_bad_models_are_refused() -> None:
    probe = MinimalPairAccuracy(ROWS, MASKED)
    with pytest.raises(RuntimeError, match="training mode"):
        probe.state(model_of("bert", len(MASKED)).train())
    with pytest.raises(UserError, match="the model's vocabulary ends at 9"):
        probe.state(model_of("bert", 10))
    for kind in (BertModel, BertForSequenceClassification, BertForTokenClassification):
        with pytest.raises(UserError, match=f"{kind.__name__} returned logits of shape"):
            probe.state(not_a_language_model(kind))
    weightless = model_of("bert", len(MASKED))
    nn.init.constant_(weightless.cls.predictions.bias, float("nan"))
    with pytest.raises(UserError, match="sentences have the score NaN"):
        probe.state(weightless)


def test_a_scoring_that_the_attention_contradicts_is_refused() -> None:
    with pytest.raises(UserError, match="attention of BertForMaskedLM is not causal"):
        MinimalPairAccuracy(ROWS, MASKED, scoring="causal").state(model_of("bert", len(MASKED)))
    pseudo = MinimalPairAccuracy(ROWS, MASKED, scoring="pseudo_log_likelihood")
    with pytest.raises(UserError, match="attention of GPT2LMHeadModel is causal"):
        pseudo.state(model_of("gpt2", len(MASKED)))
    config = T5Config(vocab_size=len(MASKED), d_model=16, d_kv=4, d_ff=32, num_layers=1)
    with pytest.raises(UserError, match="T5ForConditionalGeneration is an encoder-decoder"):
        MinimalPairAccuracy(ROWS, MASKED).state(T5ForConditionalGeneration(config).eval())


def test_an_explicit_scoring_that_fits_is_taken() -> None:
    for name, scoring in (("gpt2", "causal"), ("bert", "pseudo_log_likelihood")):
        tokenizer, model = tokenizer_of(name), model_of(name, len(tokenizer_of(name)))
        told = MinimalPairAccuracy(ROWS, tokenizer, scoring=scoring).state(model)
        assert both(told) == both(MinimalPairAccuracy(ROWS, tokenizer).state(model))
