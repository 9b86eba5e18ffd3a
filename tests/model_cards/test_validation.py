"""The Hub's rules, each with a README that breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from hf_grok.errors import UserError
from hf_grok.model_cards import problems, validate
from hf_grok.model_cards.preserved import join_readme

METRIC = {"type": "loss", "value": 0.5}
RESULT = {
    "task": {"type": "text-generation"},
    "dataset": {"name": "Dyck", "type": "dyck"},
    "metrics": [METRIC],
}


def page(**metadata: Any) -> str:
    return join_readme(
        {key.replace("_index", "-index"): metadata[key] for key in metadata}, "# x\n"
    )


def index(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "run", "results": [{**RESULT, **changes}]}]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"license": "mit", "language": ["en", "zh-Hans"], "tags": ["a"], "datasets": ["glue"]},
        {"license": ["mit", "apache-2.0"], "base_model": "user/name", "language": "multilingual"},
        {"license": "other", "license_name": "mine", "license_link": "LICENSE"},
        {"model_index": index(), "pipeline_tag": "fill-mask", "library_name": "transformers"},
        {"anything": {"else": 1}},
    ],
)
def test_good_metadata(metadata: dict[str, Any]) -> None:
    text = page(**metadata)
    assert problems(text) == []
    assert validate(text) is text


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"license": "MIT"}, "license: the Hub knows no 'MIT'"),
        ({"license": None}, "license: the Hub knows no None"),
        ({"license": "other"}, "license_name: 'license: other' needs"),
        ({"license_name": 3}, "license_name: expected text, got 3"),
        ({"language": "English"}, "language: expected an ISO 639 code such as 'en', got 'English'"),
        ({"language": [False]}, "language: expected an ISO 639 code such as 'en', got False"),
        ({"tags": ["a", 3]}, "tags: expected names, got 3"),
        ({"tags": [" "]}, "tags: expected names, got ' '"),
        ({"metrics": None}, "metrics: expected names, got None"),
        ({"datasets": [None]}, "datasets: expected a repository .* got None"),
        ({"datasets": "a b"}, "datasets: expected a repository .* got 'a b'"),
        ({"base_model": "./local"}, "base_model: expected a repository .* got './local'"),
        ({"base_model": "/abs/path"}, "base_model: expected a repository"),
        ({"pipeline_tag": "text-gen"}, "pipeline_tag: the Hub knows no task 'text-gen'"),
        ({"library_name": ["a"]}, "library_name: expected text"),
        ({"model_index": []}, "model-index: expected a list that is not empty"),
        ({"model_index": {}}, "model-index: expected a list that is not empty"),
        ({"model_index": ["x"]}, r"model-index\[0\].name: expected text, got None"),
        ({"model_index": [{"name": "x", "results": []}]}, r"model-index\[0\].results: expected"),
        ({"model_index": index(task={})}, r"results\[0\].task.type: expected text, got None"),
        ({"model_index": index(dataset={"type": "a"})}, r"dataset.name: expected text, got None"),
        ({"model_index": index(dataset={"name": "a"})}, r"dataset.type: expected text"),
        (
            {"model_index": index(dataset={"name": "a", "type": "b", "revision": 12})},
            r"dataset.revision: expected text, got 12",
        ),
        ({"model_index": index(metrics=[])}, r"metrics: expected a list that is not empty"),
        ({"model_index": index(metrics=[{"value": 1}])}, r"metrics\[0\].type: expected text"),
        ({"model_index": index(metrics=[{"type": "a"}])}, r"metrics\[0\].value: .* got None"),
        (
            {"model_index": index(metrics=[{"type": "a", "value": float("nan")}])},
            r"metrics\[0\].value: expected a finite number",
        ),
    ],
)
def test_what_the_hub_refuses(metadata: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=rf"README of a model:\n- .*{problem}"):
        validate(page(**metadata))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# no metadata\n", "no metadata: expected YAML"),
        ("---\na: [\n---\n", "not YAML"),
        ("---\na: 1\na: 2\n---\n", "the key 'a' stands twice"),
        ("---\nb:\n  a: 1\n  a: 2\n---\n", "the key 'a' stands twice"),
        ("---\n- a\n---\n", "no mapping but a list"),
        ("---\n---\n", "no metadata|no mapping"),
        ("---\na: b\n---\n hf_" + "a" * 34, "a token stands in the text"),
    ],
)
def test_whole_texts(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        validate(text)


def test_every_problem_is_listed() -> None:
    assert len(problems(page(license="x", tags=[1], language="English"))) == 3


def test_data_sets_have_rules_of_their_own() -> None:
    text = page(configs=[{"data_files": "a"}], size_categories="1K<n<10K", base_model="./x")
    assert problems(text, "dataset") == ["configs[0].config_name: expected text"]
    with pytest.raises(UserError, match="README of a dataset"):
        validate(text, "dataset")
