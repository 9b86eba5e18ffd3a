"""What the Hub reads: the round trip through its own classes, and the newer results."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

from hf_grok.errors import UserError
from hf_grok.model_cards import RegulariserFacts, eval_result_files
from hf_grok.model_cards.facts import task_of
from hf_grok.model_cards.hardware import duration, machine_in_words, operations
from hf_grok.model_cards.markdown import number, score, target
from hf_grok.model_cards.measures import main_numbers
from hf_grok.model_cards.metadata import series_metadata, step_metadata
from tests.model_cards.cards import full_card, plain_card, step


def test_the_hubs_own_class_reads_the_results_back() -> None:
    data = ModelCard(full_card().render()).data
    results = {(item.dataset_split, item.metric_type): item for item in data.eval_results}
    assert data.model_name == "questions"
    assert {key: item.metric_value for key, item in results.items()} == {
        ("validation", "loss"): 0.4064,
        ("test", "accuracy"): 1.0,
        ("test", "uas"): 0.51,
    }
    loss = results["validation", "loss"]
    assert (loss.dataset_type, loss.dataset_config) == ("question-formation", "default")
    assert loss.metric_name == "loss, validation (step 1000)"


def test_fields() -> None:
    metadata = series_metadata(full_card())
    assert metadata["library_name"] == "transformers"
    assert metadata["pipeline_tag"] == "text-generation"
    assert metadata["license"] == "mit"
    assert metadata["language"] == "en"
    assert {"hf-grok", "training-dynamics", "checkpoint-series", "grokking"} <= {*metadata["tags"]}
    assert "syntactic-attention-regularisation" in metadata["tags"]
    assert len(metadata["tags"]) == len(set(metadata["tags"]))
    assert "base_model" not in metadata
    assert "model-index" not in step_metadata(full_card())
    assert step_metadata(full_card())["tags"] == metadata["tags"]


def test_base_model_and_data_set() -> None:
    card = plain_card()
    card = plain_card(
        model=dataclasses.replace(card.model, architecture="BertForMaskedLM", base_model="a/b"),
        data=dataclasses.replace(card.data, hub_id="c/d", name="c/d"),
    )
    metadata = series_metadata(card)
    assert metadata["base_model"] == "a/b"
    assert metadata["datasets"] == ["c/d"]
    assert metadata["pipeline_tag"] == "fill-mask"
    assert metadata["model-index"][0]["results"][0]["dataset"]["type"] == "c/d"
    assert "AutoModelForMaskedLM.from_pretrained" in card.render()


def test_no_results_no_index() -> None:
    # An empty model-index makes a push fail.
    assert "model-index" not in series_metadata(plain_card())
    nothing = full_card(steps=[step(3), step(4, eval_loss=float("nan"))])
    assert "model-index" not in series_metadata(nothing)
    assert "model-index" not in series_metadata(full_card(steps=[step(3, loss=1.0)]))
    assert "| nan |" in nothing.render()
    assert "eval_loss" not in nothing.render()


def test_the_newer_form_of_results() -> None:
    with pytest.raises(UserError, match=r"name a data set of the Hub.*--push REPO"):
        eval_result_files(full_card())
    card = full_card(data=dataclasses.replace(full_card().data, hub_id="someone/questions"))
    files = eval_result_files(card)
    assert list(files) == [".eval_results/questions.yaml"]
    entries = parse_eval_result_entries(yaml.safe_load(files[".eval_results/questions.yaml"]))
    assert {(entry.task_id, entry.value) for entry in entries} == {
        ("loss", 0.4064),
        ("in_distribution_accuracy", 1.0),
        ("uas_best_head", 0.51),
    }
    assert {entry.dataset_id for entry in entries} == {"someone/questions"}
    assert {entry.notes for entry in entries} == {"step 1000"}
    assert {entry.date for entry in entries} == {"2026-11-25T10:14:54+00:00"}
    assert eval_result_files(dataclasses.replace(card, steps=[step(1)])) == {}


def test_which_numbers_are_shown() -> None:
    def columns(**metrics: float) -> list[str]:
        return [shown.column for shown in main_numbers([step(0), step(1, **metrics)])]

    assert columns() == []
    assert columns(loss=1, epoch=1) == ["loss"]
    assert columns(eval_loss=1, loss=1) == ["eval_loss"]
    assert columns(eval_bleu=1, eval_runtime=1, eval_loss=1, eval_samples_per_second=9) == [
        "eval_loss",
        "eval_bleu",
    ]
    assert columns(eval_pairs_accuracy=1, eval_pairs_accuracy_wug=1, eval_loss=1) == [
        "eval_loss",
        "eval_pairs_accuracy",
    ]
    assert len(columns(**{f"eval_x{i}": 1.0 for i in range(20)})) == 6


def test_a_regulariser_is_tagged_and_cited() -> None:
    tag = "syntactic-attention-regularisation"
    with_it = plain_card(regulariser=RegulariserFacts({"sas_schedule": "0:1"}))
    assert tag in series_metadata(with_it)["tags"]
    assert "arXiv:2309.07311" in with_it.render()
    assert "arXiv:2309.07311" not in plain_card().render()


@pytest.mark.parametrize(
    ("architecture", "tag"),
    [
        ("LlamaForCausalLM", "text-generation"),
        ("GPT2LMHeadModel", "text-generation"),
        ("ModernBertForMaskedLM", "fill-mask"),
        ("BertForSequenceClassification", "text-classification"),
        ("BertForTokenClassification", "token-classification"),
        ("BertModel", None),
        ("", None),
    ],
)
def test_tasks(architecture: str, tag: str | None) -> None:
    assert task_of(architecture).pipeline_tag == tag
    assert task_of("BertModel").auto_class == "AutoModel"


def test_words_by_hand() -> None:
    assert [duration(s) for s in (None, 0.25, 59.9, 60, 3599, 5025, 90_000)] == [
        "not recorded", "0.25 s", "59.9 s", "1 min", "59 min 59 s", "1 h 23 min", "1 d 1 h",
    ]  # fmt: skip
    assert operations(None) == operations(0) == "not recorded"
    assert operations(1.0272e8) == "1.03e+08 floating point, by Trainer's estimate"
    machine = {"device": "cpu", "processor": "X", "cores": 2, "threads": 1, "system": "Linux"}
    assert machine_in_words(machine) == "CPU, X, 1 thread of 2 cores, Linux"
    assert machine_in_words({"cores": 4, "threads": 2}) == "2 threads of 4 cores"
    assert machine_in_words({"cores": 4}) == "4 cores"
    assert machine_in_words({}) is None
    assert [number(n) for n in (None, 0, 12_345, 2.0, 0.1, 1e-7, float("inf"))] == [
        "-", "0", "12,345", "2", "0.1", "1e-07", "inf",
    ]  # fmt: skip
    assert [score(n) for n in (None, 0, 1, 0.12345, 0.00012, 12345.6, float("nan"))] == [
        "-", "0.000", "1.000", "0.123", "0.00012", "1.23e+04", "nan",
    ]  # fmt: skip
    assert target("https://a/b c)(<d>?e=f&g#h") == "https://a/b%20c%29%28%3Cd%3E?e=f&g#h"
