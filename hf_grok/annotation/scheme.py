"""The annotation scheme that arcs follow, kept beside the data, and what a mismatch means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.text.json_reading import read_object

SIDECAR = "annotation.json"
SCHEME = "annotation_scheme"
MISMATCH = "annotation_mismatch"
UD, CLEARNLP = "ud", "clearnlp"

_NAME = re.compile(r"[a-z][a-z0-9._-]*")


def check_scheme(name: str) -> str:
    """The name of a scheme, if it is one: two schemes are the same if their names are.

    Raises:
        UserError: anything but a lower-case word.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"annotation scheme {name!r}: expected a lower-case name, such as {UD} (Universal "
            f"Dependencies) or {CLEARNLP} (spaCy's English models)"
        )
    return name


def sidecar(data: Path) -> Path:
    """Where the facts about the annotation of a file or folder of data stand."""
    return data / SIDECAR if data.is_dir() else data.with_name(f"{data.name}.{SIDECAR}")


def write_annotation(data: Path, facts: Mapping[str, Any]) -> None:
    """Keep the facts about an annotation beside the file or folder of data.

    Args:
        data: is there already.
        facts: with the key "annotation_scheme", and whatever else is known (parser, version).

    Raises:
        UserError: no scheme among them, or a name that is none.
    """
    check_scheme(str(facts.get(SCHEME, "")))
    sidecar(data).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def read_scheme(data: Path) -> str | None:
    """The annotation scheme of a file or folder of data; None where nothing says.

    Raises:
        UserError: the facts are there but are no JSON, or name no scheme.
    """
    path = sidecar(data)
    if not path.is_file():
        return None
    try:
        return check_scheme(str(read_object(path)[SCHEME]))
    except KeyError as error:
        raise UserError(
            f'{path}: expected {{"{SCHEME}": "ud", ...}} as hf-grok data parse writes it; {error!r}'
        ) from error


def agreed_scheme(said: str | None, found: str | None, where: str) -> str | None:
    """The scheme that one or both of two places name.

    Args:
        said: in an option.
        found: with the data.
        where: the option, for the message.

    Raises:
        UserError: they name two.
    """
    if said is not None and found is not None and said != found:
        raise UserError(
            f"{where}={said!r}, and the data say that they follow {found!r}: leave {where} out, or "
            f"mend {SIDECAR} if it is wrong"
        )
    return said or found


def scheme_of_rows(rows: Any, said: str | None) -> str | None:
    """The annotation scheme of rows, as was said, or as they say by an attribute `scheme`.

    Raises:
        UserError: a scheme that is no name, or another than the rows'.
    """
    said = None if said is None else check_scheme(said)
    return agreed_scheme(said, getattr(rows, "scheme", None), "scheme")


def scheme_mismatch(training: str | None, evaluation: str | None) -> str | None:
    """What a reader must know where training and evaluation arcs differ in scheme; None if not.

    Args:
        training: scheme of the arcs that the regulariser acts on; None if unknown.
        evaluation: scheme of the arcs that attention is scored against; None if unknown.
    """
    if training == evaluation:
        return None
    if training is None or evaluation is None:
        known, side = (evaluation, "training") if training is None else (training, "evaluation")
        other = "evaluation" if training is None else "training"
        return (
            f"The {other} arcs follow the annotation scheme {known}; that of the {side} arcs is "
            "not recorded, so whether they are the same is unknown."
        )
    return (
        f"The training arcs follow the annotation scheme {training}, the evaluation arcs "
        f"{evaluation}: heads differ by convention (function words, coordination, copulas), so an "
        "attention score against the one is no measure of what the other acted on."
    )


def one_scheme(schemes: dict[str, str | None]) -> str | None:
    """The scheme that all name.

    Raises:
        UserError: they name several; says which names which.
    """
    if len(set(schemes.values())) > 1:
        told = ", ".join(f"{name}: {scheme or 'not recorded'}" for name, scheme in schemes.items())
        raise UserError(
            f"heads of several annotation schemes cannot be read together ({told}): choose "
            "corpora of one, parse them alike, or say ,scheme=NAME where it is not recorded"
        )
    return next(iter(schemes.values()), None)
