"""Keyword arguments of the probes' classes: --option PROBE.NAME=VALUE, and the flags."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from hf_grok.errors import UserError, unknown_name
from hf_grok.text.json_reading import parse_json
from hf_grok.text.yaml_reading import parse_yaml

# To YAML 1.1 true and false, whatever their case.
_WORDS = ("yes", "no", "on", "off")


def options_of(names: Sequence[str], options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Keyword arguments of each probe's class, from --option and the flags.

    Raises:
        UserError: an option that is no PROBE.NAME=VALUE, or of a probe that is not asked for.
    """
    from hf_grok.probes import probe_class

    flags = {"allow_unknown": options.allow_unknown, "add_start": options.add_start}
    given = {name: value for name, value in flags.items() if value}
    found = {name: dict(given) if probe_class(name).needs_data else {} for name in names}
    for text in options.option:
        place, separator, value = text.partition("=")
        probe, dot, name = place.partition(".")
        if not (separator and dot and name):
            raise UserError(f"--option {text}: expected PROBE.NAME=VALUE, as uas.selection=same")
        if probe not in found:
            raise unknown_name("probe in --option", probe, names)
        found[probe][name] = _value(value, f"--option {place}")
    return found


def _value(text: str, where: str) -> Any:
    """As JSON where it is JSON, else as YAML, so that [nsubj, obj] needs no quotes."""
    try:
        return parse_json(text, where)
    except UserError:
        return text if text.lower() in _WORDS else parse_yaml(text, where)
