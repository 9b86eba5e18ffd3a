"""series.json: what a revision holds, file by file; series-index.json: which revisions there are.

    {"format": 1, "step": 2, "revision": "step2", "files": {"model.safetensors": {"bytes": 9,
     "sha256": "..."}, ...}, "lambda": null, "tokens_seen": 64, "data_position": 16,
     "metrics": {"eval_loss": 2.1}, "hf_grok": "0.1.0"}

`files` lists everything in the revision but series.json itself and README.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hf_grok.runs.manifest import Files, files_from_json, files_to_json
from hf_grok.runs.step import NamedStep, values_from_json
from hf_grok.series.errors import SeriesError
from hf_grok.series.local.safety import is_weights
from hf_grok.text.json_reading import parse_object
from hf_grok.version import __version__

SERIES_FILE = "series.json"
INDEX_FILE = "series-index.json"
CARD_FILE = "README.md"
FORMAT = 1
ABSENT_KINDS = ("refused", "missing")


@dataclass(frozen=True)
class Manifest(NamedStep):
    """What one revision of a series holds.

    Attributes:
        files: name -> size and digest.
        version: of hf_grok, which wrote it.
    """

    files: Files
    version: str = __version__

    def to_json(self) -> dict[str, Any]:
        """The object that series.json holds."""
        return {
            "format": FORMAT,
            "step": self.step,
            "revision": self.revision,
            "files": files_to_json(self.files),
            **self.values_to_json(),
            "hf_grok": self.version,
        }

    @classmethod
    def from_json(cls, text: str, where: str) -> Manifest:
        """Read a series.json.

        Raises:
            SeriesError: it is no manifest of this format; says where.
        """
        try:
            found = parse_object(text, where, error=SeriesError)
            _check_format(found)
            return cls(
                step=int(found["step"]),
                revision=str(found["revision"]),
                files=files_from_json(found["files"]),
                version=str(found["hf_grok"]),
                **values_from_json(found),
            )
        except SeriesError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise SeriesError(f"{where}: no {SERIES_FILE} of format {FORMAT} ({error!r})") from None


@dataclass(frozen=True)
class IndexEntry:
    """One line of the index: a step, its revision, the digests of its weights.

    Attributes:
        step: its number.
        revision: that holds it.
        weights: name -> sha256.
        pages: git's names of series.json and README.md as they were pushed; empty in an index of
            an earlier version.
    """

    step: int
    revision: str
    weights: Mapping[str, str]
    pages: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The object that series-index.json holds."""
        row = {"step": self.step, "revision": self.revision, "weights": dict(self.weights)}
        return {**row, "pages": dict(self.pages)} if self.pages else row


@dataclass(frozen=True)
class Absent:
    """A step that the run saved and that is not published.

    Attributes:
        step: its number.
        revision: that would hold it.
        kind: "refused" (as one with the weights of another), or "missing": it was not set aside.
    """

    step: int
    revision: str
    kind: str


@dataclass(frozen=True)
class Index:
    """series-index.json: every revision of the series, by step; and what is not in it.

    Attributes:
        template: names of the branches.
        steps: what is published.
        absent: what the run saved and is not.
        annotation: schemes of the arcs of "training" and "evaluation", as in run.json; empty where
            the run has none, and in an index of an earlier version.
    """

    template: str
    steps: tuple[IndexEntry, ...]
    absent: tuple[Absent, ...] = ()
    annotation: Mapping[str, str | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The object that series-index.json holds."""
        steps = [entry.to_json() for entry in self.steps]
        found = {"format": FORMAT, "revision_template": self.template, "steps": steps}
        absent = [dict(vars(entry)) for entry in self.absent]
        further = {"not_published": absent, "annotation": dict(self.annotation)}
        return {**found, **{name: value for name, value in further.items() if value}}

    @classmethod
    def from_json(cls, text: str, where: str) -> Index:
        """Read a series-index.json.

        Raises:
            SeriesError: it is no index of this format; says where.
        """
        try:
            found = parse_object(text, where, error=SeriesError)
            _check_format(found)
            entries = tuple(
                IndexEntry(
                    int(row["step"]),
                    str(row["revision"]),
                    dict(row["weights"]),
                    dict(row.get("pages", {})),
                )
                for row in found["steps"]
            )
            absent = tuple(
                Absent(int(row["step"]), str(row["revision"]), _kind(row["kind"]))
                for row in found.get("not_published", ())
            )
            annotation = dict(found.get("annotation") or {})
            return cls(str(found["revision_template"]), entries, absent, annotation)
        except SeriesError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise SeriesError(f"{where}: no {INDEX_FILE} of format {FORMAT} ({error!r})") from None


def dump(content: Mapping[str, Any]) -> str:
    """JSON as it is written: the same bytes for the same content."""
    return json.dumps(content, indent=1) + "\n"


def weights_of(files: Files) -> dict[str, str]:
    """Name -> sha256 of the files that hold weights."""
    return {name: facts.sha256 for name, facts in sorted(files.items()) if is_weights(name)}


def _kind(word: str) -> str:
    if word not in ABSENT_KINDS:
        raise ValueError(f"kind {word!r}")
    return word


def _check_format(found: Mapping[str, Any]) -> None:
    if found["format"] != FORMAT:
        raise ValueError(f"format {found['format']!r}")
