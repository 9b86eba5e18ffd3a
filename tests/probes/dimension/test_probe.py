from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from hf_grok.annotation.sentences import Sentence
from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.metrics import metric_of
from hf_grok.probes import IntrinsicDimension, add_states
from hf_grok.probes.dimension import two_nn as two_nn_module
from hf_grok.probes.dimension.two_nn import dimension_of_ratios, neighbour_ratios, two_nn
from tests.annotation.word_material import TEXTS, WORDS, masking_tokenizer
from tests.probes.matrix import ARCHITECTURES, CAUSAL, LAYERS, model_of

TOKENIZER = masking_tokenizer()
MANY = [f"{a} {b} {c}" for a in WORDS[:4] for b in WORDS[4:8] for c in WORDS[8:11]]


def distance(one: list[float], other: list[float], metric: str) -> float:
    if metric == "euclidean":
        return math.sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)))
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return 1 - product / (math.hypot(*one) * math.hypot(*other))


def ratios_by_loop(points: Tensor, metric: str) -> list[float]:
    rows = points.double().tolist()
    ratios = []
    for here, row in enumerate(rows):
        others = rows[:here] + rows[here + 1 :]
        first, second = sorted(distance(row, other, metric) for other in others)[:2]
        if 0 < first < second:
            ratios.append(second / first)
    return ratios


def dimension_by_loop(ratios: list[float], discard: float) -> float:
    above = below = 0.0
    for rank, ratio in enumerate(sorted(ratios), start=1):
        share = rank / len(ratios)
        if rank <= math.floor(round((1 - discard) * len(ratios), 6)) and share < 1:
            above += math.log(ratio) * -math.log(1 - share)
            below += math.log(ratio) ** 2
    return above / below


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("discard", [0.0, 0.1, 0.3])
def test_equals_the_double_loop(metric: str, discard: float) -> None:
    points = torch.randn(70, 4)
    ratios = ratios_by_loop(points, metric)
    assert neighbour_ratios(points, metric).tolist() == pytest.approx(ratios, rel=1e-8)
    expected = dimension_by_loop(ratios, discard)
    assert two_nn(points, metric, discard) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("dimension", [1, 2, 5, 10])
@pytest.mark.parametrize("shape", ["cube", "sphere"])
def test_recovers_the_dimension(dimension: int, shape: str) -> None:
    # Near the walls of a cube of many dimensions there are fewer neighbours: it seems flatter.
    if shape == "cube":
        points = torch.rand(2000, dimension, dtype=torch.double)
    else:
        points = torch.randn(2000, dimension + 1, dtype=torch.double)
        points = points / points.norm(dim=1, keepdim=True)
    turned = torch.linalg.qr(torch.randn(20, 20, dtype=torch.double)).Q[: points.shape[1]]
    estimate = two_nn(points @ turned, "euclidean")
    assert estimate == pytest.approx(dimension, rel=0.2 if dimension == 10 else 0.1)


def test_cosine_gives_half_of_euclidean_on_normalised_vectors() -> None:
    points = torch.randn(300, 6)
    unit = points.double() / points.double().norm(dim=1, keepdim=True)
    assert two_nn(points, "cosine") == pytest.approx(two_nn(unit, "euclidean") / 2, rel=1e-12)


def test_repeated_points_and_ties_are_left_out() -> None:
    points = torch.randn(40, 3)
    unit = points.double() / points.double().norm(dim=1, keepdim=True)
    twice = torch.cat([unit, unit[:5]])
    # A repeated point also ties for those whose nearest it is.
    kept = neighbour_ratios(twice, "euclidean")
    assert kept.tolist() == pytest.approx(ratios_by_loop(twice, "euclidean"))
    assert len(kept) < 35
    # Under "cosine" a multiple of a vector is the same point.
    multiples = torch.cat([points.double(), 3 * points[:5].double()])
    torch.testing.assert_close(neighbour_ratios(multiples, "cosine"), kept.square())
    square = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    assert len(neighbour_ratios(square, "euclidean")) == 0
    assert len(neighbour_ratios(torch.ones(30, 4), "euclidean")) == 0


def test_small_distances_far_from_the_origin_are_exact() -> None:
    # Squared distances of 1e-14 and less among squared norms of 1e6: a product would lose them.
    close = torch.randn(30, 5, dtype=torch.double) * 1e-8
    points = torch.cat([1000 + close, torch.randn(30, 5, dtype=torch.double)])
    expected = ratios_by_loop(points, "euclidean")
    assert neighbour_ratios(points, "euclidean").tolist() == pytest.approx(expected, rel=1e-12)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(50, 4)
    whole = neighbour_ratios(points)
    monkeypatch.setattr(two_nn_module, "BLOCK", 350)
    torch.testing.assert_close(neighbour_ratios(points), whole, rtol=1e-12, atol=0)


def test_the_share_cut_away_is_a_share_of_the_points_of_use() -> None:
    ratios = [1.5**step for step in range(1, 11)]
    shown = dimension_of_ratios(torch.tensor(ratios, dtype=torch.double), 0.3)
    x = [step * math.log(1.5) for step in range(1, 8)]
    y = [-math.log(1 - rank / 10) for rank in range(1, 8)]
    slope = sum(a * b for a, b in zip(x, y, strict=True)) / sum(a * a for a in x)
    assert shown == pytest.approx(slope)


def test_bad_points() -> None:
    points = torch.randn(30, 3)
    with pytest.raises(UserError, match=r"unknown metric 'cosin'.*Did you mean 'cosine'"):
        two_nn(points, "cosin")
    with pytest.raises(UserError, match="discard is 1"):
        two_nn(points, "cosine", 1.0)
    for count in (1, 2, 3, 9):
        with pytest.raises(UserError, match="at least 10"):
            two_nn(points[:count])
    points[4] = 0
    with pytest.raises(UserError, match="point 4 is the zero vector"):
        two_nn(points)
    assert two_nn(points, "euclidean") > 0
    points[7, 1] = math.nan
    with pytest.raises(UserError, match=r"point 7 .* not a number"):
        two_nn(points, "euclidean")


def vector_by_hand(name: str, text: str, layer: int, pooling: str) -> Tensor:
    model = model_of(name)
    ids = torch.tensor([TOKENIZER(text)["input_ids"]])
    with torch.no_grad():
        states = model(input_ids=ids, output_hidden_states=True).hidden_states[layer][0]
    return states[-1 if pooling == "last" else 0].double()


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("layer", [-1, 1])
def test_vectors_of_every_architecture(name: str, layer: int) -> None:
    probe = IntrinsicDimension(TEXTS, TOKENIZER, layer=layer)
    state = probe.state(model_of(name))
    pooling = "last" if name in CAUSAL else "first"
    for text, vector in zip(TEXTS, state["vectors"], strict=True):
        expected = vector_by_hand(name, text, layer, pooling)
        torch.testing.assert_close(vector, expected, rtol=1e-4, atol=1e-5)
    assert state["vectors"].dtype == torch.float64


@pytest.mark.parametrize(("name", "pooling"), [("bert", "last"), ("gpt2", "first")])
def test_pooling_can_be_asked_for(name: str, pooling: str) -> None:
    state = IntrinsicDimension(TEXTS, TOKENIZER, pooling=pooling).state(model_of(name))
    expected = vector_by_hand(name, TEXTS[1], -1, pooling)
    torch.testing.assert_close(state["vectors"][1], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("name", ["llama", "modernbert"])
def test_number_split_and_batches(name: str, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, probe = model_of(name), IntrinsicDimension(MANY, TOKENIZER, metric=metric)
    whole = probe.state(model)
    numbers = probe.compute(whole)
    expected = dimension_by_loop(ratios_by_loop(whole["vectors"], metric), 0.1)
    assert numbers[f"intrinsic_dimension_{metric}"] == pytest.approx(expected, rel=1e-6)
    assert set(numbers) == {f"intrinsic_dimension_{metric}", "intrinsic_dimension_points"}
    assert all(metric_of(probe.metrics, key) and type(numbers[key]) is float for key in numbers)
    monkeypatch.setitem(TOKEN_BUDGET, "cpu", 20)
    states = [probe.state(model, range(len(probe))[rank::5]) for rank in range(5)]
    summed = add_states(states)
    torch.testing.assert_close(summed["vectors"], whole["vectors"], rtol=1e-5, atol=1e-6)
    assert torch.equal(summed["filled"], whole["filled"])
    nothing = probe.state(model, [])
    assert not any(value.any() for value in nothing.values())
    assert {k: v.shape for k, v in nothing.items()} == {k: v.shape for k, v in whole.items()}
    assert probe.compute(nothing) == {"intrinsic_dimension_points": 0.0}


def test_a_sentence_that_comes_twice_is_taken_once() -> None:
    repeated = IntrinsicDimension([*TEXTS[:3], *TEXTS], TOKENIZER).measure(model_of("gpt2"))
    once = IntrinsicDimension(TEXTS, TOKENIZER).measure(model_of("gpt2"))
    assert repeated == pytest.approx(once, rel=1e-5)
    assert repeated["intrinsic_dimension_points"] == once["intrinsic_dimension_points"]
    few = IntrinsicDimension(TEXTS[:5], TOKENIZER).measure(model_of("gpt2"))
    assert few == {"intrinsic_dimension_points": 5.0}


def test_texts_rows_and_sentences_are_one() -> None:
    model = model_of("bert")
    rows = [{"words": text.split(), "text": text} for text in TEXTS]
    sentences = [Sentence(tuple(text.split())) for text in TEXTS]
    expected = IntrinsicDimension(TEXTS, TOKENIZER).state(model)["vectors"]
    for data, options in ((rows, {}), (rows, {"column": "text"}), (sentences, {})):
        state = IntrinsicDimension(data, TOKENIZER, **options).state(model)
        assert torch.equal(state["vectors"], expected)


def test_bad_input() -> None:
    with pytest.raises(UserError, match="no sentences"):
        IntrinsicDimension([], TOKENIZER)
    with pytest.raises(UserError, match="unknown pooling 'mean'"):
        IntrinsicDimension(TEXTS, TOKENIZER, pooling="mean")
    with pytest.raises(UserError, match="unknown metric 'angle'"):
        IntrinsicDimension(TEXTS, TOKENIZER, metric="angle")
    with pytest.raises(UserError, match="discard is -0"):
        IntrinsicDimension(TEXTS, TOKENIZER, discard=-0.5)
    with pytest.raises(UserError, match="no column 'words'"):
        IntrinsicDimension([{"text": "ape"}], TOKENIZER)
    for layer in (LAYERS + 1, -LAYERS - 2):
        with pytest.raises(UserError, match=f"layer {layer} of a model with 2 layers"):
            IntrinsicDimension(TEXTS, TOKENIZER, layer=layer).measure(model_of("gpt2"))
    probe = IntrinsicDimension(TEXTS, TOKENIZER)
    with pytest.raises(UserError, match="vocabulary ends at 9"):
        probe.measure(model_of("llama", 10))
    with pytest.raises(RuntimeError, match="training mode"):
        probe.measure(model_of("bert").train())
