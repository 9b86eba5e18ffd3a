"""A series as it was found, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hf_grok.series.local.manifest import Manifest, weights_of
from hf_grok.series.revision_names import STEPS

# kind -> what it means, for people.
KINDS = {
    "missing": "listed in the index, or saved by the run, and not there",
    "empty": "holds no weights",
    "repeated": "holds the weights of another revision",
    "partly repeated": "shares a file of weights with another revision",
    "mislabelled": "says that it is another step",
    "altered": "is not what its manifest says",
    "foreign": "holds weights, and is no step of the series",
    "unlisted": "has a manifest, and is not in the index",
    "hole": "a step that the schedule of the others asks for",
    "moved": "no longer points where its tag does",
    "refused": "was not published",
    "unreadable": "has a manifest that cannot be read",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: a key of `KINDS`.
        revision: where; the name that it would have, for a hole.
        detail: in words.
    """

    kind: str
    revision: str
    detail: str


@dataclass(frozen=True)
class FoundRevision:
    """One revision as it was found.

    Attributes:
        name: of the branch, tag or folder.
        step: that the name says.
        stage: of a run in several stages; "" otherwise.
        weights: file -> sha256.
        sizes: of every file; None where they were not looked at.
        hashes: file -> sha256 of other files that its manifest lists.
        pages: git's names of its series.json and README.md.
        unit: what `step` counts.
        manifest: its series.json, where it has one.
        problems: what was seen while it was read.
    """

    name: str
    step: int
    stage: str = ""
    weights: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    unit: str = STEPS
    manifest: Manifest | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def as_said(self) -> bool | None:
        """Whether its weights are those that its manifest lists; None without a manifest."""
        return None if self.manifest is None else weights_of(self.manifest.files) == self.weights

    @property
    def is_genuine(self) -> bool:
        """Whether its manifest names this revision and these weights."""
        return bool(self.as_said and self.manifest and self.manifest.revision == self.name)


@dataclass(frozen=True)
class Report:
    """A series and what is wrong with it.

    Attributes:
        source: repository or folder.
        revisions: by stage and step.
        problems: empty for a clean series.
        left_out: what was not looked at, and why; None where that is nothing.
    """

    source: str
    revisions: tuple[FoundRevision, ...]
    problems: tuple[Problem, ...]
    left_out: str | None = None

    @property
    def described(self) -> int:
        """How many revisions have a manifest."""
        return sum(revision.manifest is not None for revision in self.revisions)

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "source": self.source,
            "clean": not self.problems,
            "revisions": [
                {
                    "revision": found.name,
                    "step": found.step,
                    "unit": found.unit,
                    "weights": dict(found.weights),
                    "manifest": found.manifest is not None,
                }
                for found in self.revisions
            ],
            "problems": [vars(problem) for problem in self.problems],
            "left_out": self.left_out,
        }
