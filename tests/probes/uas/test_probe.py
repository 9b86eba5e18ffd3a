"""Attention UAS against loops over the definition, on every stock architecture."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model, PreTrainedModel

from hf_grok.errors import UserError
from hf_grok.metrics import metric_of
from hf_grok.probes.base import add_states
from hf_grok.probes.uas.probe import AttentionUAS
from tests.probes.matrix import ARCHITECTURES, BIDIRECTIONAL, CAUSAL, HEADS, LAYERS, model_of
from tests.probes.uas.material import (
    byte_level,
    metaspace,
    oracle_numbers,
    prepended,
    rows_of,
    search,
    word_level,
    word_maps,
    wordpiece,
)

ROWS = rows_of(26, longest=7)
TOKENIZERS: dict[str, Callable[[], Any]] = {
    "word_level": word_level,
    "wordpiece": wordpiece,
    "byte_level": lambda: byte_level(prefix=False),
    "metaspace": metaspace,
    "prepended": prepended,
}


def agree(numbers: dict[str, float], expected: dict[str, float]) -> None:
    assert numbers.keys() == expected.keys()
    for name, value in expected.items():
        assert numbers[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize("selection", ["split_half", "same"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["word_level", "wordpiece"])
def test_numbers_are_those_of_loops(architecture: str, kind: str, selection: str) -> None:
    tokenizer, model = TOKENIZERS[kind](), model_of(architecture)
    causal = architecture in CAUSAL
    options = {"selection": selection, "minimum_count": 5}
    expected = oracle_numbers(
        search(model, tokenizer, ROWS, causal=causal), causal=causal, **options
    )
    agree(AttentionUAS(ROWS, tokenizer, **options).measure(model), expected)
    assert len([name for name in expected if name.startswith("uas_relation_")]) >= 4


@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("kind", ["byte_level", "metaspace", "prepended"])
def test_with_and_without_a_start_token(kind: str, start: bool) -> None:
    tokenizer, model = TOKENIZERS[kind](), model_of("gpt2", 60)
    searched = search(model, tokenizer, ROWS, causal=True, start=start)
    assert bool(searched.left_out) == (kind == "byte_level" and not start)
    options = {"selection": "split_half", "minimum_count": 3}
    probe = AttentionUAS(ROWS, tokenizer, add_start=start, **options)
    agree(probe.measure(model), oracle_numbers(searched, causal=True, **options))


@pytest.mark.parametrize("architecture", ["gpt2", "modernbert"])
def test_states_of_any_split_add_up(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    probe, model = AttentionUAS(ROWS, wordpiece(), minimum_count=3), model_of(architecture)
    whole = probe.state(model)
    monkeypatch.setattr("hf_grok.attention.maps.token_budget", lambda device: 20)
    everything = range(len(probe))
    for parts in (
        [everything[rank::3] for rank in range(3)],
        [everything[:1], everything[1:1], everything[1:]],
        [everything[:-3], *([n] for n in everything[:-4:-1])],
    ):
        total = add_states(probe.state(model, part) for part in parts)
        assert total.keys() == whole.keys()
        for name, sums in whole.items():
            exact = name not in ("mass", "maps")
            torch.testing.assert_close(total[name], sums, rtol=0, atol=0 if exact else 1e-6)


def test_a_part_is_the_probe_on_that_part() -> None:
    part, model = [0, 3, 4, 7, 9, 10, 12], model_of("bert")
    rows = [row for row in ROWS if len(row["words"]) > 1]
    options: dict[str, Any] = {"selection": "same", "minimum_count": 1}
    whole, alone = (
        AttentionUAS(some, word_level(), **options) for some in (rows, [rows[n] for n in part])
    )
    some, every = whole.compute(whole.state(model, part)), alone.measure(model)
    for name in every.keys() - {"uas_atypical", "uas_atypical_offset"}:
        assert some[name] == pytest.approx(every[name], abs=1e-6), name


@pytest.mark.parametrize("architecture", ["llama", "bert"])
def test_no_sentence_gives_zeros(architecture: str) -> None:
    probe, model = AttentionUAS(ROWS, word_level()), model_of(architecture)
    whole, none = probe.state(model), probe.state(model, [])
    assert {name: sums.shape for name, sums in none.items()} == {
        name: sums.shape for name, sums in whole.items()
    }
    assert not any(sums.any() for sums in none.values())
    assert probe.compute(none) == {"uas_arcs": 0.0, "uas_left_out": 0.0}
    assert probe.picture(none) is None


def test_the_model_is_left_as_it_was() -> None:
    model, probe = model_of("llama"), AttentionUAS(ROWS, word_level())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    probe.measure(model)
    assert model.config._attn_implementation == "sdpa"
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_half_precision_is_summed_in_full() -> None:
    probe, model = AttentionUAS(ROWS, word_level()), model_of("bert").to(torch.bfloat16)
    state = probe.state(model)
    assert {state[name].dtype for name in ("hits", "mass", "arcs")} == {torch.float64}
    assert state["maps"].dtype == torch.float32


def chain(size: int, step: int) -> dict[str, Any]:
    """Every word's head stands `step` words on, the last one's (or first one's) is the root."""
    heads = [place + step + 1 for place in range(size)]
    heads = [head if 1 <= head <= size else 0 for head in heads]
    deprels = ["root" if head == 0 else "nmod" for head in heads]
    return {"words": ["the"] * size, "heads": heads, "deprels": deprels}


def looking_at(model: PreTrainedModel, targets: list[int]) -> PreTrainedModel:
    """Let the one head of the one layer attend from position p to targets[p], and nowhere else."""
    size = model.config.hidden_size
    position, query = torch.eye(size)[: len(targets)], torch.zeros(size, size)
    for place, target in enumerate(targets):
        query[target, place] = 1.0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(
                1.0 if "weight" in name and ("norm" in name.lower() or "ln_" in name) else 0.0
            )
        if isinstance(model, BertModel):
            model.embeddings.position_embeddings.weight[: len(targets)] = position
            attention = model.encoder.layer[0].attention.self
            attention.query.weight.copy_(100.0 * query)
            attention.key.weight.copy_(torch.eye(size))
        else:
            model.wpe.weight[: len(targets)] = position
            weight = model.h[0].attn.c_attn.weight
            weight[:, :size], weight[:, size : 2 * size] = 100.0 * query.T, torch.eye(size)
    return model.eval()


def one_head(causal: bool) -> PreTrainedModel:
    if causal:
        return GPT2Model(GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=1, n_positions=16))
    sizes = {"hidden_size": 16, "intermediate_size": 16, "max_position_embeddings": 16}
    return BertModel(BertConfig(vocab_size=20, num_hidden_layers=1, num_attention_heads=1, **sizes))


def test_a_head_that_attends_to_the_gold_head_scores_one() -> None:
    heads = [3, 1, 0, 5, 3, 4]
    row = {"words": ["the"] * 6, "heads": heads, "deprels": ["a", "b", "root", "c", "a", "b"]}
    model = looking_at(one_head(causal=False), [0, *heads])  # <s> in front; the root attends to it
    numbers = AttentionUAS([row, row], word_level(), minimum_count=1).measure(model)
    for name in (
        "best_head",
        "single_head_without_punct",
        "relation_a",
        "relation_b",
        "relation_c",
    ):
        assert numbers[f"uas_{name}"] == 1.0
    assert numbers["uas_attention_mass"] == 1.0
    assert numbers["uas_single_head"] == 5 / 6


def test_a_head_that_attends_to_the_next_word_is_the_offset_of_one() -> None:
    # Of one length, so that the last word can look at <s>: there is no next one.
    others = [row for row in rows_of(60, longest=6) if len(row["words"]) == 6]
    model = looking_at(one_head(causal=False), [0, 2, 3, 4, 5, 6, 0])
    for rows in ([chain(6, 1), chain(6, 1)], [chain(6, 1), chain(6, 1), *others[:6]]):
        numbers = AttentionUAS(rows, word_level(), selection="same").measure(model)
        assert numbers["uas_single_head"] == numbers["uas_single_offset"]
        assert numbers["uas_single_head"] == numbers["uas_offset_+1"] > 0.3


def test_a_causal_head_that_attends_to_the_previous_word_is_the_distance_of_one() -> None:
    rows = [chain(6, 1), chain(5, -1), chain(6, 1), chain(4, -1), *rows_of(4, longest=6)]
    model = looking_at(one_head(causal=True), [0, 0, 1, 2, 3, 4, 5])
    numbers = AttentionUAS(rows, word_level(), selection="same").measure(model)
    assert numbers["uas_single_head"] == numbers["uas_offset_1"] == numbers["uas_single_offset"]
    assert numbers["uas_single_head"] > 0.5
    assert "uas_offset_+1" not in numbers


def test_a_relation_needs_enough_arcs_to_count() -> None:
    model = model_of("bert")
    few, many = (
        AttentionUAS(ROWS, word_level(), minimum_count=count).measure(model) for count in (1, 500)
    )
    assert "uas_best_head" in few
    assert "uas_relation_nmod:poss" in few
    left = {"single_head", "single_offset", "arcs", "left_out"}
    left |= {"single_head_without_punct", "single_offset_without_punct"}
    left |= {f"offset_{offset:+d}" for offset in (-3, -2, -1, 1, 2, 3)}
    assert many.keys() == {f"uas_{name}" for name in left}


def test_a_relation_needs_an_arc_to_select_on() -> None:
    late = {**chain(4, 1), "deprels": ["obj", "obj", "obj", "root"]}
    rows, model = [chain(4, 1), late, chain(4, -1), late, late, chain(4, 1)], model_of("bert")
    numbers = AttentionUAS(rows[:4], word_level(), minimum_count=1).measure(model)
    assert "uas_relation_obj" not in numbers
    numbers = AttentionUAS(rows, word_level(), minimum_count=1).measure(model)
    assert "uas_relation_obj" in numbers


def test_relations_asked_for_are_the_ones_averaged() -> None:
    model, options = model_of("bert"), {"minimum_count": 1}
    asked = AttentionUAS(ROWS, word_level(), relations=["det"], **options).measure(model)
    every = AttentionUAS(ROWS, word_level(), **options).measure(model)
    assert asked["uas_best_head"] == asked["uas_relation_det"] == every["uas_relation_det"]
    assert asked["uas_single_head"] == every["uas_single_head"]
    assert "uas_relation_nsubj" not in asked


@pytest.mark.parametrize("architecture", ["gpt2", "bert"])
def test_the_picture_holds_the_maps_of_the_best_heads(architecture: str) -> None:
    rows, model, tokenizer = rows_of(40, longest=7, seed=1), model_of(architecture), wordpiece()
    probe = AttentionUAS(rows, tokenizer, minimum_count=2, picture_sentences=2)
    parts = [probe.state(model, range(len(probe))[rank::2]) for rank in range(2)]
    picture = probe.picture(add_states(parts))
    assert picture is not None
    assert json.loads(json.dumps(picture)) == picture
    assert len(picture["sentences"]) == 2
    numbers = probe.compute(add_states(parts))
    for relation, best in picture["best_heads"].items():
        assert best["uas"] == numbers[f"uas_relation_{relation}"]
        assert best["direction"] in (
            ["later"] if architecture in CAUSAL else ["dep->head", "head->dep"]
        )
    for sentence in picture["sentences"]:
        assert sentence["maps"].keys() == set(picture["best_heads"]) & set(sentence["deprels"])
        expected = word_maps(model, tokenizer, sentence["words"], False)
        for relation, drawn in sentence["maps"].items():
            best = picture["best_heads"][relation]
            own = torch.tensor(expected[best["layer"], best["head"]])
            torch.testing.assert_close(torch.tensor(drawn).double(), own, atol=1e-4, rtol=0)


def test_every_number_is_described() -> None:
    for architecture in ("gpt2", "bert"):
        probe = AttentionUAS(ROWS, word_level(), minimum_count=1)
        for name, value in probe.measure(model_of(architecture)).items():
            facts = metric_of(probe.metrics, name)
            assert facts is not None, name
            assert facts.lowest is None or value >= facts.lowest
            assert facts.highest is None or value <= facts.highest
            assert type(value) is float


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selection": "half"}, r"unknown selection 'half': expected one of same, split_half"),
        ({"minimum_count": 0}, "minimum_count=0: expected 1 arc or more"),
        ({"picture_sentences": -1}, "picture_sentences=-1"),
        ({"relations": ["subj"]}, r"unknown relation 'subj': .*Did you mean 'nsubj'"),
    ],
)
def test_an_option_that_does_not_exist(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        AttentionUAS(ROWS, word_level(), **options)


def test_data_without_arcs_are_refused() -> None:
    one = {"words": ["the"], "heads": [0], "deprels": ["root"]}
    roots = {"words": ["the", "."], "heads": [0, 0], "deprels": ["root", "root"]}
    for rows in ([one, one], [roots, roots]):
        with pytest.raises(UserError, match="no sentence has two words with an arc"):
            AttentionUAS(rows, word_level())
    with pytest.raises(UserError, match='selection="same"'):
        AttentionUAS([one, chain(3, 1)], word_level())
    assert len(AttentionUAS([one, chain(3, 1)], word_level(), selection="same")) == 1


def test_an_unknown_word_is_named_with_its_row() -> None:
    one = {"words": ["the"], "heads": [0], "deprels": ["root"]}
    wug = {**chain(3, 1), "words": ["the", "wug", "."]}
    with pytest.raises(UserError, match="sentence 2: the tokenizer does not know word 2, 'wug'"):
        AttentionUAS([one, chain(3, 1), wug], word_level())
    AttentionUAS([one, chain(3, 1), wug], word_level(), allow_unknown=True)


def test_a_model_that_does_not_fit_is_refused() -> None:
    probe = AttentionUAS([chain(70, 1), chain(3, 1)], word_level())
    with pytest.raises(UserError, match="71 tokens and the model only 64 positions"):
        probe.state(model_of("bert"))
    with pytest.raises(RuntimeError, match="training mode"):
        probe.state(model_of("bert").train())


def test_shapes_of_the_state() -> None:
    probe = AttentionUAS(ROWS, word_level())
    relations = 4
    for architecture in ARCHITECTURES:
        directions = 1 if architecture in CAUSAL else 2
        state = probe.state(model_of(architecture))
        assert state["hits"].shape == (2, 2, relations, LAYERS, HEADS, directions)
        assert state["mass"].shape == state["hits"].shape
        assert state["offset_hits"].shape == (
            2,
            2,
            relations,
            6 if architecture in BIDIRECTIONAL else 3,
        )
        assert float(state["arcs"].sum() + state["roots"].sum()) == sum(
            len(row["words"]) for row in ROWS if len(row["words"]) > 1
        )
