"""The check of a card's metadata, as far as the tests need to see it refuse something."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.hub_server.messages import Request, Response, json_response
from tests.hub_server.store import Store

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_LISTS_OF_STRINGS = ("tags", "datasets", "metrics", "language")


def metadata(content: bytes) -> Any:
    """What stands between the two lines of dashes; an empty mapping without them."""
    match = _FRONT_MATTER.match(content.decode())
    return {} if match is None else yaml.safe_load(match[1]) or {}


def validate_yaml(store: Store, request: Request) -> Response:
    try:
        errors = _errors(metadata(request.json()["content"].encode()))
    except yaml.YAMLError as error:
        errors = [f"The metadata is no YAML: {error}"]
    answer = {"errors": [{"message": message} for message in errors], "warnings": []}
    return json_response(answer, 400 if errors else 200)


def _errors(card: Any) -> list[str]:
    if not isinstance(card, dict):
        return ["The metadata must be a mapping"]
    errors = [
        f'"{key}" must be a string or a list of strings'
        for key in _LISTS_OF_STRINGS
        if key in card and not _strings(card[key])
    ]
    licence = card.get("license", "other")
    if not isinstance(licence, str) or not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", licence):
        errors.append(f'"license" must be an SPDX identifier in small letters, not {licence!r}')
    for position, model in enumerate(card.get("model-index") or []):
        errors += _model_errors(f"model-index[{position}]", model)
    return errors


def _strings(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(item, str) for item in values)


def _model_errors(where: str, model: dict[str, Any]) -> list[str]:
    errors = [f'"{where}.name" is required'] if not model.get("name") else []
    for position, result in enumerate(model.get("results") or []):
        here = f"{where}.results[{position}]"
        missing = [key for key in ("task", "dataset", "metrics") if key not in result]
        errors += [f'"{here}.{key}" is required' for key in missing]
        for number, metric in enumerate(result.get("metrics") or []):
            if "value" not in metric:
                errors.append(f'"{here}.metrics[{number}].value" is required')
    return errors
