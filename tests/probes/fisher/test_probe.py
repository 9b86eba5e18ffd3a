from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.metrics import metric_of
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import EmpiricalFisher, add_states
from hf_grok.probes.fisher.gradients import NotBatchableError, batched, one_by_one
from hf_grok.probes.fisher.labels import sampled_labels
from hf_grok.probes.inputs.predictions import Predictions
from tests.annotation.word_material import TEXTS, WORDS, masking_tokenizer
from tests.probes.matrix import ARCHITECTURES, BIDIRECTIONAL, CAUSAL, model_of

TOKENIZER = masking_tokenizer()
MASK = TOKENIZER.mask_token_id
LENGTHS = (14, 3, 6, 9, 2)


def predictions_for(name: str, *, length: int = 14, seed: int = 0) -> Predictions:
    """Random sentences (token 0, some models' padding, among them), and what is predicted."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([min(length, number) for number in LENGTHS])
    ids = torch.randint(0, 40, (len(LENGTHS), length), generator=generator)
    place = torch.arange(length).repeat(len(LENGTHS), 1) + (name in CAUSAL)
    hidden = torch.rand(place.shape, generator=generator) < 0.4
    place = torch.where((place < lengths[:, None]) & (hidden | (name in CAUSAL)), place, -1)
    gold = torch.where(place >= 0, ids.gather(1, place.clamp(min=0)), -100)
    seen = ids if name in CAUSAL else ids.masked_fill(place >= 0, MASK)
    return Predictions(seen, lengths, place, gold, causal=name in CAUSAL)


def squared_norms_by_hand(model: nn.Module, given: Predictions, labels: Tensor) -> list[float]:
    """From the formula: each sentence alone, without padding, its gradient, the sum of squares."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    norms = []
    for ids, length, targets in zip(given.ids, given.lengths.tolist(), labels, strict=True):
        options = {"use_cache": False} if given.causal else {}
        logits = model(input_ids=ids[None, :length], **options).logits[0]
        likelihood = sum(
            (
                logits[position].log_softmax(-1)[label]
                for position, label in enumerate(targets[:length].tolist())
                if label >= 0
            ),
            start=0 * logits.sum(),
        )
        gradients = torch.autograd.grad(likelihood, parameters, allow_unused=True)
        norms.append(sum(g.double().square().sum().item() for g in gradients if g is not None))
    return norms


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_equals_the_formula(name: str, implementation: str) -> None:
    model, given = model_of(name), predictions_for(name)
    model.set_attn_implementation(implementation)
    expected = squared_norms_by_hand(model, given, given.gold)
    assert one_by_one(model, given, given.gold).tolist() == pytest.approx(expected, rel=1e-5)
    norms, labels = batched(model, given, lambda logits: given.gold)
    assert norms.tolist() == pytest.approx(expected, rel=1e-5)
    assert labels is given.gold
    assert norms.dtype == torch.float64


@pytest.mark.parametrize("length", [2, 5, 40])
def test_short_and_long_sentences(length: int) -> None:
    # Long ones form the matrix of a layer, short ones the inner products of its factors.
    given = predictions_for("gpt2", length=length)
    model = model_of("gpt2")
    expected = squared_norms_by_hand(model, given, given.gold)
    norms, _ = batched(model, given, lambda logits: given.gold)
    assert norms.tolist() == pytest.approx(expected, rel=1e-5)


def share_layers(model: PreTrainedModel) -> None:
    model.transformer.h[1] = model.transformer.h[0]


def tie_two_linears(model: PreTrainedModel) -> None:
    first, second = model.transformer.h[0].mlp.c_fc, model.transformer.h[1].mlp.c_fc
    second.weight, second.bias = first.weight, first.bias


def freeze_some(model: PreTrainedModel) -> None:
    model.transformer.wpe.requires_grad_(False)
    model.transformer.h[0].ln_1.bias.requires_grad_(False)
    model.transformer.h[1].attn.c_attn.weight.requires_grad_(False)


def freeze_all_but_one_bias(model: PreTrainedModel) -> None:
    model.requires_grad_(False)
    model.transformer.h[0].attn.c_attn.bias.requires_grad_(True)


def untie(model: PreTrainedModel) -> None:
    model.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().clone())


def begin_without_gradients(model: PreTrainedModel) -> None:
    """Each block is run on what it gave without gradients, as models with inner cycles are."""
    for block in model.transformer.h:
        run = block.forward

        def twice(states: Tensor, *rest: Any, run: Callable[..., Any] = run, **named: Any) -> Any:
            with torch.no_grad():
                first = run(states, *rest, **named)
            return run(states + (first[0] if isinstance(first, tuple) else first), *rest, **named)

        block.forward = twice


CHANGES = [share_layers, tie_two_linears, freeze_some, freeze_all_but_one_bias, untie]


@pytest.mark.parametrize("change", [*CHANGES, begin_without_gradients])
def test_shared_and_frozen_parameters(change: Callable[[PreTrainedModel], None]) -> None:
    model, given = model_of("gpt2"), predictions_for("gpt2")
    before, _ = batched(model, given, lambda logits: given.gold)
    change(model)
    expected = squared_norms_by_hand(model, given, given.gold)
    norms, _ = batched(model, given, lambda logits: given.gold)
    assert norms.tolist() == pytest.approx(expected, rel=1e-5)
    assert one_by_one(model, given, given.gold).tolist() == pytest.approx(expected, rel=1e-5)
    assert not torch.allclose(norms, before, rtol=1e-3)


class HeadOfEmbedding(nn.Module):
    """A head that borrows the embedding's weight without calling it."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.borrowed = [embedding]

    def forward(self, states: Tensor) -> Tensor:
        return nn.functional.linear(states, self.borrowed[0].weight)


class Scale(nn.Module):
    """A layer of no known kind."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.full((16,), 1.5))

    def forward(self, states: Tensor) -> Tensor:
        return states * self.factor


class FlatLinear(nn.Module):
    """A layer of a known kind that sees the tokens of all sentences in one row."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 16)

    def forward(self, states: Tensor) -> Tensor:
        return self.inner(states.flatten(0, 1)).view(states.shape)


def borrow(model: PreTrainedModel) -> None:
    model.lm_head = HeadOfEmbedding(model.transformer.wte)


def scale(model: PreTrainedModel) -> None:
    model.transformer.drop = Scale()


def flatten(model: PreTrainedModel) -> None:
    model.transformer.drop = FlatLinear()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (borrow, "uses a parameter outside the layer that owns it"),
        (scale, "Scale has parameters of its own"),
        (flatten, r"Linear was given, or gave, a tensor \(\d+, 16\)"),
    ],
)
def test_other_models_go_one_by_one_and_say_so(
    change: Callable[[PreTrainedModel], None], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of("gpt2")
    change(model)
    slow = EmpiricalFisher(TEXTS, TOKENIZER, method="one_by_one")
    auto = EmpiricalFisher(TEXTS, TOKENIZER)
    with caplog.at_level(logging.WARNING):
        numbers = auto.measure(model)
    assert auto.used == "one_by_one"
    assert len(caplog.records) == 1
    assert "one at a time" in caplog.text
    assert numbers == pytest.approx(slow.measure(model), rel=1e-6)
    with pytest.raises(NotBatchableError, match=reason):
        EmpiricalFisher(TEXTS, TOKENIZER, method="batched").measure(model)
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("labels", ["sampled", "gold"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_methods_agree_and_auto_is_batched(name: str, labels: str) -> None:
    model = model_of(name)
    numbers = {}
    for method in ("auto", "batched", "one_by_one"):
        probe = EmpiricalFisher(TEXTS, TOKENIZER, labels=labels, method=method)
        numbers[method] = probe.measure(model)
        assert probe.used == ("one_by_one" if method == "one_by_one" else "batched")
    assert numbers["auto"] == numbers["batched"] == pytest.approx(numbers["one_by_one"], rel=1e-5)
    assert all(metric_of(probe.metrics, key) for key in numbers["auto"])
    assert all(type(value) is float for value in numbers["auto"].values())


def test_gold_trace_of_a_causal_model_by_hand() -> None:
    model, total = model_of("llama"), 0.0
    for text in TEXTS:
        ids = torch.tensor([TOKENIZER(text)["input_ids"]])
        # The library's loss is a mean over the predicted tokens.
        loss = model(input_ids=ids, labels=ids).loss * (ids.shape[1] - 1)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        total += sum(gradient.double().square().sum().item() for gradient in gradients)
    numbers = EmpiricalFisher(TEXTS, TOKENIZER, labels="gold").measure(model)
    assert numbers == {"fisher_trace_gold": pytest.approx(total / len(TEXTS), rel=1e-5)}


def test_per_token_divides_by_the_predictions() -> None:
    numbers = EmpiricalFisher(TEXTS, TOKENIZER).measure(model_of("neox"))
    words = sum(len(text.split()) for text in TEXTS)
    expected = numbers["fisher_trace"] * len(TEXTS) / words
    assert numbers["fisher_trace_per_token"] == pytest.approx(expected)
    # Of a masked model one token in seven is predicted, and at least one of each sentence.
    state = EmpiricalFisher(TEXTS, TOKENIZER).state(model_of("bert"))
    hidden = sum(max(1, round(0.15 * len(text.split()))) for text in TEXTS)
    assert state["predictions"].item() == hidden


def test_expected_trace_of_a_sentence_is_the_sum_over_its_predictions() -> None:
    # The claim behind fisher_trace_per_token, with every pair of labels and its probability.
    model = model_of("gpt2", vocabulary=6)
    ids, lengths = torch.tensor([[3, 4, 5]]), torch.tensor([3])
    place = torch.tensor([[1, 2, -1]])
    given = Predictions(ids, lengths, place, place, causal=True)
    with torch.no_grad():
        first, second = model(input_ids=ids).logits[0, :2].double().softmax(-1)
    together = single = 0.0
    for one, other in product(range(6), repeat=2):
        share = (first[one] * second[other]).item()
        together += share * one_by_one(model, given, torch.tensor([[one, other, -100]])).item()
        single += share * one_by_one(model, given, torch.tensor([[one, -100, -100]])).item()
        single += share * one_by_one(model, given, torch.tensor([[-100, other, -100]])).item()
    assert together == pytest.approx(single, rel=1e-4)


def test_labels_are_drawn_from_the_models_distribution() -> None:
    logits = torch.randn(1, 3, 5) * 2
    logits[0, 1, 0] = -torch.inf
    place = torch.tensor([[1, 2, -1]])
    probabilities = logits[0].double().softmax(-1)
    counts = torch.zeros(3, 5)
    draws = 2000
    for step in range(draws):
        uniform = torch.full((1, 3), step / draws, dtype=torch.float64)
        labels = sampled_labels(logits, place, uniform)[0]
        assert labels[2] == -100
        counts[[0, 1], labels[:2]] += 1
    assert torch.allclose(counts[:2] / draws, probabilities[:2].float(), atol=1.5 / draws)
    assert counts[1, 0] == 0  # what has no probability is never drawn, not even by 0.0


def test_each_label_is_drawn_by_the_number_of_its_token() -> None:
    logits = torch.zeros(1, 3, 4)
    place = torch.tensor([[2, -1, 0]])
    uniform = torch.tensor([[0.3, 0.6, 0.9, 0.1]], dtype=torch.float64)
    assert sampled_labels(logits, place, uniform).tolist() == [[3, -100, 1]]
    # The largest number there is can be rounded up to the whole: never a token beyond the last.
    logits, place = torch.randn(1, 300, 5), torch.arange(300)[None]
    nearly_one = torch.full((1, 300), 1 - 2**-53, dtype=torch.float64)
    assert sampled_labels(logits, place, nearly_one).unique().tolist() == [4]


def test_seed_and_sentence_alone_make_the_draw() -> None:
    model = model_of("vanilla")
    whole = EmpiricalFisher(TEXTS, TOKENIZER).state(model)
    assert whole == EmpiricalFisher(TEXTS, TOKENIZER).state(model)
    other = EmpiricalFisher(TEXTS, TOKENIZER, seed=1).state(model)
    assert other["squared_norm"] != whole["squared_norm"]
    first = EmpiricalFisher(TEXTS, TOKENIZER).state(model, range(4))
    cut = EmpiricalFisher(TEXTS, TOKENIZER, max_examples=4)
    assert len(cut) == 4
    assert cut.measure(model) == pytest.approx(cut.compute(first))


@pytest.mark.parametrize("method", ["batched", "one_by_one"])
@pytest.mark.parametrize("name", ["gpt2", "modernbert"])
def test_split_and_batches_do_not_show(
    name: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, probe = model_of(name), EmpiricalFisher(TEXTS, TOKENIZER, method=method)
    whole = probe.state(model)
    for budget, world in ((4, 1), (120, 1), (120, 3), (8192, 15)):
        monkeypatch.setitem(TOKEN_BUDGET, "cpu", budget)
        states = [probe.state(model, range(len(probe))[rank::world]) for rank in range(world)]
        summed = add_states(states)
        for key in whole:
            assert summed[key].item() == pytest.approx(whole[key].item(), rel=1e-6)
    nothing = probe.state(model, [])
    assert nothing.keys() == whole.keys()
    assert not any(nothing.values())
    assert probe.compute(nothing) == {}
    assert probe.used is None


def test_sentences_of_one_token_have_no_prediction() -> None:
    alone = word_level_tokenizer(WORDS)
    alone.backend_tokenizer.post_processor = None
    probe = EmpiricalFisher(["ape", "ape bear cat", "bear"], alone)
    state = probe.state(model_of("gpt2"))
    assert (state["sentences"], state["predictions"]) == (1, 2)
    only = EmpiricalFisher(["ape", "bear"], alone)
    assert only.measure(model_of("gpt2")) == {}


@pytest.mark.parametrize("method", ["batched", "one_by_one"])
def test_nothing_is_left_behind(method: str) -> None:
    model = model_of("bert").train()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 0.25)
    before = {name: values.clone() for name, values in model.state_dict().items()}
    random = torch.get_rng_state()
    with watching(model):
        EmpiricalFisher(TEXTS, TOKENIZER, method=method).measure(model)
    model.eval()
    EmpiricalFisher(TEXTS, TOKENIZER, method=method).measure(model)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)
    assert all((p.grad == 0.25).all() and p.requires_grad for p in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("name", ["gpt2", "llama", "bert"])
def test_low_precision_is_still_batched(name: str) -> None:
    probe = EmpiricalFisher(TEXTS, TOKENIZER, labels="gold", method="batched")
    expected = probe.measure(model_of(name))["fisher_trace_gold"]
    low = probe.measure(model_of(name).bfloat16())["fisher_trace_gold"]
    assert low == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("method", ["auto", "one_by_one"])
@pytest.mark.parametrize("labels", ["sampled", "gold"])
@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_a_diverged_model_is_refused(name: str, labels: str, method: str) -> None:
    model = model_of(name)
    model.get_parameter(next(iter(dict(model.named_parameters())))).data.fill_(torch.nan)
    probe = EmpiricalFisher(TEXTS, TOKENIZER, labels=labels, method=method)
    with pytest.raises(UserError, match="has training diverged"):
        probe.measure(model)
    assert not any(module._forward_hooks for module in model.modules())


def test_bad_input() -> None:
    for options, message in (
        ({"labels": "golden"}, "unknown labels 'golden'.*Did you mean 'gold'"),
        ({"method": "fast"}, "unknown method 'fast'"),
        ({"max_examples": 0}, "max_examples is 0"),
    ):
        with pytest.raises(UserError, match=message):
            EmpiricalFisher(TEXTS, TOKENIZER, **options)
    with pytest.raises(UserError, match="does not know word 1"):
        EmpiricalFisher(["whale"], TOKENIZER)
    probe = EmpiricalFisher(TEXTS, TOKENIZER)
    with pytest.raises(RuntimeError, match="training mode"):
        probe.measure(model_of("gpt2").train())
    with pytest.raises(UserError, match="every parameter of GPT2LMHeadModel is frozen"):
        probe.measure(model_of("gpt2").requires_grad_(False))
    with pytest.raises(UserError, match="gives no logits"):
        probe.measure(model_of("gpt2").transformer)
    with pytest.raises(UserError, match="vocabulary ends at 9"):
        probe.measure(model_of("llama", 10))
    for name in BIDIRECTIONAL:
        with pytest.raises(UserError, match="has no mask token"):
            EmpiricalFisher(TEXTS, word_level_tokenizer(WORDS)).measure(model_of(name))
