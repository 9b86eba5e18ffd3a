"""What a person wrote into a README outlives every later rendering of it.

A rendered page has two marker lines. Text between them is the person's: it is moved into the next
page as it is. So are metadata keys that a page of ours does not set, tags and data sets that were
added, results of other models in `model-index`, and the licence.

A README that is not ours (no markers in it) is never thrown away: its whole text is put between
the markers of the page that takes its place. Refusing would stop a series for a README that the
Hub made itself; appending without markers would keep it for one push only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub.utils import yaml_dump

from hf_grok.errors import UserError
from hf_grok.text.yaml_reading import parse_yaml

BEGINS = "<!-- hf-grok: yours begins -->"
ENDS = "<!-- hf-grok: yours ends -->"

# Keys of which a page sets a default at most: what stands in the README is the person's.
PERSONAL = ("license", "license_name", "license_link", "language", "pretty_name")
UNITED = ("tags", "datasets")
MODEL_INDEX = "model-index"

_FRONT = re.compile(r"\A\s*---[ \t]*\n(.*?)(?:(?<=\n)|\n)---[ \t]*(?:\n|\Z)", re.DOTALL)


def split_readme(text: str) -> tuple[dict[str, Any], str]:
    """A README's metadata and its body; the metadata is empty where there is none.

    Raises:
        UserError: the metadata is no YAML mapping.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found = _FRONT.match(text)
    if not found:
        return {}, text
    try:
        metadata = parse_yaml(found[1], "the README's metadata", nonfinite=True)
    except UserError as error:
        raise UserError(f"{error}: fix the lines between its two '---', or remove them") from error
    if metadata is not None and not isinstance(metadata, dict):
        raise UserError(
            "the README's metadata is no mapping of keys to values: expected lines such as "
            f"'license: mit' between its two '---', got a {type(metadata).__name__}"
        )
    return metadata or {}, text[found.end() :]


def join_readme(metadata: Mapping[str, Any], body: str) -> str:
    """A README of its metadata and its body, as `split_readme` takes it apart."""
    return f"---\n{yaml_dump(dict(metadata), sort_keys=False).rstrip()}\n---\n{body}"


def written_by_a_person(body: str) -> str | None:
    """The text between the markers of a README's body, without blank lines around it.

    Several marked passages are joined in their order. None where there are no markers.

    Raises:
        UserError: a marker without its partner, with its line.
    """
    passages: list[str] = []
    begun, first, kept = 0, False, list[str]()
    for number, line in enumerate(body.split("\n"), start=1):
        marker = line.strip()
        if marker == BEGINS and not begun:
            begun, first, kept = number, True, []
        elif marker == ENDS and begun:
            begun = 0
            passages.append("\n".join(kept).strip("\n"))
        elif marker in (BEGINS, ENDS):
            raise _unpaired(marker, number)
        elif begun:
            kept.append(line)
    if begun:
        raise _unpaired(BEGINS, begun)
    return "\n\n".join(passage for passage in passages if passage) if first else None


def merge(rendered: str, old: str | None) -> str:
    """The rendered page with what a person had written into the old one.

    Args:
        rendered: a page with one pair of markers and nothing between them.
        old: the README that it takes the place of, whoever wrote it; None where there is none.

    Raises:
        UserError: the old README has a marker without its partner, or metadata that is no YAML
            mapping: what is the person's cannot be told then.
    """
    if old is None or not old.strip():
        return rendered
    metadata, body = split_readme(keep_text(rendered, old))
    return join_readme(merge_metadata(metadata, split_readme(old)[0]), body)


def keep_text(rendered: str, old: str) -> str:
    """The rendered page with the person's text of the old one, and nothing of its metadata.

    Raises:
        UserError: as `merge`.
    """
    old_body = split_readme(old)[1]
    text = written_by_a_person(old_body)
    kept = old_body.strip("\n") if text is None else text
    return rendered.replace(f"{BEGINS}\n", f"{BEGINS}\n{kept}\n", 1) if kept else rendered


def merge_metadata(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Our metadata, with the person's keys, and both one's items where a key is a list of names."""
    merged = {**ours, **{key: value for key, value in theirs.items() if key not in ours}}
    for key in PERSONAL:
        if theirs.get(key) is not None:
            merged[key] = theirs[key]
    for key in UNITED:
        if key in ours and key in theirs:
            merged[key] = _united(ours[key], theirs[key])
    if MODEL_INDEX in ours:
        merged[MODEL_INDEX] = _indexed(ours[MODEL_INDEX], theirs.get(MODEL_INDEX))
    return merged


def _united(ours: Any, theirs: Any) -> list[Any]:
    items = [*_listed(ours), *_listed(theirs)]
    return [item for position, item in enumerate(items) if item not in items[:position]]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _indexed(ours: Sequence[Any], theirs: Any) -> list[Any]:
    names = [entry["name"] for entry in ours]  # of theirs a name may be anything
    others = theirs if isinstance(theirs, list) else []
    return [*ours, *(e for e in others if not (isinstance(e, dict) and e.get("name") in names))]


def _unpaired(marker: str, line: int) -> UserError:
    partner = ENDS if marker == BEGINS else BEGINS
    return UserError(
        f"the README has {marker!r} without its {partner!r} (line {line} after the metadata): "
        "write the two around your text, each on a line of its own, or remove this one"
    )
