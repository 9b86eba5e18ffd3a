"""What every probe of the registry owes: facts, sums, ranges, and no trace."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from hf_grok.measurement.guard import watching
from hf_grok.metrics import metric_of
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import Probe, add_states, build_probe, probe_class
from hf_grok.probes.registry import LOSSES, OURS, behaviour_names
from tests.probes.matrix import model_of
from tests.probes.tasks import test_dyck, test_question, test_tense

GRAMMAR = [
    (["the", "cat", "runs", "."], [2, 3, 0, 3], ["det", "nsubj", "root", "punct"]),
    (["the", "dog", "sees", "the", "cat", "."], [2, 3, 0, 5, 3, 3],
     ["det", "nsubj", "root", "det", "obj", "punct"]),
    (["a", "cat", "hears", "a", "dog", "."], [2, 3, 0, 5, 3, 3],
     ["det", "nsubj", "root", "det", "obj", "punct"]),
    (["the", "old", "dog", "runs", "."], [3, 3, 4, 0, 4],
     ["det", "amod", "nsubj", "root", "punct"]),
    (["cats", "run", "."], [2, 0, 2], ["nsubj", "root", "punct"]),
]  # fmt: skip
TAGS = {"det": "DET", "nsubj": "NOUN", "obj": "NOUN", "root": "VERB", "punct": "PUNCT"}
ROWS = [
    {
        "words": words,
        "heads": heads,
        "deprels": deprels,
        "upos": [TAGS.get(relation, "ADJ") for relation in deprels],
        "spans": [[start, len(words) - 1] for start in range(len(words) - 2)],
    }
    for words, heads, deprels in GRAMMAR * 3
]
PAIRS = [
    {
        "sentence_good": "the cat runs .",
        "sentence_bad": "the cats runs .",
        "UID": "agreement",
        "linguistics_term": "agreement",
        "field": "morphology",
        "pairID": str(number),
    }
    for number in range(5)
]
TOKENIZER = word_level_tokenizer({word for words, _, _ in GRAMMAR for word in words})
OPTIONS: dict[str, dict[str, Any]] = {"uas": {"minimum_count": 1}}


QUESTIONS = word_level_tokenizer(
    {w for row in test_question.ROWS for w in str(row["text"]).split()}, mask=True
)
# What other probes look at.
MATERIAL: dict[str, tuple[Any, Any]] = {
    "pairs": (PAIRS, TOKENIZER),
    "question_formation": (test_question.ROWS, QUESTIONS),
    "loss": (test_question.ROWS, QUESTIONS),
    "masked_loss": (test_question.ROWS, QUESTIONS),
    "tense_inflection": (test_tense.ROWS, test_tense.TOKENIZER),
    "dyck": (test_dyck.ROWS, test_dyck.TOKENIZER),
}
NAMES = [*OURS, *LOSSES, *behaviour_names()]


def probe_of(name: str, **options: Any) -> Probe:
    rows, tokenizer = MATERIAL.get(name, (ROWS, TOKENIZER))
    return build_probe(name, rows, tokenizer, **OPTIONS.get(name, {}), **options)


def watched_model(name: str = "uas") -> PreTrainedModel:
    size = len(MATERIAL.get(name, (ROWS, TOKENIZER))[1])
    return model_of("bert" if name == "masked_loss" else "vanilla", size)


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_there_for_every_number(name: str) -> None:
    kind = probe_class(name)
    assert kind.version >= 1
    assert kind.source
    numbers = probe_of(name).measure(watched_model(name))
    assert numbers
    for metric, value in numbers.items():
        facts = metric_of(kind.metrics, metric)
        assert facts is not None, metric
        assert metric.startswith(kind.name), "a number begins with its probe's name"
        assert type(value) is float, metric
        assert math.isfinite(value), metric
        assert facts.lowest is None or value >= facts.lowest - 1e-6, metric
        assert facts.highest is None or value <= facts.highest + 1e-6, metric
        if isinstance(facts.baseline, str):
            assert metric_of(kind.metrics, facts.baseline) is not None, facts.baseline


@pytest.mark.parametrize("name", NAMES)
def test_shares_add_up_to_the_whole(name: str) -> None:
    probe, model = probe_of(name), watched_model(name)
    with watching(model):
        shares = [probe.state(model, range(len(probe))[rank::3]) for rank in range(3)]
        shares.append(probe.state(model, []))
    together = probe.compute(add_states(shares))
    assert together == pytest.approx(probe.measure(model), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_no_trace_is_left(name: str) -> None:
    probe, model = probe_of(name), watched_model(name)
    model.set_attn_implementation("sdpa")
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    hooks = [len(module._forward_hooks) for module in model.modules()]
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    with watching(model):
        probe.state(model)
    assert model.config._attn_implementation == "sdpa"
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all((parameter.grad == 0.5).all() for parameter in model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert [len(module._forward_hooks) for module in model.modules()] == hooks
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()
    assert torch.equal(torch.get_rng_state(), states[2])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_model_gives_the_same_numbers(name: str) -> None:
    model = watched_model(name)
    assert probe_of(name).measure(model) == probe_of(name).measure(model)


@pytest.mark.parametrize("name", [name for name in NAMES if probe_class(name).needs_data])
def test_the_flags_of_the_command_line_are_everybodys(name: str) -> None:
    assert probe_of(name, allow_unknown=True, add_start=True).measure(watched_model(name))


@pytest.mark.parametrize("name", NAMES)
def test_under_another_name_the_numbers_are_the_same(name: str) -> None:
    probe, model = probe_of(name), watched_model(name)
    other = probe.named("elsewhere")
    numbers = {f"elsewhere{key.removeprefix(name)}": v for key, v in probe.measure(model).items()}
    assert other.measure(model) == numbers
    assert all(metric_of(other.metrics, metric) is not None for metric in numbers)
    assert probe.name == name, "the probe itself keeps its own"


@pytest.mark.parametrize("name", NAMES)
def test_two_of_a_kind_are_told_apart_by_their_titles(name: str) -> None:
    probe = probe_of(name)
    other = probe.named(f"{name}_held_out")
    for key, metric in probe.metrics.items():
        further = other.metrics[f"{name}_held_out{key.removeprefix(name)}"]
        for own, also in ((metric.title, further.title), (metric.panel, further.panel)):
            assert also == (f"{own} (held out)" if own else "")
        shown = (metric.baseline, *metric.beside), (further.baseline, *further.beside)
        for own, also in zip(*shown, strict=True):
            assert also == (own if not isinstance(own, str) else own.replace(name, other.name, 1))


def test_a_probe_of_the_weights_alone_needs_no_data() -> None:
    assert not probe_class("norm").needs_data
    assert build_probe("norm", None, None).measure(watched_model())["norm_l2"] > 0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "norm"])
def test_a_model_in_training_mode_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match="training mode"):
        probe_of(name).state(watched_model(name).train())
