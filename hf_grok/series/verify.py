"""What is wrong with a series, judged from what each revision holds and what it says it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hf_grok.series.holes import missing_steps
from hf_grok.series.manifest import FileFacts, Index, Manifest, weights_of

# kind -> what it means, for people.
KINDS = {
    "missing": "listed in the index, and not there",
    "empty": "holds no weights",
    "repeated": "holds the weights of another revision",
    "partly repeated": "shares a file of weights with another revision",
    "mislabelled": "says that it is another step",
    "altered": "is not what its manifest says",
    "foreign": "holds weights, and is no step of the series",
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
        manifest: its series.json, where it has one.
        problems: what was seen while it was read.
    """

    name: str
    step: int
    stage: str = ""
    weights: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] | None = None
    manifest: Manifest | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Report:
    """A series and what is wrong with it.

    Attributes:
        source: repository or folder.
        revisions: by stage and step.
        problems: empty for a clean series.
    """

    source: str
    revisions: tuple[FoundRevision, ...]
    problems: tuple[Problem, ...]

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
                    "weights": dict(found.weights),
                    "manifest": found.manifest is not None,
                }
                for found in self.revisions
            ],
            "problems": [vars(problem) for problem in self.problems],
        }


def judge(
    source: str,
    revisions: Iterable[FoundRevision],
    index: Index | None = None,
    others: Sequence[Problem] = (),
) -> Report:
    """Everything that can be told from the revisions and the index.

    Args:
        source: repository or folder.
        revisions: that were found, in any order.
        index: of the series, where there is one.
        others: what was found beside the revisions.
    """
    ordered = tuple(sorted(revisions, key=lambda found: (found.stage, found.step, found.name)))
    problems = [problem for found in ordered for problem in _of_one(found)]
    problems += repeated(ordered)
    problems += against_index(ordered, index) if index else []
    known = {problem.revision for problem in problems if problem.kind == "missing"}
    problems += [hole for hole in holes(ordered) if hole.revision not in known]
    return Report(source, ordered, (*problems, *others))


def _of_one(found: FoundRevision) -> list[Problem]:
    problems = list(found.problems)
    if not found.weights:
        problems.append(Problem("empty", found.name, "no file of weights in it"))
    if found.manifest is None:
        return problems
    said = found.manifest
    if (said.step, said.revision) != (found.step, found.name):
        detail = f"its manifest is that of step {said.step}, revision {said.revision}"
        problems.append(Problem("mislabelled", found.name, detail))
    return problems + [Problem("altered", found.name, text) for text in _differences(found, said)]


def _differences(found: FoundRevision, said: Manifest) -> list[str]:
    expected, differences = weights_of(said.files), []
    if found.weights:
        for name in sorted({*expected, *found.weights}):
            there, listed = found.weights.get(name), expected.get(name)
            if there != listed:
                differences.append(f"{name} is {_short(there)}, the manifest says {_short(listed)}")
    if found.sizes is not None:
        differences += _size_differences(found.sizes, said.files, set(expected))
    return differences


def _size_differences(
    sizes: Mapping[str, int], files: Mapping[str, FileFacts], hashed: set[str]
) -> list[str]:
    texts = []
    for name, facts in sorted(files.items()):
        if name in hashed:
            continue
        if name not in sizes:
            texts.append(f"{name} is not there")
        elif sizes[name] != facts.bytes:
            texts.append(f"{name} has {sizes[name]} bytes, the manifest says {facts.bytes}")
    return texts


def repeated(revisions: Sequence[FoundRevision]) -> list[Problem]:
    """Revisions with the same weights, and those of which a part is the same.

    A part that revisions with a manifest share is as they say, and no problem: a frozen layer may
    fill a file.
    """
    whole: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for found in revisions:
        if found.weights:
            whole[frozenset(found.weights.items())].append(found.name)
    problems = [
        Problem("repeated", name, f"has the weights of {names[0]}")
        for names in whole.values()
        for name in names[1:]
    ]
    return problems + _partly_repeated(revisions, {problem.revision for problem in problems})


def _partly_repeated(revisions: Sequence[FoundRevision], known: set[str]) -> list[Problem]:
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for found in revisions:
        if found.manifest is None and found.name not in known:
            for part in found.weights.items():
                parts[part].append(found.name)
    return [
        Problem("partly repeated", name, f"{file} is that of {names[0]}")
        for (file, _), names in parts.items()
        for name in names[1:]
    ]


def against_index(revisions: Sequence[FoundRevision], index: Index) -> list[Problem]:
    """Revisions that the index lists and that are not there, or hold something else."""
    found = {revision.name: revision for revision in revisions}
    problems = []
    for entry in index.steps:
        there = found.get(entry.revision)
        if there is None:
            problems.append(Problem("missing", entry.revision, f"step {entry.step} of the index"))
        elif there.weights and dict(there.weights) != dict(entry.weights):
            detail = "its weights are not those that the index lists"
            problems.append(Problem("altered", entry.revision, detail))
    return problems


def holes(revisions: Sequence[FoundRevision]) -> list[Problem]:
    """Steps that are missing by the schedule of those that are there, each stage by itself."""
    stages: dict[str, list[FoundRevision]] = defaultdict(list)
    for found in revisions:
        stages[found.stage].append(found)
    return [
        Problem("hole", _name_like(members[0], step), f"no revision for step {step}")
        for members in stages.values()
        for step in missing_steps([found.step for found in members])
    ]


def _name_like(found: FoundRevision, step: int) -> str:
    """The name that a step would have, by the example of another one."""
    before, separator, after = found.name.rpartition(str(found.step))
    # In stage1-step1 the last "1" is the step; in step1-tokens1B it is not.
    simple = separator and not after
    return f"{before}{step}" if simple else f"step {step}"


def _short(sha256: str | None) -> str:
    return "absent" if sha256 is None else f"sha256 {sha256[:12]}..."
