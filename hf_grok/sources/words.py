"""A word of --data, read: NAME, and KEY=VALUE behind commas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hf_grok.annotation.relations import check_target
from hf_grok.annotation.scheme import check_scheme
from hf_grok.errors import UserError, unknown_name
from hf_grok.sources.source import Source

_ANY = ("config", "split", "revision", "scheme")
KEYS = (*_ANY, "relations")
"""Of data that probes look at."""
TRAINING_KEYS = (*_ANY, "weight", "first_head")
_KEY = re.compile(rf",({'|'.join(dict.fromkeys((*KEYS, *TRAINING_KEYS)))})=")


def read_source(word: str, keys: Sequence[str] = KEYS) -> Source:
    """The source that a word of `--data` names.

    Args:
        word: NAME, and KEY=VALUE behind commas.
        keys: that may stand in it.

    Raises:
        UserError: a key twice, or not among `keys`; a weight that is no positive number; a scheme
            that is no name; relations in another scheme's names than UD's.
    """
    name, *rest = _KEY.split(word)
    found, values = rest[::2], rest[1::2]
    if not name or len(set(found)) < len(found) or "" in values:
        raise UserError(
            f"data {word!r}: expected NAME, and after it each of {_listed(keys)} once at most"
        )
    for key in found:
        if key not in keys:
            raise UserError(f"data {word!r}: {key}= is not of these data: may be {_listed(keys)}")
    if "," in name and not Path(name).exists():
        said = name.partition(",")[2].partition("=")[0]
        if name.partition(",")[2].count("="):
            raise unknown_name(f"key in data {word!r}", said, keys)
    options: dict[str, Any] = dict(zip(found, values, strict=True))
    if "weight" in options:
        options["weight"] = _weight(options["weight"], word)
    if options.get("first_head", "0") not in ("0", "1"):
        raise UserError(f"data {word!r}: first_head={options['first_head']}: expected 0 or 1")
    if "first_head" in options:
        options["first_head"] = int(options["first_head"])
    if "scheme" in options:
        check_scheme(options["scheme"])
    if "relations" in options:
        check_target(options["relations"])
    return Source(name, **options)


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(f"{key}=" for key in keys)


def _weight(text: str, word: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight <= 1000:
        raise UserError(f"data {word!r}: weight {text!r}: expected a number above 0, such as 2")
    return weight
