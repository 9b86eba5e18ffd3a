"""What a data set says of itself, for the card of a run that nobody described."""

from __future__ import annotations

import re
from collections.abc import Sized
from typing import Any

_ON_THE_HUB = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)@")


def describe_data(dataset: Any, *, as_given: bool = True) -> dict[str, Any]:
    """Name, configuration, split, fingerprint, rows and repository, as far as they are known.

    A `datasets.Dataset` carries its builder's name and the addresses of its files; what has no name
    is told by its class and its length. Nothing is read of the rows, and no path is told.

    Args:
        dataset: what is trained on.
        as_given: False for a loader's, from which Trainer has dropped the columns that the model
            does not take: in no fixed order, so that its fingerprint is another in each process.
    """
    if hasattr(dataset, "dataset") and not isinstance(dataset, Sized):  # accelerate's own share
        dataset = dataset.dataset
    rows = len(dataset) if isinstance(dataset, Sized) else None
    info = getattr(dataset, "info", None)
    known: dict[str, Any] = {"train_examples": rows}
    if info is not None:
        split = getattr(dataset, "split", None)
        known |= {
            "name": _text(info, "dataset_name") or _text(info, "builder_name"),
            "config": _text(info, "config_name"),
            "split": None if split is None else str(split),
            "fingerprint": _text(dataset, "_fingerprint") if as_given else None,
            "hub_id": _repository(info),
        }
    length = "" if rows is None else f" of {rows:,} examples"
    known["described"] = f"a {_class_name(dataset)}{length}"
    return {key: value for key, value in known.items() if value is not None}


def _text(holder: Any, attribute: str) -> str | None:
    value = getattr(holder, attribute, None)
    return value if isinstance(value, str) and value else None


def _repository(info: Any) -> str | None:
    """The one repository on the Hub that all files of a data set came from."""
    files = getattr(info, "download_checksums", None) or {}
    found = [_ON_THE_HUB.match(str(file)) for file in files]
    names = {match.group(1) if match else None for match in found}
    return names.pop() if len(names) == 1 else None


def _class_name(dataset: Any) -> str:
    kind = type(dataset)
    package = kind.__module__.partition(".")[0]
    return f"datasets.{kind.__name__}" if package == "datasets" else kind.__name__
