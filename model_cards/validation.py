"""The Hub's rules for a README, as far as they can be checked without it.

`ModelCard.validate` asks the Hub, which training must not. What is refused here the Hub refuses
when the page is pushed, and the push with it; what is accepted here it may still refuse, since its
lists change.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from huggingface_hub.errors import HFValidationError
from huggingface_hub.repocard import REGEX_YAML_BLOCK
from huggingface_hub.utils import validate_repo_id

from hf_grok.errors import UserError
from hf_grok.model_cards.hub_names import LICENSES, PIPELINE_TAGS
from hf_grok.text import credentials
from hf_grok.text.yaml_reading import parse_yaml

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*|code|multilingual")
_NAMES = ("tags", "metrics", "task_categories", "size_categories")
_TEXTS = ("library_name", "license_name", "license_link", "pipeline_tag", "pretty_name")


def validate(text: str, kind: str = "model") -> str:
    """The text itself, if nothing in `problems` speaks against it.

    Args:
        text: a whole README.
        kind: "model" or "dataset".

    Raises:
        UserError: lists every problem.
    """
    found = problems(text, kind)
    if found:
        listed = "\n".join(f"- {problem}" for problem in found)
        raise UserError(f"the Hub would refuse this README of a {kind}:\n{listed}")
    return text


def problems(text: str, kind: str = "model") -> list[str]:
    """What the Hub would refuse in a README, and a token anywhere in it; empty where nothing."""
    found = [
        f"a token stands in the text ({secret.kind}, {credentials.place(text, secret)}): remove "
        "it, and revoke it"
        for secret in credentials.find(text)
    ]
    block = REGEX_YAML_BLOCK.search(text)
    if not block:
        return [*found, "no metadata: expected YAML between two lines '---' at the beginning"]
    try:
        metadata = parse_yaml(block[2], "the metadata", nonfinite=True)
    except UserError as error:
        return [*found, str(error)]
    if not isinstance(metadata, dict):
        return [*found, f"the metadata is no mapping but a {type(metadata).__name__}"]
    return [*found, *_metadata_problems(metadata, kind)]


def check_repository(name: str) -> str:
    """The name itself, if a repository of the Hub can have it.

    Raises:
        UserError: it cannot.
    """
    for problem in _repository("repository", name):
        raise UserError(problem)
    return name


def _metadata_problems(metadata: Mapping[str, Any], kind: str) -> Iterator[str]:
    for key in _TEXTS:
        if key in metadata and not isinstance(metadata[key], str):
            yield f"{key}: expected text, got {metadata[key]!r}"
    for key in _NAMES:
        yield from _names(key, metadata.get(key, []))
    yield from _licence(metadata)
    for language in _listed(metadata.get("language", [])):
        if not (isinstance(language, str) and _LANGUAGE.fullmatch(language)):
            yield f"language: expected an ISO 639 code such as 'en', got {language!r}"
    if kind == "dataset":
        yield from _configs(metadata.get("configs", []))
        return
    for key in ("datasets", "base_model"):
        for name in _listed(metadata.get(key, [])):
            yield from _repository(key, name)
    tag = metadata.get("pipeline_tag")
    if isinstance(tag, str) and tag not in PIPELINE_TAGS:
        yield f"pipeline_tag: the Hub knows no task {tag!r}"
    if "model-index" in metadata:
        yield from _model_index(metadata["model-index"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _names(key: str, value: Any) -> Iterator[str]:
    for item in _listed(value):
        if not isinstance(item, str) or not item.strip():
            yield f"{key}: expected names, got {item!r}"


def _licence(metadata: Mapping[str, Any]) -> Iterator[str]:
    licences = _listed(metadata.get("license", []))
    for name in licences:
        if not isinstance(name, str) or name not in LICENSES:
            yield (
                f"license: the Hub knows no {name!r}; write 'other', with license_name and "
                "license_link, for a licence of your own"
            )
    if "other" in licences and not metadata.get("license_name"):
        yield "license_name: 'license: other' needs the licence's name"


def _repository(key: str, name: Any) -> Iterator[str]:
    try:
        if not isinstance(name, str):
            raise HFValidationError("no text")
        validate_repo_id(name)
    except HFValidationError:
        yield f"{key}: expected a repository of the Hub such as 'user/name', got {name!r}"


def _configs(configs: Any) -> Iterator[str]:
    for position, config in enumerate(_listed(configs)):
        if not isinstance(config, dict) or not isinstance(config.get("config_name"), str):
            yield f"configs[{position}].config_name: expected text"


def _model_index(index: Any) -> Iterator[str]:
    if not isinstance(index, list) or not index:
        yield "model-index: expected a list that is not empty"
        return
    for i, entry in enumerate(index):
        where = f"model-index[{i}]"
        yield from _text(entry, "name", where)
        results = entry.get("results") if isinstance(entry, dict) else None
        if not isinstance(results, list) or not results:
            yield f"{where}.results: expected a list that is not empty"
            continue
        for j, result in enumerate(results):
            yield from _result(result, f"{where}.results[{j}]")


def _result(result: Any, where: str) -> Iterator[str]:
    parts = result if isinstance(result, dict) else {}
    yield from _text(parts.get("task"), "type", f"{where}.task")
    for key in ("name", "type"):
        yield from _text(parts.get("dataset"), key, f"{where}.dataset")
    for key in ("config", "split", "revision"):
        if isinstance(parts.get("dataset"), dict) and key in parts["dataset"]:
            yield from _text(parts["dataset"], key, f"{where}.dataset")
    metrics = parts.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        yield f"{where}.metrics: expected a list that is not empty"
        return
    for k, metric in enumerate(metrics):
        at = f"{where}.metrics[{k}]"
        yield from _text(metric, "type", at)
        value = metric.get("value") if isinstance(metric, dict) else None
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            yield f"{at}.value: expected a finite number or a text, got {value!r}"


def _text(part: Any, key: str, where: str) -> Iterator[str]:
    value = part.get(key) if isinstance(part, dict) else None
    if not isinstance(value, str) or not value:
        yield f"{where}.{key}: expected text, got {value!r}"
