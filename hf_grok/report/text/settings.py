"""What was run, with which settings and versions, on what: one row a setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hf_grok.dynamics import Run
from hf_grok.report.groups import NOT_SETTINGS, Group
from hf_grok.report.style import numerals
from hf_grok.report.text.tables import Cell, Row


def setting_rows(group: Group) -> list[Row]:
    """What was run, with which versions, on what; one cell where all runs agree."""
    keys = dict.fromkeys(key for run in group.runs for key in _settings(run))
    columns = [_settings(run) for run in group.runs]
    return [_setting_row(key, [column.get(key, "—") for column in columns]) for key in keys]


def _settings(run: Run) -> dict[str, str]:
    info, model = run.info, run.info.get("model", {})
    settings = {"run": run.name, "status": run.status}
    settings |= {key: str(info[key]) for key in ("recipe", "scale", "seed") if key in info}
    if model.get("parameters") is not None:
        settings["parameters"] = f"{model['parameters']:,}"
    settings |= {f"model {key}": str(model[key]) for key in ("name", "layers") if key in model}
    arguments = {key: info["arguments"][key] for key in _shown_arguments(info)}
    settings |= _flat("arguments", arguments)
    for part in ("chosen", "data", "machine", "versions"):
        settings |= _flat(part, info.get(part, {}))
    settings |= {key: str(info[key]) for key in ("started", "finished") if info.get(key)}
    if isinstance(info.get("seconds"), (int, float)):
        settings["time"] = numerals.duration(info["seconds"])
    return settings


def _shown_arguments(info: Mapping[str, Any]) -> list[str]:
    """Arguments that say what was run; where it lies is said by the run's name."""
    return [key for key in info.get("arguments", {}) if key not in NOT_SETTINGS]


def _flat(part: str, values: Any) -> dict[str, str]:
    if not isinstance(values, Mapping):
        return {part: str(values)}
    prefix = {"versions": "version of ", "arguments": ""}.get(part, f"{part}: ")
    return {f"{prefix}{key}": str(value) for key, value in values.items()}


def _setting_row(key: str, texts: list[str]) -> Row:
    same = len(set(texts)) == 1
    return Row(key, "", tuple(map(Cell, texts[:1] if same else texts)))
